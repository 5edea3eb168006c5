"""Published snapshots become networks of ours that give the same outputs, or are refused by name."""

from __future__ import annotations

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from complaints import ended
from foreign_files import (
    RESNET,
    TINY,
    Layer,
    built,
    pictures,
    published_discriminator,
    published_generator,
    said,
    verdict,
    write,
)
from places import GOLDEN, OWN_GOLDEN, ROOT
from safetensors.torch import load_file

from ggdr.foreign.reading import read
from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.saving.model import find_saved
from ggdr.verbs.convert import main


@torch.no_grad()
def test_official_snapshot_parity():
    found = read(GOLDEN / "official_ggdr_snapshot.pkl")
    given = load_file(GOLDEN / "official_ggdr_snapshot_expected.safetensors")
    generator = found.networks["generator"].network
    image = generator(given["z"], psi=0.7, noise="const").image
    wanted = given["image_psi0_7_noise_const"]
    assert (image - wanted).abs().max() <= 1e-4 * wanted.abs().max()
    weights = {f"G_ema/{name}": tensor for name, tensor in generator.state_dict().items()}
    assert weights.keys() == {name for name in given if name.startswith("G_ema/") and "filter" not in name}
    assert all(torch.equal(tensor, given[name]) for name, tensor in weights.items())


def test_official_snapshot_is_described():
    found = read(OWN_GOLDEN / "official_ggdr_snapshot.pkl")
    discriminator = found.networks["discriminator"].network
    assert discriminator.config.encoder.mbstd_group == 4 and discriminator.extra.target_channels == {8: 16}
    assert found.facts["augment_pipe"]["p"] == 0.25 and found.facts["augment_pipe"]["arguments"]["xflip"] == 1
    assert found.facts["training_set_kwargs"]["path"] == "x.zip"


GENERATORS = {
    "plain": (TINY, ImageSpec(16, 16), {}),
    "gray with labels": (TINY, ImageSpec(16, 16, 1, 3), {}),
    "clamped": (StyleGAN2GeneratorConfig(**{**vars(TINY), "clamp": 256.0}), ImageSpec(16, 16), {}),
    "clamped where it bites": (StyleGAN2GeneratorConfig(**{**vars(TINY), "clamp": 0.25}), ImageSpec(16, 16), {}),
    "the later code's arguments": (TINY, ImageSpec(32, 32), {"flat": True}),
    "half as wide": (StyleGAN2GeneratorConfig(**{**vars(TINY), "smallest": 2}), ImageSpec(16, 8), {"flat": True}),
    "half as wide, with labels": (
        StyleGAN2GeneratorConfig(**{**vars(TINY), "smallest": 2}),
        ImageSpec(32, 16, 3, 3),
        {},
    ),
    "another mean style": (
        StyleGAN2GeneratorConfig(**{**vars(TINY), "w_avg_beta": 0.998}),
        ImageSpec(8, 8),
        {"flat": True},
    ),
}


@pytest.mark.parametrize("case", GENERATORS)
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_generators_give_the_same_images(tmp_path, case, protocol):
    config, spec, how = GENERATORS[case]
    ours = built(config, spec)
    content = {"G_ema": published_generator(ours, **how), "G": None, "D": None, "augment_pipe": None}
    found = read(write(tmp_path / "g.pkl", content, protocol)).networks
    assert [*found] == ["generator"] and found["generator"].network.config == config
    assert found["generator"].network.spec == spec
    assert torch.equal(pictures(found["generator"].network), pictures(ours))


DISCRIMINATORS = {
    "resnet": (RESNET, ImageSpec(16, 16)),
    "orig": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "architecture": "orig"}), ImageSpec(16, 16)),
    "skip": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "architecture": "skip"}), ImageSpec(16, 16, 1)),
    "labels": (RESNET, ImageSpec(32, 32, 1, 3)),
    "clamped": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "clamp": 256.0}), ImageSpec(16, 16)),
    "clamped where it bites": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "clamp": 0.25}), ImageSpec(16, 16)),
    "skip, clamped": (
        StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "architecture": "skip", "clamp": 0.25}),
        ImageSpec(16, 16, 1),
    ),
    "whole batch": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "mbstd_group": None}), ImageSpec(16, 16)),
    "half as wide": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "smallest": 2}), ImageSpec(32, 16)),
    "two planes": (
        StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "mbstd_group": 2, "mbstd_channels": 2}),
        ImageSpec(8, 8),
    ),
    "no planes": (StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "mbstd_channels": 0}), ImageSpec(16, 16)),
    "decoder": (UNetDiscriminatorConfig(encoder=RESNET), ImageSpec(32, 32), ExtraOutputs({16: 4})),
    "decoder of labels": (UNetDiscriminatorConfig(encoder=RESNET), ImageSpec(32, 32, 3, 2), ExtraOutputs({8: 8})),
    "decoder to the image": (UNetDiscriminatorConfig(encoder=RESNET), ImageSpec(16, 16), ExtraOutputs({16: 4})),
    "wide decoder": (
        UNetDiscriminatorConfig(encoder=RESNET, kernel=3, activation="lrelu"),
        ImageSpec(32, 32),
        ExtraOutputs({16: 4}),
    ),
}


@pytest.mark.parametrize("case", DISCRIMINATORS)
def test_discriminators_give_the_same_logits(tmp_path, case):
    config, spec, *extra = DISCRIMINATORS[case]
    ours = built(config, spec, *extra)
    found = read(write(tmp_path / "d.pkl", {"D": published_discriminator(ours)})).networks
    network = found["discriminator"].network
    assert [*found] == ["discriminator"] and network.config == config and network.spec == spec
    assert torch.equal(verdict(network), verdict(ours))


def test_weights_may_be_halves_in_another_layout(tmp_path):
    ours = built(TINY)
    tree = published_generator(ours)
    weights = tree.at("synthesis.b8.conv1").state["_parameters"]
    weights["weight"] = weights["weight"].data.half().to(memory_format=torch.channels_last)
    network = read(write(tmp_path / "g.pkl", {"G_ema": tree})).networks["generator"].network
    read_back = network.state_dict()["synthesis.b8.conv1.weight"]
    assert read_back.dtype == torch.float32 and read_back.is_contiguous()
    assert torch.equal(read_back, weights["weight"].float())


def test_frozen_layers_are_weights_all_the_same(tmp_path):
    ours = built(RESNET)
    tree = published_discriminator(ours)
    state = tree.at("b16.fromrgb").state
    state["_buffers"] |= {name: state["_parameters"].pop(name).data for name in ("weight", "bias")}
    assert torch.equal(
        verdict(read(write(tmp_path / "d.pkl", {"D": tree})).networks["discriminator"].network), verdict(ours)
    )


def test_what_the_code_that_converts_from_tensorflow_passes_is_known(tmp_path):
    ours, judge = built(TINY), built(RESNET)
    generator, discriminator = published_generator(ours), published_discriminator(judge)
    mapping = {"num_layers": 2, "embed_features": None, "layer_features": 8, "activation": "lrelu"}
    synthesis = {"channel_base": 64, "channel_max": 8, "num_fp16_res": 0, "conv_clamp": None, "architecture": "skip"}
    synthesis |= {"resample_filter": [1, 3, 3, 1], "use_noise": True, "activation": "lrelu"}
    ask(generator, mapping_kwargs={**mapping, "lr_multiplier": 0.01, "w_avg_beta": 0.995}, synthesis_kwargs=synthesis)
    unread = {"num_layers": 0, "embed_features": None, "layer_features": None, "lr_multiplier": 0.1}
    ask(discriminator, cmap_dim=None, mapping_kwargs=unread)  # unconditional: there is no mapping
    found = read(write(tmp_path / "x.pkl", {"G_ema": generator, "D": discriminator})).networks
    assert torch.equal(pictures(found["generator"].network), pictures(ours))
    assert torch.equal(verdict(found["discriminator"].network), verdict(judge))


def test_without_a_mean_the_live_generator_is_taken_and_that_is_said(tmp_path):
    ours = built(TINY)
    found = read(write(tmp_path / "g.pkl", {"G": published_generator(ours), "G_ema": None}))
    assert [*found.networks] == ["generator"] and found.networks["generator"].origin == "G"
    assert "no G_ema" in found.notes[0]


def leave(tree, path, name, kind="_parameters"):
    del (tree.at(path) if path else tree).state[kind][name]


def put(tree, path, **state):
    (tree.at(path) if path else tree).state.update(state)


def ask(tree, **arguments):
    tree.state["_init_kwargs"] = {**tree.state["_init_kwargs"], **arguments}


STRANGE_GENERATORS = {
    "architecture='resnet'": lambda g: put(g, "synthesis.b8", architecture="resnet"),
    "conv0 has use_noise=False": lambda g: put(g, "synthesis.b8.conv0", use_noise=False),
    "activation='relu'": lambda g: put(g, "synthesis.b8.conv0", activation="relu"),
    "bias_gain=0.1": lambda g: put(g, "mapping.fc0", bias_gain=0.1),
    "disagree about conv_clamp": lambda g: put(g, "synthesis.b8.conv0", conv_clamp=256),
    "resample_filter": lambda g: put(g, "synthesis.b8", _buffers={"resample_filter": torch.ones(4, 4) / 16}),
    "[1, 3, 3, 1]": lambda g: put(g, "synthesis.b8", _buffers={"resample_filter": torch.ones(12) / 12}),
    "resample_filter=[1, 2, 1]": lambda g: ask(g, synthesis_kwargs={"resample_filter": [1, 2, 1]}),
    "use_noise=False": lambda g: ask(g, synthesis_kwargs={"use_noise": False}),
    "magnitude_ema_beta=0.9": lambda g: ask(g, magnitude_ema_beta=0.9),
    "depth=3": lambda g: ask(g, mapping_kwargs={"depth": 3}),
    "lr_multiplier=0.1": lambda g: ask(g, mapping_kwargs={"num_layers": 2, "lr_multiplier": 0.1}),
    "layer_features=4": lambda g: ask(g, mapping_kwargs={"num_layers": 2, "layer_features": 4}),
    "num_layers=1000000": lambda g: ask(g, mapping_kwargs={"num_layers": 1_000_000}),
    "channel_max is 1000000000000": lambda g: ask(g, synthesis_kwargs={"channel_max": 10**12}),
    "its synthesis.b4.const is [8, 4, 4]": lambda g: ask(g, synthesis_kwargs={"channel_max": 9, "channel_base": 64}),
    "img_resolution is 4096": lambda g: put(g, "", _init_args=(8, 0, 8, 4096, 3)),
    "img_resolution is 24": lambda g: put(g, "", _init_args=(8, 0, 8, 24, 3)),
    "z_dim is '8'": lambda g: put(g, "", _init_args=("8", 0, 8, 16, 3)),
    "w_dim is None": lambda g: put(g, "", _init_args=(8, 0)),
    "unknown arguments": lambda g: put(g, "", _init_args=tuple(range(9))),
    "lacks synthesis.b8.conv1.bias": lambda g: leave(g, "synthesis.b8.conv1", "bias"),
    "square=False; here it can only be True": lambda g: ask(g, square=False),
    "lacks mapping.w_avg": lambda g: leave(g, "mapping", "w_avg", "_buffers"),
    "has 'synthesis.extra'": lambda g: put(g, "synthesis", _parameters={"extra": torch.ones(1)}),
    "it has 0 layers where its settings ask for 14": lambda g: (
        g.at("synthesis").state["_modules"].update(input=Layer("SynthesisInput"))
    ),
    "class 'Attention': only StyleGAN2": lambda g: g.state["_modules"].update(extra=Layer("Attention")),
    "class='MappingNetwork'": lambda g: setattr(g, "class_name", "MappingNetwork"),
    "a tensor [] of torch.int64": lambda g: put(
        g, "synthesis.b8.conv1", _buffers={"noise_const": torch.ones(8, 8), "noise_strength": torch.tensor(1)}
    ),
}


@pytest.mark.parametrize("words", STRANGE_GENERATORS)
def test_a_generator_that_cannot_be_honoured_is_refused_by_name(tmp_path, words):
    tree = published_generator(built(TINY))
    STRANGE_GENERATORS[words](tree)
    assert words in said(write(tmp_path / "g.pkl", {"G_ema": tree}))


STRANGE_DISCRIMINATORS = {
    "architecture='other'": lambda d: [put(d, resolution, architecture="other") for resolution in ("b16", "b8", "b4")],
    "disagree about architecture": lambda d: put(d, "b8", architecture="orig"),
    "disagree about conv_clamp": lambda d: put(d, "b8.conv0", conv_clamp=256),
    "conv_clamp=-1": lambda d: [put(d, f"b{s}", conv_clamp=-1) for s in ("16.fromrgb", "16.conv0", "16.conv1",
                                                                       "8.conv0", "8.conv1", "4.conv")],
    "decoder has conv_clamp=256": lambda d: put(d, "b8_dec", conv_clamp=256),
    "decoder has activation='tanh'": lambda d: put(d, "b8_dec", activation="tanh"),
    "px wide": lambda d: d.at("b8_dec").state["_parameters"].update(weight=torch.ones(8, 8, 5, 5)),
    "lacks decoder.b8.bias": lambda d: leave(d, "b8_dec", "bias"),
    "lacks encoder.b8.skip.weight": lambda d: leave(d, "b8.skip", "weight"),
    "group_size=0": lambda d: put(d, "b4.mbstd", group_size=0),
    "mbstd_kind=1": lambda d: ask(d, epilogue_kwargs={"mbstd_kind": 1}),
    "norm='batch'": lambda d: ask(d, block_kwargs={"norm": "batch"}),
    "its encoder.b4.out.weight is [8, 8]": lambda d: put(d, "b4.out", _buffers={"weight": torch.ones(8, 8)}),
    "square=False; here it can only be True": lambda d: ask(d, square=False),
    "attention=True": lambda d: ask(d, attention=True),
    "trained here, but not converted": lambda d: d.state["_modules"].update(head=Layer("ProjectedDiscriminator")),
}  # fmt: skip


def test_the_width_of_labels_counts_only_where_there_are_labels(tmp_path):
    for labels in (0, 3):
        tree = published_discriminator(built(RESNET, ImageSpec(16, 16, 3, labels)))
        ask(tree, cmap_dim=3)
        file = write(tmp_path / "d.pkl", {"D": tree})
        if labels:
            assert "cmap_dim=3" in said(file)
        else:
            assert "discriminator" in read(file).networks


def test_a_discriminator_that_cannot_be_honoured_does_not_keep_a_generator_back(tmp_path):
    tree = published_discriminator(built(RESNET, ImageSpec(16, 16, 3, 3)))
    ask(tree, cmap_dim=3)
    content = {"G_ema": published_generator(built(TINY, ImageSpec(16, 16))), "D": tree}
    found = read(write(tmp_path / "both.pkl", content))
    assert [*found.networks] == ["generator"] and "D is left out" in found.notes[0] and "cmap_dim=3" in found.notes[0]


@pytest.mark.parametrize("words", STRANGE_DISCRIMINATORS)
def test_a_discriminator_that_cannot_be_honoured_is_refused_by_name(tmp_path, words):
    tree = published_discriminator(
        built(UNetDiscriminatorConfig(encoder=RESNET), ImageSpec(16, 16), ExtraOutputs({8: 8}))
    )
    STRANGE_DISCRIMINATORS[words](tree)
    assert words in said(write(tmp_path / "d.pkl", {"D": tree}))


def test_a_tree_that_repeats_itself_without_end_is_refused(tmp_path):
    layer = Layer("Generator")
    layer.state["_modules"] = {"again": None}
    for _ in range(40):
        layer = Layer("Generator", _modules={"a": layer, "b": layer})
    assert "more layers than a checkpoint could" in said(write(tmp_path / "g.pkl", {"G_ema": layer}))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"G": None, "G_ema": None}, "all empty"),
        ({"G_ema": 3}, "its G_ema is no network"),
        ({"model": 3}, "it holds 'model' (a number); needed are networks as G, D or G_ema"),
        ([1], "it holds a list of 1 value, and no network"),
    ],
)
def test_other_contents_are_refused(tmp_path, content, words):
    assert words in said(write(tmp_path / "x.pkl", content))


def test_what_is_no_file_is_refused(tmp_path):
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "x.pkl", "is not there")):
        with pytest.raises(ValueError, match=words):
            read(path)


def ggdr(*argv: str | Path, preexec_fn=None) -> subprocess.CompletedProcess:
    command, root = [sys.executable, "-m", "ggdr", "convert", *map(str, argv)], ROOT
    return subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, preexec_fn=preexec_fn)


def test_the_verb_writes_networks_that_load_as_they_were(tmp_path, capsys):
    mean, live, judge = built(TINY), TINY.build(ImageSpec(16, 16)), built(RESNET)
    content = {"G_ema": published_generator(mean), "G": published_generator(live), "D": published_discriminator(judge)}
    out = tmp_path / "models" / "cat"
    assert main([str(write(tmp_path / "cat.pkl", content)), str(out)]) == 0
    loaded = {name: saved.load() for name, saved in find_saved(out).items()}
    assert loaded.keys() == {"generator", "generator_live", "discriminator"}
    assert torch.equal(pictures(loaded["generator"]), pictures(mean))
    assert torch.equal(pictures(loaded["generator_live"]), pictures(live.eval()))
    assert torch.equal(verdict(loaded["discriminator"]), verdict(judge))
    source = json.loads((out / "source.json").read_text())
    assert source["file"] == "cat.pkl" and len(source["sha256"]) == 64
    assert source["networks"]["generator"]["from"] == "G_ema"
    assert source["networks"]["generator"]["arguments"]["synthesis_kwargs"]["channel_base"] == TINY.channel_base
    heads, *rows, last = capsys.readouterr().out.splitlines()
    assert heads.split() == ["network", "size", "px", "channels", "labels", "weights", "from"]
    names = ("generator", "generator_live", "discriminator")
    assert [row.split()[:2] for row in rows] == [[name, "16x16"] for name in names]
    assert last == f"written to {out}"
    assert [path.name for path in out.parent.iterdir()] == ["cat"]


def test_a_folder_that_is_there_is_left_alone(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine.txt").write_text("mine")
    source = write(tmp_path / "g.pkl", {"G_ema": published_generator(built(TINY))})
    with pytest.raises(ValueError, match="is there already; give the name of a new folder"):
        main([str(source), str(tmp_path / "out")])
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]
    (tmp_path / "out" / "mine.txt").unlink()
    assert main([str(source), str(tmp_path / "out")]) == 0


def limited() -> None:
    """No file may be larger than this: writing past it fails as on a full disk, after the generator is written."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))


def test_a_disk_that_is_full_leaves_nothing(tmp_path):
    big = StyleGAN2DiscriminatorConfig(**{**vars(RESNET), "channel_max": 16, "channel_base": 256})
    content = {"G_ema": published_generator(built(TINY)), "D": published_discriminator(built(big))}
    source, out = write(tmp_path / "g.pkl", content), tmp_path / "models" / "out"
    done = ggdr(source, out, preexec_fn=limited)
    assert done.returncode == 2 and "File too large" in done.stderr and done.stderr.count("\n") == 2
    assert not [*out.parent.iterdir()]
    assert main([str(source), str(out)]) == 0


def test_a_damaged_file_ends_in_one_line(tmp_path):
    data = (GOLDEN / "official_ggdr_snapshot.pkl").read_bytes()
    (tmp_path / "half.pkl").write_bytes(data[: len(data) // 2])
    done = ended(main, str(tmp_path / "half.pkl"), str(tmp_path / "out"))
    assert done.returncode == 2 and done.stderr.count("\n") == 2
    assert done.stderr.splitlines()[1].startswith("ggdr: error: cannot convert") and "it is damaged" in done.stderr
    assert not (tmp_path / "out").exists()


def test_help_has_an_example_and_imports_nothing_heavy():
    done = ggdr("--help")
    assert done.returncode == 0 and "ggdr convert lsun-cat.pkl models/lsun-cat" in done.stdout
    program = "import sys, ggdr.verbs.convert; print({'torch', 'numpy', 'safetensors'} & sys.modules.keys())"
    listed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert listed.stdout.strip() == "set()"
