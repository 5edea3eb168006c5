"""A web page on which a saved generator is played with, and a run is watched while it trains."""
