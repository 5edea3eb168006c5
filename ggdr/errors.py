"""Checks of settings: a number that cannot be is refused where it is set, by its name."""

from __future__ import annotations

import re


def above_zero(owner: object, *fields: str) -> None:
    """ValueError if one of the fields is not above 0 (NaN is not); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not value > 0:
            raise ValueError(f"{field} is {value}; give a number above 0.")


def not_negative(owner: object, *fields: str) -> None:
    """ValueError if one of the fields is below 0 (or NaN); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not value >= 0:
            raise ValueError(f"{field} is {value}; give 0 or more.")


def check_licence(name: str) -> None:
    """ValueError unless it is empty, or could be a licence as the Hub writes it."""
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", name):
        raise ValueError(f"licence {name!r} is not a name the Hub knows; give one such as 'cc-by-nc-4.0' or 'mit'.")
