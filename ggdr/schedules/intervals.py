"""Ramps and intervals, in thousands of real images shown."""


def ramp(kimg: float, start: float, length: float) -> float:
    """0 until `start`, 1 from `start + length` on, a straight line between; all in kimg."""
    if kimg < start:
        return 0.0
    return min((kimg - start) / length, 1.0) if length else 1.0


def due(kimg: float, before: float, interval: float) -> bool:
    """Whether a multiple of `interval` lies after `before` and not after `kimg`; never for an interval of 0."""
    return interval > 0 and int(kimg / interval + 1e-9) > int(before / interval + 1e-9)
