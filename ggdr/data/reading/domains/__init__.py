"""Sets of two domains: how they are found, matched and opened."""
