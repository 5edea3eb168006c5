"""Games, one a file: who plays, and how a batch becomes duels."""
