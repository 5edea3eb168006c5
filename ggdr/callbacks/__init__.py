"""Callbacks, one a file: what a run does while it trains beside updating its networks, in the order of `built_in`."""
