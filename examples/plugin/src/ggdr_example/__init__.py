"""Parts for ggdr: importing this package registers them, so each file with a part has a line here."""

from ggdr_example import coordinates, spectrum, total_variation

__all__ = ["coordinates", "spectrum", "total_variation"]
