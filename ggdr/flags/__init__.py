"""Command lines: a recipe, its parts and their settings as flags."""
