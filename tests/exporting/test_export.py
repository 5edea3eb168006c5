"""Exported files: they compute what the network does, without the package, and none that differs is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from hub_server import environment, serving
from places import ROOT
from tiny import moved

from ggdr.exporting.files import FORMATS, TOLERANCE, export, measure_agreement
from ggdr.exporting.graphs import DiscriminatorGraph, GeneratorGraph, trace
from ggdr.networks.base import GeneratorOutput, ImageSpec
from ggdr.networks.base.module import Generator
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.ops import fir
from ggdr.saving.model import build, describe, save_model
from ggdr.verbs.export import SUFFIXES, main

STYLE, JUDGE = StyleGAN2GeneratorConfig.tiny(), StyleGAN2DiscriminatorConfig.tiny()
close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-5)


def read(file):
    """What a user would call: inputs by name to an output, by the framework's own loader."""
    if file.suffix == ".pt2":
        module = torch.export.load(file).module()

        def run(inputs):
            if "psi" in inputs:
                module.psi.copy_(inputs["psi"])
            return module(*(value for name, value in inputs.items() if name != "psi"))

        return run
    import onnxruntime

    session = onnxruntime.InferenceSession(file)
    return lambda inputs: torch.from_numpy(session.run(None, {k: v.numpy() for k, v in inputs.items()})[0])


def latents(network, samples):
    """Inputs; the first code is of zeros, which only the constant in its norm keeps from dividing by zero."""
    spec = network.spec
    z = torch.cat([torch.zeros(1, network.z_dim), torch.randn(samples - 1, network.z_dim)])
    labels = {"labels": torch.eye(spec.labels)[torch.arange(samples) % spec.labels]} if spec.labels else {}
    return {"z": z, **labels}


GENERATORS = {
    "gray, wide": (STYLE, ImageSpec(8, 16, 1), "const", ".pt2"),
    "labels, RGBA": (STYLE, ImageSpec(8, 8, 4, 3), "none", ".pt2"),
    "labels, ONNX": pytest.param(STYLE, ImageSpec(8, 16, 3, 2), "const", ".onnx", marks=pytest.mark.slow),
}


@pytest.mark.parametrize(("config", "spec", "noise", "suffix"), GENERATORS.values(), ids=GENERATORS)
@torch.no_grad()
def test_a_style_based_generator_makes_its_images_for_any_batch_and_truncation(tmp_path, config, spec, noise, suffix):
    network = moved(config.build(spec)).eval()
    found = export(GeneratorGraph(network, noise), tmp_path / f"generator{suffix}")
    assert found.holds and found.difference <= TOLERANCE * found.largest
    run = read(tmp_path / f"generator{suffix}")
    for samples, psi in ((1, 1.0), (3, 0.5), (5, 0.0)):
        inputs = latents(network, samples)
        wanted = network(**inputs, psi=psi, noise=noise).image
        close(run({**inputs, "psi": torch.tensor(psi)}), wanted)
    assert not torch.allclose(network(**inputs, psi=1.0, noise=noise).image, wanted, atol=1e-2)


@pytest.mark.parametrize("suffix", FORMATS)
@torch.no_grad()
def test_dcgan_takes_no_truncation_and_gives_bytes_if_asked(tmp_path, suffix):
    network = moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 32, 3, 2)))
    export(GeneratorGraph(network, uint8=True), tmp_path / f"dcgan{suffix}")
    run = read(tmp_path / f"dcgan{suffix}")
    for samples in (1, 5):
        inputs = latents(network, samples)
        image = run(inputs)
        assert image.shape == (samples, 16, 32, 3) and image.dtype == torch.uint8
        wanted = (network(**inputs).image.permute(0, 2, 3, 1) + 1) * 127.5
        assert (image - wanted).abs().max() <= 0.501 and image.float().std() > 1


DISCRIMINATORS = {
    "unet": (UNetDiscriminatorConfig.tiny(), ImageSpec(16, 32, 3, 2, {8: 8}), 4, ".pt2"),
    "unet, ONNX": (UNetDiscriminatorConfig.tiny(), ImageSpec(16, 32, 1, 0, {8: 8}), 6, ".onnx"),
    "the whole batch": (replace(JUDGE, mbstd_group=None), ImageSpec(16, 16), None, ".pt2"),
    "each by itself": (replace(JUDGE, mbstd_channels=0), ImageSpec(16, 16, 3, 2), None, ".pt2"),
    "the whole batch, ONNX": (replace(JUDGE, mbstd_group=None, architecture="skip"), ImageSpec(8, 8), None, ".onnx"),
    "dcgan": (DCGANDiscriminatorConfig.tiny(), ImageSpec(16, 32, 1, 2), None, ".pt2"),
    "spectral, ONNX": (
        replace(DCGANDiscriminatorConfig.tiny(), norm="spectral"),
        ImageSpec(16, 16, 3, 2),
        None,
        ".onnx",
    ),
}


@pytest.mark.parametrize(("config", "spec", "batch", "suffix"), DISCRIMINATORS.values(), ids=DISCRIMINATORS)
@torch.no_grad()
def test_a_discriminator_judges_the_same_in_the_batches_it_takes(tmp_path, config, spec, batch, suffix):
    network = moved(config.build(spec)).eval()
    export(DiscriminatorGraph(network), tmp_path / f"judge{suffix}", batch)
    run = read(tmp_path / f"judge{suffix}")
    for samples in [batch] if batch else (1, 3, 5):
        image = torch.randn(samples, spec.channels, spec.height, spec.width)
        labels = torch.rand(samples, spec.labels) if spec.labels else None
        logits = run({"image": image} if labels is None else {"image": image, "labels": labels})
        assert logits.shape == (samples,)
        close(logits, network(image, labels).logits)


@pytest.mark.parametrize("config", [JUDGE, UNetDiscriminatorConfig.tiny()], ids=lambda config: config.name)
def test_a_discriminator_that_compares_within_the_batch_asks_for_its_size(tmp_path, config):
    with pytest.raises(ValueError, match=f"'{config.name}' depends on the number of samples.*--batch-size 4"):
        export(DiscriminatorGraph(config.build(ImageSpec(16, 16))), tmp_path / "judge.pt2")
    assert not list(tmp_path.iterdir())


@torch.no_grad()
def test_files_say_what_they_are_and_not_where_they_were_made(tmp_path):
    import onnx

    network = moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 2)))
    for suffix in FORMATS:
        export(GeneratorGraph(network), tmp_path / f"generator{suffix}")
        written = (tmp_path / f"generator{suffix}").read_bytes()
        assert not [path for path in (ROOT, tmp_path, sys.prefix) if str(path).encode() in written]
    extra = {"ggdr.json": ""}
    torch.export.load(tmp_path / "generator.pt2", extra_files=extra)
    model = onnx.load(tmp_path / "generator.onnx", load_external_data=False)
    onnx.checker.check_model(model, full_check=True)
    shapes = {v.name: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim] for v in model.graph.input}
    assert shapes == {"z": ["batch", 8], "labels": ["batch", 2]}
    assert [value.name for value in model.graph.output] == ["image"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["generator.onnx", "generator.pt2"]
    for text in (extra["ggdr.json"], {item.key: item.value for item in model.metadata_props}["ggdr"]):
        description = json.loads(text)
        expected = {"inputs": ["z", "labels"], "output": "image", "noise": "const", "uint8": False}
        assert description["graph"] == expected
        assert describe(build(description, tmp_path)) == describe(network)


LONE = """
import sys
sys.modules["ggdr"] = None  # whoever imports it from here on fails
import numpy, torch
z = torch.from_numpy(numpy.load("z.npy"))
model = torch.export.load("generator.pt2").module()
model.psi.fill_(0.7)
image = model(z)
numpy.save("image.npy", image.detach().numpy())
"""


@torch.no_grad()
def test_a_pt2_file_makes_the_same_images_in_a_process_without_the_package(tmp_path):
    network = moved(STYLE.build(ImageSpec(8, 8)))
    export(GeneratorGraph(network), tmp_path / "generator.pt2")
    z = torch.randn(4, network.z_dim)
    np.save(tmp_path / "z.npy", z.numpy())
    done = subprocess.run([sys.executable, "-c", LONE], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    close(torch.from_numpy(np.load(tmp_path / "image.npy")), network(z, psi=0.7, noise="const").image)


def test_a_file_that_computes_something_else_is_not_left_behind(tmp_path):
    file = tmp_path / "generator.pt2"
    file.write_text("an older one")
    network = moved(STYLE.build(ImageSpec(8, 8)))
    with pytest.raises(ValueError, match="generator.pt2 would differ from the network by"):
        export(GeneratorGraph(network, noise="random"), file)  # fresh noise at each call: no two images are the same
    assert [path.name for path in tmp_path.iterdir()] == ["generator.pt2"] and file.read_text() == "an older one"


@pytest.mark.parametrize("uint8", [False, True])
@torch.no_grad()
def test_the_comparison_tells_other_weights_shapes_and_nan_apart(uint8):
    graph = GeneratorGraph(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16))), uint8=uint8)
    other = deepcopy(graph)
    assert measure_agreement(lambda inputs: other(**inputs), graph, (1, 3)).holds
    assert not measure_agreement(lambda inputs: other(**inputs)[:1], graph, (1, 3)).holds
    assert not measure_agreement(lambda inputs: other(**inputs).double(), graph, (2,)).holds
    other.network.toimage.bias.add_(0.02)
    assert not measure_agreement(lambda inputs: other(**inputs), graph, (1, 3)).holds
    if not uint8:
        assert not measure_agreement(lambda inputs: graph(**inputs) * float("nan"), graph, (1, 3)).holds
        assert not measure_agreement(lambda inputs: graph(**inputs) * (1 + 2 * TOLERANCE), graph, (2,)).holds
        assert measure_agreement(lambda inputs: graph(**inputs) * (1 + TOLERANCE / 2), graph, (2,)).holds


@torch.no_grad()
def test_a_trace_leaves_nothing_without_values_in_the_caches():
    network = moved(STYLE.build(ImageSpec(16, 16))).eval()
    z = torch.randn(2, network.z_dim)
    before = network(z, noise="const").image
    fir._kernel.cache_clear()
    trace(GeneratorGraph(network))
    assert torch.equal(network(z, noise="const").image, before)


class Fickle(Generator):
    """A generator whose way depends on values, which no graph can hold."""

    z_dim = 8

    def forward(self, z, labels=None, *, resolutions=()):
        image = z.sum() * torch.ones(len(z), 3, 16, 16)
        return GeneratorOutput(image if z[0, 0] > 0 else -image)


def test_a_network_without_a_graph_is_refused_in_one_sentence(tmp_path):
    network = Fickle(DCGANGeneratorConfig.tiny(), ImageSpec(16, 16))
    with pytest.raises(ValueError, match="'dcgan' cannot be traced: ") as refused:
        export(GeneratorGraph(network), tmp_path / "generator.pt2", batch_size=2)
    assert "\n" not in str(refused.value) and not list(tmp_path.iterdir())


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A saved model of both networks."""
    folder = tmp_path_factory.mktemp("model")
    save_model(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16))), folder / "generator")
    save_model(moved(JUDGE.build(ImageSpec(16, 16))), folder / "discriminator")
    return folder


def typed(*argv, cwd=ROOT, before="pass"):
    """The command in a process of its own."""
    program = f"import sys; {before}; sys.argv[1:] = {list(map(str, argv))}; from ggdr.cli import main; main()"
    return subprocess.run([sys.executable, "-c", program], cwd=cwd, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_command_says_what_it_wrote_and_nothing_else(model, tmp_path, suffix):
    done = typed("export", model, f"made/out{suffix}", cwd=tmp_path)
    first, second, space, *lines = done.stdout.splitlines()
    assert first == f"wrote made/out{suffix}: z [N, 8] float32 -> image [N, 3, 16, 16] float32"
    assert second.startswith("largest difference ") and " of values up to 0." in second
    assert second.endswith("; three lines run it:") and not space and len(lines) == 3
    assert (done.returncode, done.stderr) == (0, f"ggdr: loading {model} ...\n") and (
        tmp_path / "made" / f"out{suffix}"
    ).is_file()


def test_the_command_exports_a_discriminator_of_a_fixed_batch(model, tmp_path, capsys):
    assert main([str(model), str(tmp_path / "d.pt2"), "--network", "discriminator", "--batch-size", "4"]) == 0
    assert "image [4, 3, 16, 16] float32 -> logits [4] float32\n" in capsys.readouterr().out


REFUSED = {
    "generator.pth": "ends in neither of .pt2, .onnx; give NAME.pt2 or NAME.onnx",
    "generator": "ends in neither of",
    "folder.pt2": "is a folder; give the name of a file by OUT",
    "there.onnx": "is there already; give another OUT, or add --overwrite",
    "g.pt2 --batch-size 0": "a batch of 0 samples is none; give --batch-size 1 or more",
    "g.pt2 --network critic": "has no network 'critic'; it has discriminator, generator",
    "g.pt2 --network discriminator --uint8": "makes no images; leave --uint8 out",
}


@pytest.mark.parametrize(("typing", "answer"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_is_refused_before_anything_is_written(model, tmp_path, typing, answer):
    (tmp_path / "folder.pt2").mkdir()
    (tmp_path / "there.onnx").touch()
    name, *flags = typing.split()
    with pytest.raises(ValueError, match=answer):
        main([str(model), str(tmp_path / name), *flags])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder.pt2", "there.onnx"]


def test_every_suffix_that_is_taken_has_a_format():
    assert set(SUFFIXES) == set(FORMATS)


def test_an_older_file_is_replaced_if_asked(model, tmp_path):
    (tmp_path / "g.pt2").touch()
    assert main([str(model), str(tmp_path / "g.pt2"), "--overwrite"]) == 0
    assert (tmp_path / "g.pt2").stat().st_size


def test_missing_models_and_packages_are_one_line_and_exit_status_2(model, tmp_path):
    gone = typed("export", "nowhere", "g.pt2", cwd=tmp_path)
    bare = typed("export", model, "g.onnx", cwd=tmp_path, before="sys.modules['onnxscript'] = None")
    assert (gone.returncode, bare.returncode) == (2, 2) and not list(tmp_path.iterdir())
    assert gone.stderr.startswith("ggdr: error: there is no folder 'nowhere'") and gone.stderr.count("\n") == 1
    assert bare.stderr == "ggdr: error: .onnx files need onnxscript; type: pip install 'ggdr[onnx]'.\n"


PUSHED = """
import sys
from huggingface_hub import HfApi
from ggdr.verbs.export import main
folder, out = sys.argv[1:]
HfApi().create_repo("tester/pair")
HfApi().upload_folder(repo_id="tester/pair", folder_path=folder)
sys.exit(main(["tester/pair", out, "--network", "discriminator", "--batch-size", "2"]))
"""


@pytest.mark.slow
def test_a_network_of_a_hub_is_exported_by_the_name_of_its_repository(model, tmp_path):
    with serving() as url:
        known = {**os.environ, **environment(url, str(tmp_path / "home"))}
        typing = [sys.executable, "-c", PUSHED, str(model), "judge.pt2"]
        done = subprocess.run(typing, cwd=tmp_path, env=known, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "image [2, 3, 16, 16] float32 -> logits [2] float32" in done.stdout, done.stderr
    assert (tmp_path / "judge.pt2").is_file()


def test_help_has_examples_and_does_not_wait_for_torch():
    done = typed("export", "--help", before="import atexit; atexit.register(lambda: print('torch' in sys.modules))")
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "False"
    assert "ggdr export runs/digits generator.pt2" in done.stdout and "--uint8" in done.stdout
