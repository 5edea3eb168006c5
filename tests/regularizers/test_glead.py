"""GLeaD: the generator goes on from maps, and rebuilds images from those of the discriminator."""

from __future__ import annotations

import pytest
import tiny
import torch

from ggdr.networks.base import DiscriminatorOutput, ImageSpec
from ggdr.ops.fir import upsample2
from ggdr.play.duel import Duel, StepContext
from ggdr.regularizers.glead import GLeaD


def test_a_generator_goes_on_from_its_own_maps_to_its_own_image():
    """The image is the sum of the shares from that side on: what lies below, enlarged, is missing."""
    torch.manual_seed(0)
    generator = tiny.moved(tiny.STYLEGAN2.build(ImageSpec(16, 16, 2)))
    w = torch.randn(3, generator.w_dim)
    whole, maps = generator.synthesis(w[:, None].expand(-1, 6, -1), resolutions=(4, 8, 16), noise="const")
    shares = {
        resolution: generator.synthesis.get_submodule(f"b{resolution}.torgb")(maps[resolution], w)
        for resolution in maps
    }
    torch.testing.assert_close(generator.forward_from(maps[4], 4, w), whole)
    torch.testing.assert_close(generator.forward_from(maps[8], 8, w), upsample2(shares[8]) + shares[16])
    torch.testing.assert_close(generator.forward_from(maps[16], 16, w), shares[16])
    with pytest.raises(ValueError, match=r"no feature maps of resolution \[5\]"):
        generator.forward_from(maps[4], 5, w)


def test_glead_is_the_error_of_what_the_generator_rebuilds_from_the_discriminator():
    class Rebuilds:
        def forward_from(self, maps, resolution, w):
            return maps * resolution + w[:, :1, None, None]

    def verdict(image: float, drawn: float, style: float) -> DiscriminatorOutput:
        flat = torch.ones(2, 1, 2, 2)
        return DiscriminatorOutput(
            torch.zeros(2), {2: drawn * flat}, head_outputs={"style": torch.full((2, 1), style)}, image=image * flat
        )

    seen = {"on_real": verdict(7.0, 2.0, 1.0), "on_fake": verdict(0.0, 0.5, 2.0)}
    fight = Duel(Rebuilds(), None, torch.zeros(2, 1, 2, 2), None, StepContext("d"))
    vars(fight).update(seen)
    assert GLeaD(resolutions=(2,)).d_loss(fight) == (7 - 5) ** 2 + 3**2
    term, why = GLeaD().resolve(ImageSpec(32, 32), 4)
    assert "resolutions (8,)" in why and term.feature_resolutions() == (8,)
    assert "resolutions (32,), nearest to 32 px" in GLeaD().resolve(ImageSpec(256, 256), 4)[1]
    assert GLeaD(resolutions=(16,)).resolve(ImageSpec(256, 256), 4)[1] == ""
    assert term.heads(ImageSpec(32, 32), tiny.STYLEGAN2.build(ImageSpec(16, 16)))["style"].outputs == 8
