"""Encoded images to arrays: decoding, depth, colour profiles, and the frame they are made to fit."""
