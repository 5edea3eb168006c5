"""The one line with which a command refuses what it was given."""

from __future__ import annotations

import pytest

from ggdr.errors import UserError
from ggdr.train import main


def complaint(*argv: str) -> str:
    """The one line that a command ends with."""
    with pytest.raises(UserError) as raised:
        main(list(argv))
    text = raised.value.in_flags()
    assert "\n" not in text
    return text
