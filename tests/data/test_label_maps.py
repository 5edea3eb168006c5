"""Label maps: class numbers by the nearest pixel, what is ignored, and values that are no class."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from data_sources import folder
from domain_layouts import label_maps, numbers, png
from PIL import Image

from ggdr.data.domains import Domain
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.data.reading.pixels.framing import Frame
from ggdr.data.reading.pixels.label_maps import Classes, decode_numbers, fit_nearest, instance_edges, read_mapping
from ggdr.errors import UserError
from ggdr.ops.pixels import network_input
from ggdr.sampling.grid import picture

JITTER = {"size": 16, "load_size": 20, "flip": True}


def one(root: Path, values: np.ndarray, **settings) -> torch.Tensor:
    """The classes [H, W] of a single map beside a black picture of its size."""
    black = np.zeros((*values.shape[:2], 3), np.uint8)
    source = folder(root, {"maps/1.png": png(values), "photos/1.png": png(black)})
    images = Pairs(source=source, maps=LabelMaps(of="a", **settings)).open()
    return images.domain_batches([0], 0)["maps"].images[0, 0]


def pairs(source: str, **settings) -> Pairs:
    """The generated maps and their pictures."""
    maps = LabelMaps(of="a", classes=5, **settings.pop("maps", {}))
    return Pairs(source=source, a=Domain(files="*_labelIds.png"), maps=maps, **settings)


def test_a_map_and_its_picture_are_jittered_and_mirrored_alike(tmp_path):
    images = pairs(label_maps(tmp_path), **JITTER).open()
    assert images.domains["labels"]._asdict() | {"classes": 5, "channels": 5} == images.domains["labels"]._asdict()
    batch = images.domain_batches(list(range(30)), 0)
    maps, photos = batch["labels"].images, batch["photos"].images
    assert maps.shape == (30, 1, 16, 16) and maps.max() == 4
    assert torch.equal(maps * 40, photos[:, :1]) and len(maps.flatten(1).unique(dim=0)) > 20


def test_the_edges_of_instances_are_a_further_channel(tmp_path):
    source = label_maps(tmp_path)
    settings = pairs(source, maps={"instances": Domain(files="*_instanceIds.png")}, **JITTER)
    images = settings.open()
    assert (images.domains["labels"].channels, images.domains["labels"].classes) == (6, 5)
    found = images.domain_batches(list(range(12)), 0)["labels"].images
    inner = instance_edges(found[0, 0].numpy())[1:-1, 1:-1]  # at the border a neighbour is cut away
    assert found.shape == (12, 2, 16, 16) and set(found[:, 1].flatten().tolist()) <= {0, 1}
    assert (found[0, 1, 1:-1, 1:-1].numpy() == inner).all()
    seen = network_input(found, 5)
    drawn = picture(seen, 5)
    assert drawn.shape == (12, 3, 16, 16) and torch.equal(drawn.sum(1) == 0, found[:, 1] == 1)
    assert seen.shape == (12, 6, 16, 16) and (seen[:, :5].sum(1) == 1).all()
    assert torch.equal(seen[:, :5].argmax(1), found[:, 0]) and torch.equal(seen[:, 5], found[:, 1].float())


def test_edges_are_where_a_neighbour_is_of_another_instance():
    ids = np.array([[7, 7, 7, 7], [7, 7, 9, 9], [7, 7, 9, 9]])
    assert instance_edges(ids).tolist() == [[0, 0, 1, 1], [0, 1, 1, 1], [0, 1, 1, 0]]


@pytest.mark.parametrize("value", [255, 7])
def test_ignored_values_become_255(tmp_path, value):
    values = np.array([[0, 1], [value, 2]], np.uint8)
    assert one(tmp_path, values, classes=3, ignore=(255, 7)).tolist() == [[0, 1], [255, 2]]


@pytest.mark.parametrize(
    ("mapping", "expected"),
    [
        ("shift", [[255, 0], [6, 7]]),
        ("cityscapes", [[255, 255], [0, 1]]),
        ("8:0,1:2", [[255, 2], [255, 0]]),
        ("FILE", [[255, 3], [255, 255]]),
    ],
)
def test_values_are_mapped_to_classes(tmp_path, mapping, expected):
    (tmp_path / "classes.csv").write_text("value,class\n1,3\n")
    text = str(tmp_path / "classes.csv") if mapping == "FILE" else mapping
    values = np.array([[0, 1], [7, 8]], np.uint8)
    assert one(tmp_path / "set", values, classes=19, mapping=text).tolist() == expected


def test_the_mapping_of_cityscapes_is_that_of_its_19_classes():
    mapping = read_mapping("cityscapes", 19)
    assert (mapping[7], mapping[26], mapping[33], len(mapping)) == (0, 13, 18, 19)  # road, car, bicycle
    assert {0, 1, 9, 10, 14, 29, 30, -1}.isdisjoint(mapping)


def test_a_palette_is_read_by_its_places_and_sixteen_bits_as_they_are(tmp_path):
    image = Image.fromarray(np.array([[3, 1], [0, 2]], np.uint8), "P")
    image.putpalette([9, 9, 9, 200, 0, 0, 0, 200, 0, 0, 0, 200])
    file = io.BytesIO()
    image.save(file, "PNG")
    assert decode_numbers(file.getvalue()).tolist() == [[3, 1], [0, 2]]
    assert decode_numbers(png(np.array([[26001, 7]], np.uint16))).tolist() == [[26001, 7]]
    assert decode_numbers(png(np.full((2, 2, 3), 6, np.uint8))).tolist() == [[6, 6], [6, 6]]


@pytest.mark.parametrize("crop", ["centre", "none", "pad"])
def test_no_value_is_made_that_is_not_there(crop):
    values = numbers(0, 5, 30, 41) * 50
    found = fit_nearest(values, Frame(16, 16, 1, crop), 255)
    assert found.shape == (16, 16) and set(found.ravel().tolist()) <= {0, 50, 100, 150, 200, 255}
    assert (255 in found) == (crop == "pad")


def test_nearest_takes_the_middle_of_what_a_pixel_covers():
    values = np.arange(36).reshape(6, 6)
    assert fit_nearest(values, Frame(2, 2, 1), 255).tolist() == [[7, 10], [25, 28]]
    assert fit_nearest(values, Frame(6, 6, 1), 255).tolist() == values.tolist()


def test_classes_are_looked_up_however_far_values_lie_apart():
    values = np.array([[-1, 70000], [2, 255]])
    assert Classes(3, mapping={70000: 1, 2: 2})(values, "x").tolist() == [[255, 1], [2, 255]]


@pytest.mark.parametrize(
    ("values", "settings", "message"),
    [
        (np.full((4, 4), 5), {"classes": 5}, "label map '1.png' holds the value 5, beyond the classes 0 .. 4; raise"),
        (
            np.full((4, 4), 9),
            {"classes": 5, "mapping": "9:5"},
            "label map '1.png' holds the value 9, beyond the classes",
        ),
        (
            np.arange(48).reshape(4, 4, 3),
            {"classes": 5},
            "label map '1.png': it is in colours, and label maps hold one",
        ),
        (np.zeros((4, 4)), {"classes": 0}, "maps.classes 0: label maps have 1 to 255 classes; say how many"),
        (
            np.zeros((4, 4)),
            {"classes": 3, "mapping": "a:b"},
            "maps.mapping 'a:b' is no mapping .*; give cityscapes, shift",
        ),
        (
            np.zeros((4, 4)),
            {"classes": 3, "mapping": "no.csv"},
            "maps.mapping 'no.csv' is no mapping .*; give cityscapes",
        ),
    ],
)
def test_what_is_no_label_map_is_refused_before_a_run_begins(tmp_path, values, settings, message):
    with pytest.raises(UserError, match=message):
        one(tmp_path, values.astype(np.uint8), **settings)


def test_a_value_beyond_the_classes_ends_a_run_and_no_other_pair_stands_in(tmp_path):
    source = label_maps(tmp_path)
    images = pairs(source).open()
    Path(source, "labels/train/2_labelIds.png").write_bytes(png(numbers(2) + 1))
    with pytest.raises(UserError, match="label map '2_labelIds.png' holds the value 5, beyond the classes 0 .. 4"):
        images.domain_batches(list(range(4)), 0)


def test_a_map_of_another_size_is_refused(tmp_path):
    source = label_maps(tmp_path)
    Path(source, "labels/train/2_labelIds.png").write_bytes(png(numbers(2, height=40, width=40)))
    message = "it is 20x20, and not 40x40 as its partner '2_labelIds.png'; a label map has the size of its picture."
    with pytest.raises(UserError, match=message):
        pairs(source, size=16).open()


@pytest.mark.parametrize(
    ("maps", "message"),
    [
        (LabelMaps(classes=3), "maps.of does not say which of the domains holds label maps; type maps.of a."),
        (LabelMaps(of="a", classes=3), "label maps do not lie side by side with their pictures; give two folders"),
    ],
)
def test_settings_of_maps_that_mean_nothing_are_refused(tmp_path, maps, message):
    source = folder(tmp_path, {"1.png": png(numbers(1, width=40))})
    with pytest.raises(UserError, match=message):
        Pairs(source=source, maps=maps).open()
