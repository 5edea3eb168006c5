"""What every registered part must do, of whatever kind; a new one gets these tests for nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest
from places import ROOT

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


def test_the_types_of_all_parts_are_read_without_torch_so_that_any_of_them_has_a_quick_help():
    """`--help` reads them all, those of class variables too."""
    code = """
import sys
from typing import get_type_hints
from ggdr.registry import REGISTRIES, discover
discover()
for part in (part for registry in REGISTRIES.values() for part in registry.values()):
    get_type_hints(part, include_extras=True)
    if "torch" in sys.modules:
        sys.exit(f"torch is imported by the types of {part}")
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
