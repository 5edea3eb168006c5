"""FastGAN: excitation, and the images that its discriminator draws again."""

from __future__ import annotations

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.features.plain import Pixels
from ggdr.networks.base import ImageSpec
from ggdr.networks.fastgan import FastGANDiscriminatorConfig, FastGANGeneratorConfig
from ggdr.networks.stylegan3 import StyleGAN3GeneratorConfig
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.reconstruction import FastGANReconstruction
from ggdr.train import train_step

SKIPS = {1024: {128: 8, 256: 16, 512: 32}, 256: {128: 8, 256: 16}, 32: {32: 8}, 16: {16: 8}, 8: {}}


@pytest.mark.parametrize(("resolution", "skips"), SKIPS.items())
def test_excitation_reaches_from_small_maps_to_large_as_in_the_paper_and_shorter_on_small_images(resolution, skips):
    with torch.device("meta"):
        assert FastGANGeneratorConfig(channel_base=64).build(ImageSpec(resolution, resolution)).sources == skips


def test_excitation_weighs_each_channel_from_zero_to_one():
    network = FastGANGeneratorConfig.tiny().build(ImageSpec(32, 32))
    weights = network.skip32(100 * torch.randn(5, 8, 8, 8))
    assert weights.shape == (5, network.feature_channels[32], 1, 1)
    assert 0 <= weights.min() < weights.max() <= 1
    with torch.no_grad():
        network.skip32.conv1.bias.fill_(-1e4)
        before = network(torch.randn(2, 8), resolutions=(16, 32)).features
    assert before[32].abs().max() == 0 and before[16].abs().max() > 0


def test_what_is_drawn_is_the_image_and_a_quarter_of_it_where_the_maps_were_cut():
    network = FastGANDiscriminatorConfig.tiny().build(ImageSpec(64, 64))
    rows, columns = torch.meshgrid(torch.arange(64.0), torch.arange(64.0), indexing="ij")
    image = torch.stack([rows, columns, rows + columns])[None] / 64
    _, maps = network.pyramid(image)
    places = torch.stack([torch.arange(16.0)[:, None].expand(16, 16), torch.arange(16.0).expand(16, 16)])
    maps[16] = places[None].repeat(1, 2, 1, 1)
    seen = []
    network.part.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    tops = set()
    for _ in range(8):
        part = network.reconstruct(maps, image)["part"]
        top, left = (int(place) for place in seen[-1][0, :2, 0, 0])
        assert torch.equal(part.true, image[:, :, 4 * top : 4 * top + 32, 4 * left : 4 * left + 32])
        assert part.drawn.shape == part.true.shape == (1, 3, 32, 32)
        tops.add(top)
    assert len(tops) > 1
    whole = network.reconstruct(maps, image)["whole"]
    assert whole.drawn.shape == whole.true.shape == image.shape and torch.equal(whole.true, image)


def reconstruction(network, requires=FastGANReconstruction.requires):
    generator = tiny.STYLEGAN2.build(network.spec)
    return Duel(generator, network, torch.rand(4, 3, 16, 16), None, StepContext("d", requires))


def test_reconstruction_reaches_the_maps_by_way_of_the_decoders_and_leaves_the_logit_alone():
    network = FastGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16))
    term = FastGANReconstruction(extractor=Pixels(side_px=16))
    term.begin(torch.device("cpu"))
    duel = reconstruction(network)
    term.loss(duel).backward()
    learns = {name for name, parameter in network.named_parameters() if parameter.grad is not None}
    assert any(name.startswith("whole.") for name in learns) and any(name.startswith("part.") for name in learns)
    assert any(name.startswith("b16.") for name in learns)
    assert not any(name.startswith(("logit", "out")) for name in learns)


def test_decoders_run_only_where_a_term_asks_and_only_on_reals():
    network = FastGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16))
    passes = []
    network.whole.register_forward_hook(lambda *_: passes.append("whole"))
    duel = reconstruction(network, frozenset())
    assert duel.on_real.logits.isfinite().all() and duel.on_fake.logits.isfinite().all()
    assert duel.reconstructions == {} and passes == []


def test_reconstruction_is_the_mean_square_of_what_is_amiss():
    term = FastGANReconstruction(extractor=Pixels(side_px=8))
    term.begin(torch.device("cpu"))
    drawn, true = torch.full((3, 3, 8, 8), 0.5), torch.full((3, 3, 8, 8), -0.5)
    assert term.distance(drawn, true).item() == pytest.approx(0.25)  # half of the range from 0 to 1
    assert term.distance(true, true).item() == 0


def test_a_feature_extractor_that_rounds_is_refused():
    from ggdr.features.inception import Inception

    with pytest.raises(ValueError, match="take pixels or lpips"):
        FastGANReconstruction(extractor=Inception())


def test_fastgan_trains_with_its_reconstruction(tmp_path):
    terms = {"reconstruction": FastGANReconstruction(extractor=Pixels(side_px=16))}
    pair = {"generator": FastGANGeneratorConfig.tiny(), "discriminator": FastGANDiscriminatorConfig.tiny()}
    run = tiny.tiny_run(replace(tiny.recipe, **pair, regularizers=terms), tmp_path)
    batches = run.reals()
    stats = [train_step(run, next(batches)) for _ in range(2)][-1]
    assert stats["loss/d/reconstruction"].isfinite() and stats["nonfinite/d"] == 0


def drawn(config: str, reads: list[list[float]] | None = None) -> torch.Tensor:
    """Images [4, 3, 32, 32] by fresh weights, read at the places that a person has moved."""
    torch.manual_seed(0)
    settings = replace(
        StyleGAN3GeneratorConfig.tiny(), config=config, layers=8, margin=8, channel_max=16, channel_base=256
    )
    network = settings.build(ImageSpec(32, 32)).eval()
    if reads is not None:
        network.synthesis.input.reads.copy_(torch.tensor(reads))
    torch.manual_seed(1)
    with torch.no_grad():
        return network(torch.randn(4, 8)).image
