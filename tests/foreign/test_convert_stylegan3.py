"""Snapshots of the published StyleGAN3, T and R, give the published images, or are refused by name.

The golden ones hold random weights, built and saved by the published program; their embedded source is emptied.
"""

from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch
from places import OWN_GOLDEN
from safetensors.torch import load_file

from ggdr.foreign import snapshot
from ggdr.foreign.reading import read, unpack
from ggdr.foreign.stand_ins import Array, Module
from ggdr.foreign.torch_files import Storage, Stored
from ggdr.saving.model import find_saved
from ggdr.verbs.convert import main

FORMS = {"t": ("T", 3, (32, 32)), "r": ("R", 0, (32, 32)), "half": ("T", 0, (32, 16))}
"""snapshot -> config, labels, and height and width; StyleGAN-Human's program wrote the last"""


@pytest.fixture(params=FORMS)
def form(request):
    return request.param


def golden(form: str) -> dict[str, torch.Tensor]:
    """What the published program made of these snapshots."""
    given = load_file(OWN_GOLDEN / "stylegan3_expected.safetensors")
    return {name.removeprefix(f"{form}/"): value for name, value in given.items() if name.startswith(f"{form}/")}


@pytest.mark.parametrize("psi", [1.0, 0.7])
@torch.no_grad()
def test_official_stylegan3_parity(form, psi):
    given = golden(form)
    network = read(OWN_GOLDEN / f"stylegan3_{form}.pkl").networks["generator"].network
    image, wanted = network(given["z"], given.get("labels"), psi=psi).image, given[f"image_psi{psi}"]
    assert (image - wanted).abs().max() <= 1e-4 * wanted.abs().max()


@torch.no_grad()
def test_the_verb_writes_a_generator_that_is_loaded_with_the_same_images(tmp_path, form, capsys):
    given = golden(form)
    assert main([str(OWN_GOLDEN / f"stylegan3_{form}.pkl"), str(tmp_path / "out")]) == 0
    network = find_saved(tmp_path / "out")["generator"].load()
    config, labels, size = FORMS[form]
    assert (network.config.name, network.config.config, network.config.w_avg_beta) == ("stylegan3", config, 0.998)
    assert (network.spec.labels, (network.spec.height, network.spec.width)) == (labels, size)
    wanted = given["image_psi1.0"]
    assert (network(given["z"], given.get("labels")).image - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    assert "x".join(map(str, size)) in capsys.readouterr().out
    assert '"format": "StyleGAN3"' in (tmp_path / "out" / "source.json").read_text()


@torch.no_grad()
def test_what_a_layer_knows_of_its_input_is_not_forgotten_when_training_goes_on(form):
    """The running mean squares are those of a whole training; a first batch moves them by its share alone."""
    network, given = read(OWN_GOLDEN / f"stylegan3_{form}.pkl").networks["generator"].network, golden(form)
    before = {name: layer.magnitude.clone() for name, layer in network.synthesis.modulated_layers()}
    still = network(given["z"], given.get("labels")).image
    moving = network.train()(given["z"], given.get("labels")).image
    torch.testing.assert_close(moving, still)
    network.after_step(network.measure() | {"images": torch.tensor(32.0)})
    for name, layer in network.synthesis.modulated_layers():
        now = layer.magnitude
        assert now != before[name] and abs(now / before[name] - 1) < 0.02, name


def changed(form: str, change) -> str:
    """The clause by which a golden snapshot is refused after a change of what it says."""
    data = (OWN_GOLDEN / f"stylegan3_{form}.pkl").read_bytes()
    content = unpack(data)
    change(content["G_ema"])
    with pytest.raises(ValueError) as raised:
        snapshot.read(content, len(data))
    return str(raised.value)


def at(module: Module, path: str) -> Module:
    """A layer within, by the beginnings of its dotted names."""
    for part in path.split("."):
        module = next(inner for name, inner in module.section("_modules").items() if name.startswith(part))
    return module


def ask(module: Module, **arguments) -> None:
    module.state["_init_kwargs"].update(arguments)


def tensor(values: torch.Tensor) -> Stored:
    """A tensor as a file holds it."""
    storage = Storage(torch.float32, values.numel(), lambda: values.contiguous().numpy().tobytes())
    return Stored(storage, 0, tuple(values.shape), values.contiguous().stride())


def put(module: Module, path: str, **state) -> None:
    at(module, path).state.update(state)


def hold(module: Module, path: str, **buffers: torch.Tensor) -> None:
    at(module, path).state["_buffers"].update({name: tensor(value) for name, value in buffers.items()})


CHANGES = {
    "conv_kernel=5 with use_radial_filters=False is neither": lambda g: ask(g, conv_kernel=5, use_radial_filters=False),
    "conv_kernel=[3] with": lambda g: ask(g, conv_kernel=[3]),
    "its num_layers is 'x'": lambda g: ask(g, num_layers="x"),
    "15 layers where its settings ask for 12": lambda g: ask(g, num_layers=12),
    "lrelu_upsampling=4; here it can only be 2": lambda g: ask(g, lrelu_upsampling=4),
    "noise=True, which is unknown here": lambda g: ask(g, noise=True),
    "its filter_size is 1000000": lambda g: ask(g, filter_size=1_000_000),
    "its first_cutoff is 'x'": lambda g: ask(g, first_cutoff="x"),
    "output_scale=0.25; here it can only be 0.5": lambda g: ask(g, output_scale=0.5),
    "up_filter is [12] where its settings ask for [16]": lambda g: ask(g, filter_size=8),
    "bandwidth=2.0; here it can only be 3.0": lambda g: ask(g, first_cutoff=3),
    "size=[36, 36]; here it can only be [32, 32]": lambda g: ask(g, margin_size=8),
    "its img_resolution is 24.0": lambda g: ask(g, img_resolution=24.0),
    "L3_36_8 has down_factor=4": lambda g: put(g, "synthesis.L3_", down_factor=4),
    "L3_36_8 has up_factor=4": lambda g: put(g, "synthesis.L3_", up_factor=4),
    "L13_32_8 has out_size=52": lambda g: put(g, "synthesis.L13_", out_size=52),
    "disagree about conv_clamp": lambda g: put(g, "synthesis.L3_", conv_clamp=1),
    "size=[36, 36]; here it can only be [18, 36]": lambda g: ask(g, square=False),
    "square='yes'": lambda g: ask(g, square="yes"),
    "is_torgb=False": lambda g: put(g, "synthesis.L14_", is_torgb=False),
    "input has sampling_rate=32": lambda g: put(g, "synthesis.input", sampling_rate=32),
    "is no affine transform": lambda g: hold(g, "synthesis.input", transform=torch.ones(3, 3)),
    "its filter synthesis.L2_36_8.up_filter is not the one": lambda g: hold(
        g, "synthesis.L2_", up_filter=torch.ones(12) / 12
    ),
    "its filter synthesis.L12_52_8.down_filter is not": lambda g: hold(
        g, "synthesis.L12_", down_filter=torch.ones(12) / 12
    ),
    "down_filter is [3, 12] where": lambda g: hold(g, "synthesis.L2_", down_filter=torch.ones(3, 12)),
    "it lacks synthesis.L2_36_8.up_filter": lambda g: at(g, "synthesis.L2_").state["_buffers"].pop("up_filter"),
    "lacks synthesis.l4.magnitude": lambda g: at(g, "synthesis.L4_").state["_buffers"].pop("magnitude_ema"),
    "has 'synthesis.l4.extra'": lambda g: hold(g, "synthesis.L4_", extra=torch.ones(1)),
    "only StyleGAN2, StyleGAN3 and R3GAN can be converted": lambda g: (
        at(g, "synthesis").state["_modules"].update(extra=Module("Attention", {}))
    ),
}


@pytest.mark.parametrize("words", CHANGES)
def test_a_generator_that_ours_cannot_be_is_refused_by_name(words):
    assert words in changed("t", CHANGES[words])


def test_filters_of_the_plane_are_checked_as_well():
    words = changed("r", lambda g: hold(g, "synthesis.L2_", down_filter=torch.ones(12, 12) / 144))
    assert "its filter synthesis.L2_36_12.down_filter is not the one" in words


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["f4", "f8", "i4", "i8", ">i4", "?"])
def test_arrays_are_numbers(protocol, kind):
    few, table = np.arange(3).astype(kind), np.ones((2, 3), kind)
    found, plane, again = unpack(pickle.dumps([few, table, few[::-1]], protocol))
    assert isinstance(found, Array) and found.numbers() == few.tolist() and again.numbers() == few[::-1].tolist()
    assert plane.numbers() == repr(plane) and plane.shape == (2, 3) and "an array [2, 3]" in repr(plane)


def test_arrays_of_objects_and_arrays_that_lie_are_refused():
    with pytest.raises(ValueError, match="which is no number; nothing of it was run"):
        unpack(pickle.dumps(np.array([{}, print], dtype=object)))
    data = pickle.dumps(np.arange(3), 4)
    for lie in (data.replace(b"K\x03\x85", b"K\x04\x85"), data.replace(b"K\x03\x85", b"K\x02\x85")):
        assert lie != data
        with pytest.raises(ValueError, match="it is damaged"):
            unpack(lie)
