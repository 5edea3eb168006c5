"""Checkpoints of other programs, read as data: nothing that is in them is imported, called or run."""
