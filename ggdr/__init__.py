"""ggdr: train GANs from a recipe, guided by what the generator knows."""

__version__ = "0.1.0"
