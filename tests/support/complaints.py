"""The one line with which a command refuses what it was given."""

from __future__ import annotations

import pytest

from ggdr.train import main


def complaint(*argv: str) -> str:
    """The one line that a command ends with."""
    with pytest.raises(ValueError) as raised:
        main(list(argv))
    text = str(raised.value)
    assert "\n" not in text
    return text
