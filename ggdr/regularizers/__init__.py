"""Regularizers, one idea a file."""
