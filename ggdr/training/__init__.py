"""A run while it runs: players, what it says and leaves behind, how it stops, recovers and goes on."""
