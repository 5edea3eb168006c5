"""Metrics, one idea a file."""
