"""What makes images of images: settings, a description with both specs, a place in recipes and among flags."""

from __future__ import annotations

import json
import sys

import pytest
import torch

import ggdr
from ggdr.flags.parts import swap_parts
from ggdr.networks.base import NO_EXTRA, DiscriminatorOutput, ExtraOutputs, ImageSpec
from ggdr.networks.base.module import Discriminator
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.pa_gan import PAGANDiscriminatorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.recipe.files import from_json, load_recipe, to_json
from ggdr.recipe.fitting import fit
from ggdr.registry import generators, use
from ggdr.saving.model import load_model, save_model

SPEC, SOURCE = ImageSpec(16, 16, 3, 2, ("cat", "dog")), ImageSpec(8, 8, 1)
FILE = """
from dataclasses import dataclass

from ggdr.lazy import torch
from ggdr.networks.base import GeneratorOutput, TranslatorConfig
from ggdr.networks.base.module import Translator
from ggdr.registry import generators


@generators.register("doubler")
@dataclass(frozen=True, kw_only=True)
class DoublerTranslatorConfig(TranslatorConfig):
    '''Images of twice the size.'''

    scale: float = 1.0
    '''factor of all values'''


class DoublerTranslator(Translator):
    '''One convolution, and a doubling.'''

    def __init__(self, config, spec, source):
        super().__init__(config, spec, source)
        self.conv = torch.nn.Conv2d(source.channels, spec.channels, 3, padding=1)

    def forward(self, source, labels=None, *, z=None, resolutions=()):
        x = torch.nn.functional.interpolate(self.conv(source), scale_factor=2) * self.config.scale
        return GeneratorOutput(x)
"""


@pytest.fixture
def doubler(tmp_path, monkeypatch):
    """The settings of somebody's translator, which are forgotten afterwards."""
    before = {*sys.modules}
    (tmp_path / "doubler_part.py").write_text(FILE)
    yield use(tmp_path / "doubler_part.py").DoublerTranslatorConfig
    generators.pop("doubler", None)
    for name in {*sys.modules} - before:
        del sys.modules[name]


def test_a_translator_is_saved_with_both_specs_and_opened_again(doubler, tmp_path):
    net = doubler(scale=0.5).build(SPEC, SOURCE)
    save_model(net, tmp_path / "model")
    description = json.loads((tmp_path / "model" / "config.json").read_text())
    assert description["kind"] == "translator"
    assert description["source"].items() >= {"height": 8, "width": 8, "channels": 1, "labels": 0}.items()
    again = load_model(tmp_path / "model")
    assert (again.spec, again.source, again.config) == (SPEC, SOURCE, net.config)
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(again(x).image, net(x).image) and again(x).image.shape == (2, 3, 16, 16)
    bigger = net.rebuild(SPEC._replace(height=32, width=32))
    assert (bigger.spec.height, bigger.source) == (32, SOURCE)
    opened = ggdr.Translator.from_pretrained(tmp_path / "model")
    assert torch.equal(opened(x).image, net(x).image)
    with pytest.raises(ValueError, match="makes images of images, not of noise: type `ggdr translate"):
        ggdr.Generator.from_pretrained(tmp_path / "model")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"source": None}, "a translator needs source, the spec of the images that it takes"),
        ({"source": {"height": 8}}, r"has a spec \{'height': 8\}; it needs a height and a width"),
        ({"kind": "generator"}, "'doubler' is no generator"),
        ({"kind": "painter"}, "describes a 'painter'; known are generator, discriminator, translator"),
    ],
)
def test_a_description_that_is_no_translators_is_refused_in_one_sentence(doubler, tmp_path, change, words):
    save_model(doubler().build(SPEC, SOURCE), tmp_path / "model")
    file = tmp_path / "model" / "config.json"
    changed = json.loads(file.read_text()) | change
    file.write_text(json.dumps({name: value for name, value in changed.items() if value is not None}))
    with pytest.raises(ValueError, match=words):
        load_model(tmp_path / "model")


def test_a_translator_goes_where_a_recipe_has_its_generator(doubler):
    recipe = load_recipe("recipes/digits.py")
    swapped, rest = swap_parts(recipe, ["--generator", "doubler", "--generator.scale", "2"])
    assert isinstance(swapped.generator, doubler) and rest == ["--generator.scale", "2"]
    assert from_json(Recipe, to_json(swapped)) == swapped
    assert isinstance(swap_parts(swapped, ["--generator", "dcgan"])[0].generator, DCGANGeneratorConfig)
    with pytest.raises(ValueError, match=r"generator: 'dcgan' is registered as discriminator, not as generator"):
        Recipe(data=recipe.data, generator=DCGANDiscriminatorConfig(), discriminator=DCGANDiscriminatorConfig())


def test_a_game_of_noise_refuses_a_translator(doubler):
    recipe = load_recipe("recipes/digits.py")
    with pytest.raises(ValueError, match=r"^game 'standard' makes images of noise, and generator 'doubler' makes them"):
        fit(
            swap_parts(recipe, ["--generator", "doubler", "--regularizers.ggdr", "none"])[0],
            {"real": ImageSpec(16, 16, 1)},
        )


class TwoScales(Discriminator):
    """Says one thing of the image, and another of its mean."""

    def __init__(self, spec: ImageSpec, extra: ExtraOutputs):
        super().__init__(DCGANDiscriminatorConfig(), spec, extra)
        self.out = torch.nn.Conv2d(spec.channels, 1, 2, stride=2)
        self.map_channels = {spec.height // 2: 1}

    def forward(self, image, labels=None, *, resolutions=()):
        x = self.out(image)
        return DiscriminatorOutput(x.flatten(1), maps={x.shape[2]: x}, more_logits=(x.mean(dim=(1, 2, 3))[:, None],))


class TwoScalesConfig(DCGANDiscriminatorConfig):
    """Settings of the discriminator above."""

    def build(self, spec, extra=NO_EXTRA):
        return TwoScales(spec, extra)


@pytest.mark.parametrize("wrapper", [UNetDiscriminatorConfig, PAGANDiscriminatorConfig])
def test_what_wraps_a_discriminator_hands_on_the_logits_of_all_its_heads(wrapper):
    net = wrapper(encoder=TwoScalesConfig()).build(ImageSpec(8, 8))
    said = net(torch.randn(3, 3, 8, 8))
    assert said.logits.shape == (3, 16) and [logits.shape for logits in said.more_logits] == [(3, 1)]
    torch.testing.assert_close(said.more_logits[0][:, 0], said.logits.mean(dim=1))


def test_odd_parity_flips_the_logits_of_all_heads():
    net = PAGANDiscriminatorConfig(encoder=TwoScalesConfig(), levels=1).build(ImageSpec(8, 8))
    net.level.fill_(1.0)
    torch.nn.init.zeros_(net.encoder.out.weight)  # nothing but its bias is left, which is not zero
    torch.manual_seed(0)
    said = net(torch.zeros(64, 3, 8, 8))
    assert len(said.more_logits[0].sign().unique()) == 2
    torch.testing.assert_close(said.more_logits[0][:, 0], said.logits.mean(dim=1))
