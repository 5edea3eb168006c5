"""Augmentations, one idea a file."""
