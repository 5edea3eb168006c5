"""Readers of image files: in a folder, in zip and tar archives, in LMDB, and behind addresses."""
