"""What every registered part must do, of whatever kind; a new one gets these tests for nothing."""

from __future__ import annotations

import pytest

from ggdr.recipe.files import from_json, to_json
from ggdr.registry import REGISTRIES, discover

discover()


@pytest.mark.parametrize("kind", sorted(REGISTRIES))
def test_parts_are_registered_and_make_the_round_trip_through_json(kind):
    assert REGISTRIES[kind], f"there are no {kind}"
    for name, part in REGISTRIES[kind].items():
        made = part()
        assert from_json(part, to_json(made)) == made and to_json(made)["type"] == name
        assert part.__doc__.splitlines()[0].endswith(".")
