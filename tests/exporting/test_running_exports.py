"""What is printed beside an exported file runs it, and truncation may be left out."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from tiny import moved

from ggdr.errors import UserError
from ggdr.exporting import files
from ggdr.exporting.examples import call_lines
from ggdr.exporting.files import FORMATS, export, measure_agreement
from ggdr.exporting.graphs import DiscriminatorGraph, GeneratorGraph, TranslatorGraph
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.munit import MUNITTranslatorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving.model import save_model
from ggdr.verbs.export import main

STYLE, SPEC = StyleGAN2GeneratorConfig.tiny(), ImageSpec(8, 8)
RANGES = ImageSpec(16, 16, 3, 2, (), ((0.0, 1.0), (-4.0, 8.0)))
GRAPHS = {
    "styles": (lambda: GeneratorGraph(STYLE.build(SPEC)), None, (1, 3, 8, 8)),
    "styles and classes": (lambda: GeneratorGraph(STYLE.build(ImageSpec(8, 8, 1, 3)), uint8=True), 2, (2, 8, 8, 1)),
    "numbers": (lambda: GeneratorGraph(DCGANGeneratorConfig.tiny().build(RANGES)), None, (1, 3, 16, 16)),
    "a translator": (lambda: TranslatorGraph(MUNITTranslatorConfig.tiny().build(RANGES, ImageSpec(16, 16, 1))), None,
                     (1, 3, 16, 16)),
    "a judge": (lambda: DiscriminatorGraph(DCGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16))), 4, (4,)),
}  # fmt: skip


def run(code, folder):
    """What a process prints that has no ggdr."""
    alone = f"import sys; sys.modules['ggdr'] = None\n{code}"
    done = subprocess.run([sys.executable, "-c", alone], cwd=folder, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module", params=FORMATS)
def printed(request, tmp_path_factory):
    """What becomes of the lines beside each file, and the shape of what they made; one process runs them all."""
    folder, program, lines = tmp_path_factory.mktemp("files"), [], {}
    for number, (name, (build, batch, _)) in enumerate(GRAPHS.items()):
        graph, file = build(), folder / f"{number}{request.param}"
        export(graph, file, batch)
        lines[name] = call_lines(graph, file, batch)
        code = "\n".join([*lines[name], f"print(tuple({graph.output}.shape))"])
        program.append(f"exec({code!r}, {{}})")
    shapes = run("\n".join(program), folder).splitlines()
    return {name: (lines[name], shape) for name, shape in zip(GRAPHS, shapes, strict=True)}


@pytest.mark.parametrize("name", GRAPHS)
def test_three_lines_run_a_file(name, printed):
    lines, shape = printed[name]
    assert len(lines) == 3 and shape == str(GRAPHS[name][2])


@pytest.mark.parametrize("suffix", FORMATS)
def test_the_command_prints_them_with_how_to_truncate(suffix, tmp_path, capsys):
    network = moved(STYLE.build(SPEC)).eval()
    save_model(network, tmp_path / "model")
    file = tmp_path / f"file{suffix}"
    assert main([str(tmp_path / "model"), str(file), "--truncation-psi", "0.5"]) == 0
    first, _, _, *words = capsys.readouterr().out.splitlines()
    assert "psi [] float32 (0.5 if left out) -> image" in first
    set_psi = {".pt2": "model.psi.fill_(0.7)", ".onnx": '"psi": np.array(0.7, "float32")'}[suffix]
    assert set_psi in "\n".join(words)
    z = np.random.default_rng(0).standard_normal((2, network.z_dim)).astype("float32")
    np.save(tmp_path / "z.npy", z)
    calls = {
        ".pt2": f"z = torch.from_numpy(np.load('z.npy'))\na = model(z).detach()\n{set_psi}\nb = model(z).detach()",
        ".onnx": "z = {'z': np.load('z.npy')}\n(a,), (b,) = model.run(None, z), model.run(None, {**z, "
        + set_psi
        + "})",
    }
    code = ["import numpy as np", *words, calls[suffix], "np.savez('made.npz', a=a, b=b)"]
    run("\n".join(code), tmp_path)
    with np.load(tmp_path / "made.npz") as made, torch.no_grad():
        for name, psi in (("a", 0.5), ("b", 0.7)):
            wanted = network(torch.from_numpy(z), psi=psi, noise="const").image
            torch.testing.assert_close(torch.from_numpy(made[name]), wanted, rtol=1e-4, atol=1e-5)


def test_a_file_with_another_default_is_not_left_behind(tmp_path, monkeypatch):
    graph = GeneratorGraph(moved(STYLE.build(SPEC)))
    export(graph, tmp_path / "file.pt2")
    graph.defaults = {"psi": torch.tensor(0.2)}
    assert not measure_agreement(files.read_pt2(tmp_path / "file.pt2"), graph, (1, 3)).holds


def test_what_has_no_truncation_refuses_one(tmp_path):
    save_model(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16)), tmp_path / "model" / "generator")
    save_model(DCGANDiscriminatorConfig.tiny().build(ImageSpec(16, 16)), tmp_path / "model" / "discriminator")
    asked = [str(tmp_path / "model"), str(tmp_path / "file.pt2"), "--truncation-psi", "0.7"]
    with pytest.raises(UserError) as refused:
        main(asked)
    assert refused.value.in_flags() == "generator 'dcgan' has no truncation; leave --truncation-psi out."
    with pytest.raises(UserError, match="'discriminator' has no truncation; leave --truncation-psi out"):
        main([*asked, "--network", "discriminator"])
