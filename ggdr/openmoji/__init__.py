"""The emoji of OpenMoji: what their code points say, and drawings of them, made once at a size."""
