"""Settings find their network by its name: `StarGeneratorConfig` builds StarGenerator, and nobody writes `build`."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import pytest

from ggdr.networks.base import ExtraOutputs, Head, ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.dcgan.discriminator import DCGANDiscriminator
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.registry import discover, discriminators, generators, use

SPEC = ImageSpec(16, 16)
SETTINGS = """
from dataclasses import dataclass
from ggdr.networks.base import GeneratorConfig

@dataclass(frozen=True, kw_only=True)
class {name}(GeneratorConfig):
    '''A generator of somebody else.'''
"""
MODULE = """
from ggdr.networks.base.module import Generator

class StarGenerator(Generator):
    '''Makes nothing.'''
"""


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """A folder of somebody else's files, and a clean table of modules afterwards."""
    before = {*sys.modules}
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in {*sys.modules} - before:
        del sys.modules[name]


def test_no_registered_network_of_ggdr_writes_build():
    discover()
    own = [
        part
        for part in (*generators.values(), *discriminators.values())
        if part.__module__.startswith("ggdr.") and part.name != "none"
    ]
    assert len(own) > 25 and not [part for part in own if any("build" in vars(each) for each in part.__mro__[:-4])]


def test_a_strangers_package_keeps_its_module_beside_its_settings(desk):
    (desk / "star").mkdir()
    (desk / "star" / "__init__.py").write_text(SETTINGS.format(name="StarGeneratorConfig"))
    (desk / "star" / "generator.py").write_text(MODULE)
    import star  # type: ignore[import-not-found]

    made = star.StarGeneratorConfig().build(SPEC)
    assert type(made).__module__ == "star.generator" and made.spec == SPEC


def test_a_strangers_single_file_holds_both(desk):
    (desk / "nova.py").write_text(SETTINGS.format(name="StarGeneratorConfig") + MODULE)
    assert type(use(desk / "nova.py").StarGeneratorConfig().build(SPEC)).__name__ == "StarGenerator"


def test_settings_that_only_change_defaults_share_the_network():
    @dataclass(frozen=True, kw_only=True)
    class Mine(DCGANDiscriminatorConfig):
        """Narrower."""

        channels: int = 4

    assert type(Mine().build(SPEC)) is DCGANDiscriminator


def test_a_missing_network_is_told_with_the_name_and_the_place_it_is_sought_at(desk):
    (desk / "comet.py").write_text(SETTINGS.format(name="CometGeneratorConfig"))
    with pytest.raises(
        ValueError,
        match=r"^CometGeneratorConfig has no network: write the class CometGenerator in comet or comet\.generator, or"
        r" define CometGeneratorConfig\.build\.$",
    ):
        use(desk / "comet.py").CometGeneratorConfig().build(SPEC)


def test_what_a_module_itself_fails_to_import_is_not_taken_for_a_missing_module(desk):
    (desk / "star2").mkdir()
    (desk / "star2" / "__init__.py").write_text(SETTINGS.format(name="StarGeneratorConfig"))
    (desk / "star2" / "generator.py").write_text("import no_such_library\n")
    import star2  # type: ignore[import-not-found]

    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        star2.StarGeneratorConfig().build(SPEC)


def test_images_and_what_terms_ask_of_a_discriminator_are_told_apart():
    extra = ExtraOutputs({8: 5}, {"classes": Head(3)})
    network = UNetDiscriminatorConfig.tiny().build(SPEC, extra)
    assert network.spec == SPEC and network.extra == extra
    assert set(ImageSpec._fields[:4]) == {"height", "width", "channels", "labels"}
    again = network.rebuild(SPEC._replace(channels=1))
    assert again.extra == extra and again.spec.channels == 1
    assert DCGANGeneratorConfig.tiny().build(SPEC).extra is None
