"""The segmenter: it learns which class a pixel is of, also where images are blurred, and is trained once and kept."""

from __future__ import annotations

import mapped
import pytest
import torch
from torch.nn import functional as F

from ggdr.data.digits import Digits
from ggdr.data.openmoji import OpenMoji
from ggdr.data.reading.labelled import labelled_images, map_domain
from ggdr.errors import UserError
from ggdr.features import segmenter
from ggdr.features.segmenter import (
    LabelledImages,
    Segmenter,
    class_weights,
    find_segmenter,
    flipped,
    train_segmenter,
    worsened,
)
from ggdr.ops.segmentation import confusion, mean_iou

CPU = torch.device("cpu")
COLOURS = torch.tensor([[20, 20, 20], [220, 60, 60], [60, 220, 60]], dtype=torch.uint8)


def blocks(count: int, seed: int, size: tuple[int, int] = (16, 24)) -> LabelledImages:
    """Images of flat regions in three colours with noise, and their maps, a corner of which is ignored."""
    dice = torch.Generator().manual_seed(seed)
    coarse = torch.randint(0, 3, (count, 1, 4, 4), generator=dice).float()
    maps = F.interpolate(coarse, size, mode="nearest-exact")[:, 0].to(torch.uint8)
    noise = torch.randint(0, 30, (count, 3, *size), generator=dice)
    images = (COLOURS[maps.long()].permute(0, 3, 1, 2) + noise).to(torch.uint8)
    maps[:, :2, :2] = 255
    return LabelledImages(images, maps, 3)


@pytest.fixture(scope="module")
def trained() -> Segmenter:
    pairs = blocks(64, 0)
    return Segmenter(train_segmenter(pairs, steps=120), pairs, CPU)


def score(network: Segmenter, pairs: LabelledImages) -> float:
    return mean_iou(confusion(network(pairs.images), pairs.maps, pairs.classes))


def test_classes_of_images_it_has_not_seen_are_told_at_any_size(trained):
    assert score(trained, blocks(16, 1)) > 0.9
    assert trained(blocks(2, 1, (32, 48)).images).shape == (2, 32, 48)
    assert score(trained, blocks(4, 1, (300, 450))) > 0.6  # it sees 85 x 128 pixels of them


def test_blurred_images_are_read_as_well(trained):
    sharp = blocks(16, 1)
    soft = F.avg_pool2d(F.pad(sharp.images.float(), [1] * 4, mode="replicate"), 3, 1).round().to(torch.uint8)
    assert score(trained, sharp._replace(images=soft)) > 0.75


def test_training_repeats_and_leaves_randomness_and_threads_alone():
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    first, again = (train_segmenter(blocks(8, 0), steps=3) for _ in range(2))
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert all(torch.equal(first[name], again[name]) for name in first)


def test_it_is_trained_once_for_the_same_pairs_and_again_for_others(tmp_path, monkeypatch):
    monkeypatch.setenv("GGDR_CACHE", str(tmp_path))
    monkeypatch.setattr(segmenter, "train_segmenter", lambda pairs: train_segmenter(pairs, steps=1))
    said = []
    pairs = blocks(8, 0)
    first = find_segmenter(pairs, CPU, said.append)
    again = find_segmenter(blocks(8, 0), CPU, said.append)
    assert said == ["training a segmenter on 8 label maps and their images, once"]
    assert first.protocol == again.protocol and first.protocol["pairs"] == 8
    other = pairs.maps.clone()
    other[0, 5, 5] = (other[0, 5, 5] + 1) % 3
    changed = find_segmenter(pairs._replace(maps=other), CPU, said.append)
    assert len(said) == 2 and changed.protocol["content"] != first.protocol["content"]
    assert len([*tmp_path.glob("segmenter-1-*.safetensors")]) == 2


def test_rare_classes_weigh_more_and_pixels_weigh_one_on_average():
    pairs = blocks(8, 0)
    pairs.maps[pairs.maps == 2] = 0
    pairs.maps[0, 4, 4] = 2
    weights, counts = class_weights(pairs), torch.bincount(pairs.maps[pairs.maps < 255].long()).float()
    assert weights[2] / weights[0] == pytest.approx((counts[0] / counts[2]).sqrt().item(), rel=1e-5)
    assert (weights * counts).sum() / counts.sum() == pytest.approx(1, rel=1e-5)


def test_maps_are_mirrored_with_their_images():
    torch.manual_seed(0)
    pairs = blocks(32, 0)
    images, maps = flipped(pairs.images.float(), pairs.maps)
    mirrored = torch.tensor([torch.equal(one, other.flip(1)) for one, other in zip(maps, pairs.maps, strict=True)])
    assert 4 < mirrored.sum() < 28
    assert torch.equal(images[mirrored], pairs.images[mirrored].float().flip(3))
    assert torch.equal(images[~mirrored], pairs.images[~mirrored].float())


def test_half_of_the_images_it_learns_from_are_blurred_and_all_are_noisy():
    torch.manual_seed(0)
    stripes = torch.ones(64, 3, 16, 16)
    stripes[..., ::2] = -1
    worse = worsened(stripes)
    contrast = (worse[..., 1::2].mean((1, 2, 3)) - worse[..., ::2].mean((1, 2, 3))) / 2
    sharp = contrast > 0.95
    assert 20 < sharp.sum() < 44 and contrast.min() < 0.4
    noise = worse[sharp].sub(stripes[sharp]).flatten(1).std(dim=1)
    assert noise.min() < 0.02 and 0.07 < noise.max() < 0.12


def test_large_pairs_are_reduced_with_whole_classes():
    reduced = blocks(2, 0, (256, 384)).reduced()
    assert reduced.images.shape == (2, 3, 85, 128) and reduced.maps.shape == (2, 85, 128)
    assert set(reduced.maps.unique().tolist()) == {0, 1, 2, 255}
    same = blocks(2, 0)
    assert torch.equal(same.reduced().images, same.images) and torch.equal(same.reduced().maps, same.maps)


def test_pairs_with_maps_are_read_and_data_without_are_told_what_has_some():
    images = OpenMoji(task="label_map", size=16, subset=70).open()
    batch, pairs = images.domain_batches([*range(70)], 0), labelled_images(images)
    assert map_domain(images) == "map" and pairs.classes == 30
    assert torch.equal(pairs.maps, batch["map"].images[:, 0]) and torch.equal(pairs.images, batch["colour"].images)
    for data in (Digits(), OpenMoji(task="lines_to_colour", size=16, subset=8), OpenMoji(task="unpaired", size=16)):
        assert not map_domain(data.open())
        with pytest.raises(UserError, match=r"have no label maps beside their images; .* task label_map"):
            labelled_images(data.open())


def test_maps_without_a_pixel_of_any_class_teach_nothing_and_one_class_is_told():
    class Ignored(mapped.MappedImages):
        paired = True

        def pair(self, seed):
            label_map, image = super().pair(seed)
            return torch.full_like(label_map, 255), image

    with pytest.raises(UserError, match=r"no pixel of these label maps \(map\) is of a class: all are ignored; look"):
        labelled_images(Ignored(), 4)
    pairs = blocks(4, 0)
    alone = pairs._replace(maps=torch.where(pairs.maps == 255, 255, 1).to(torch.uint8))
    assert (Segmenter(train_segmenter(alone, steps=60), alone, CPU)(alone.images) == 1).all()


@pytest.mark.slow
def test_openmojis_colours_are_told_on_emoji_that_were_held_out():
    data = OpenMoji(task="label_map", size=32)
    held = labelled_images(data.held_out().open())
    assert score(find_segmenter(labelled_images(data.open()), CPU), held) > 0.65
