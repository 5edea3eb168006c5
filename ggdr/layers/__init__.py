"""Layers that several network families share."""
