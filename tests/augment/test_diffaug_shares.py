"""DiffAugment for a share of the images: colours that stay, and images that are mirrored with their maps."""

from __future__ import annotations

import pytest
import torch

from ggdr.augment.diffaug import DiffAugment
from ggdr.errors import UserError


def test_colours_change_in_a_share_of_the_images():
    torch.manual_seed(0)
    image = torch.rand(4000, 3, 2, 2)
    seen, _ = DiffAugment(policy=("colour",), colour_share=0.3)(image, {})
    changed = (seen - image).abs().amax(dim=(1, 2, 3)) > 1e-6
    assert changed.float().mean().item() == pytest.approx(0.3, abs=0.03)
    torch.testing.assert_close(seen[~changed], image[~changed])
    assert (seen - image)[changed].mean(dim=(1, 2, 3)).std().item() == pytest.approx(1 / 12**0.5, rel=0.1)


def test_a_share_of_the_images_is_mirrored_and_their_maps_with_them():
    torch.manual_seed(0)
    image, maps = torch.rand(4000, 1, 4, 4), torch.rand(4000, 2, 2, 2)
    seen, moved = DiffAugment(policy=(), mirror_share=0.4)(image, {2: maps})
    flipped = (seen == image.flip(3)).all(dim=(1, 2, 3))
    assert flipped.float().mean().item() == pytest.approx(0.4, abs=0.03)
    assert torch.equal(seen[~flipped], image[~flipped])
    assert torch.equal(moved[2][flipped], maps[flipped].flip(3)) and torch.equal(moved[2][~flipped], maps[~flipped])


def test_the_draws_of_all_images_are_as_before():
    image = torch.rand(4, 3, 8, 8)
    results = []
    for settings in ({}, {"colour_share": 1.0, "mirror_share": 0.0}):
        torch.manual_seed(0)
        results.append(DiffAugment(**settings)(image, {})[0])
        results.append(torch.rand(1))
    assert torch.equal(results[0], results[2]) and torch.equal(results[1], results[3])


def test_it_says_what_it_does():
    still, mirrors = DiffAugment(policy=()), DiffAugment(policy=(), mirror_share=0.4)
    assert not (still.acts or still.moves or still.turns) and mirrors.acts and mirrors.moves and mirrors.turns
    assert DiffAugment().moves and not DiffAugment().turns
    for wrong in ({"colour_share": 1.1}, {"mirror_share": -0.1}):
        with pytest.raises(UserError, match="shares from 0 to 1"):
            DiffAugment(**wrong)
