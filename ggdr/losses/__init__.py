"""Adversarial losses, one idea a file."""
