"""What parts may read of each other is an enum: a misspelt name is refused where it is written, not silently unmet."""

from __future__ import annotations

import subprocess
import sys
from typing import ClassVar

import pytest
from places import ROOT

from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.play.term import Regularizer
from ggdr.recipe.fitting import WrapperConfig
from ggdr.registry import REGISTRIES, Capability, discover, games

discover()
PARTS = [part for registry in REGISTRIES.values() for part in registry.values()]
BEYOND_PARTS = {"duel", "evaluation"}
"""producers that are no registered kind of part"""


def test_a_misspelt_capability_is_refused_with_the_nearest_where_the_part_is_defined():
    with pytest.raises(ValueError, match=r"Mine\.requires holds 'g_featurs', .* did you mean Capability.G_FEATURES\?"):
        type("Mine", (Regularizer,), {"requires": frozenset({"g_featurs"})})
    with pytest.raises(ValueError, match=r"Mine\.provides holds 'elephants', .* there are G_FEATURES, WS"):
        type("Mine", (Regularizer,), {"provides": frozenset({"elephants"})})
    with pytest.raises(ValueError, match=r"Mine\.requires is 'ws'; give a set of capabilities"):
        type("Mine", (Regularizer,), {"requires": "ws"})


def test_a_file_with_a_misspelt_capability_is_named_with_its_line(tmp_path):
    (tmp_path / "mine.py").write_text(
        "from ggdr.play.term import Regularizer\n\n\nclass Mine(Regularizer):\n    requires = {'wss'}\n"
    )
    command = [sys.executable, "-m", "ggdr", "list", "regularizers", "--use", str(tmp_path / "mine.py")]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert said.returncode == 2 and "Traceback" not in said.stderr
    assert "mine.py, line 4: UserError: Mine.requires holds 'wss'" in said.stderr
    assert "did you mean Capability.WS?" in said.stderr


@pytest.mark.parametrize("capability", Capability, ids=lambda each: each.value)
def test_the_tables_producers_and_consumers_are_those_of_the_registered_parts(capability):
    producing = {part.registry.kind for part in PARTS if capability in part.provides} - {"game"}
    producing |= {"duel"} if any(capability in game.provides for game in games.values()) else set()
    assert producing == set(capability.producers) - {"evaluation"}
    kinds = {registry.kind for registry in REGISTRIES.values()}
    consuming = {part.registry.kind for part in PARTS if capability in part.requires}
    assert consuming <= set(capability.consumers)
    for folder in set(capability.consumers) - kinds:
        sources = [file.read_text() for file in (ROOT / "ggdr" / folder).rglob("*.py")]
        assert any(f"Capability.{capability.name}" in source for source in sources), folder
    assert capability.meaning.endswith(".") and capability.shape and set(capability.producers) <= kinds | BEYOND_PARTS


def test_capabilities_are_listed_without_torch():
    code = "import sys, ggdr.registry; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_a_wrapper_provides_what_it_adds_and_what_its_encoder_provides_but_for_what_it_hides():
    class Wraps(WrapperConfig):
        """A wrapper of a test's own."""

        provides: ClassVar = frozenset({Capability.HEADS})
        hides: ClassVar = frozenset({Capability.WS})

    encoder = StyleGAN2GeneratorConfig()
    assert Wraps.around(encoder) == encoder.provides - {Capability.WS} | {Capability.HEADS}
