"""Networks as graphs in files that run without this package."""
