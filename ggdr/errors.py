"""Errors that a user can fix, and checks of settings that raise them."""

from __future__ import annotations

import re


class UserError(ValueError):
    """What a user can fix: a sentence that says what was given, what is possible and what to type next.

    The command line prints it alone; any other error is a fault of ggdr and keeps its traceback.
    """


def above_zero(owner: object, *fields: str) -> None:
    """UserError if one of the fields is not above 0 (NaN is not); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not value > 0:
            raise UserError(f"{field} is {value}; give a number above 0.")


def not_negative(owner: object, *fields: str) -> None:
    """UserError if one of the fields is below 0 (or NaN); None passes."""
    for field in fields:
        value = vars(owner)[field]
        if value is not None and not value >= 0:
            raise UserError(f"{field} is {value}; give 0 or more.")


def check_licence(name: str) -> None:
    """UserError unless it is empty, or could be a licence as the Hub writes it."""
    if name and not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", name):
        raise UserError(f"licence {name!r} is not a name the Hub knows; give one such as 'cc-by-nc-4.0' or 'mit'.")
