"""Emoji of OpenMoji: what their code points say, how they are drawn, and where the drawings are kept."""
