"""`ggdr generate`: what it writes, what it leaves alone, and what it refuses in one sentence."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved

from ggdr.flags.ranges import parse_ranges
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.sampling import SamplingOptions, draw
from ggdr.sampling.grid import make_grid, to_uint8
from ggdr.sampling.labels import label_rows
from ggdr.saving.model import save_model
from ggdr.verbs.generate import main

MODELS = {
    "style": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16)),
    "labels": (StyleGAN2GeneratorConfig.tiny(), ImageSpec(16, 16, 3, 4)),
    "gray": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 32, 1)),
    "deep": (DCGANGeneratorConfig.tiny(), ImageSpec(16, 16, 5)),
}


@pytest.fixture(scope="module")
def generators(tmp_path_factory) -> dict[str, tuple[Path, torch.nn.Module]]:
    """Saved generators, with weights away from their start."""
    made = {}
    for name, (config, spec) in MODELS.items():
        network = moved(config.build(spec)).eval()
        save_model(network, folder := tmp_path_factory.mktemp("models") / name)
        made[name] = folder, network
    return made


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(generators, name: str, *flags: str) -> int:
    return main([str(generators[name][0]), *flags])


def expected(generators, name: str, seeds: list[int], labels: list[int] | None = None, **view) -> torch.Tensor:
    network = generators[name][1]
    rows = label_rows(network.spec, labels, len(seeds))
    return to_uint8(torch.cat(list(draw(network, seeds, rows, SamplingOptions(**view)))))


def pixels(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file)).astype(int)


def close(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether they are the same up to rounding, which batches of other sizes do differently."""
    return one.shape == other.shape and np.abs(one - other).max() <= 1


@pytest.mark.parametrize(
    ("text", "found"), [("0-3,100", [0, 1, 2, 3, 100]), ("7", [7]), ("5-5, 2", [5, 2]), ("1,1", [1, 1])]
)
def test_seeds_are_numbers_and_ranges(text, found):
    assert parse_ranges("seeds", text) == found


def test_a_grid_is_the_default(generators, here, capsys):
    assert run(generators, "style") == 0
    assert close(pixels(here / "samples.png"), make_grid(expected(generators, "style", list(range(16)))).numpy())
    assert [file.name for file in here.iterdir()] == ["samples.png"]
    assert capsys.readouterr().out == f"samples.png: 16 images by {generators['style'][0]}\n"


def test_a_folder_has_a_file_for_each_seed(generators, here):
    run(generators, "gray", "--seeds", "2-3,12345", "--out", "a/b", "--batch-size", "2")
    assert sorted(file.name for file in (here / "a" / "b").glob("*.png")) == [
        "seed0002.png",
        "seed0003.png",
        "seed12345.png",
    ]
    for seed in (2, 3, 12345):
        assert close(pixels(here / f"a/b/seed{seed:04}.png"), expected(generators, "gray", [seed])[0, 0].numpy())


def test_every_class_is_a_row_of_the_grid_with_a_column_for_each_seed(generators, here):
    run(generators, "labels", "--labels", "3,0-1", "--seeds", "5-6", "--out", "grid.png")
    images = expected(generators, "labels", [5, 6] * 3, [3, 3, 0, 0, 1, 1])
    assert close(pixels(here / "grid.png"), make_grid(images, columns=2).numpy())


def test_all_classes_have_a_file_for_each_seed(generators, here):
    run(generators, "labels", "--labels", "all", "--seeds", "5", "--out", "each")
    assert sorted(file.name for file in (here / "each").glob("*.png")) == [f"seed0005-label{k}.png" for k in range(4)]
    shown = np.asarray(expected(generators, "labels", [5], [2])[0].permute(1, 2, 0))
    assert close(pixels(here / "each" / "seed0005-label2.png"), shown)


@pytest.mark.parametrize(
    ("flags", "view"),
    [
        ("--truncation-psi 0.4", {"truncation_psi": 0.4}),
        ("--truncation-psi 0.4 --truncation-cutoff 2", {"truncation_psi": 0.4, "truncation_cutoff": 2}),
        ("--noise none", {"noise": "none"}),
        ("--noise random", {"noise": "random"}),
    ],
)
def test_flags_reach_the_generator(generators, here, flags, view):
    run(generators, "style", "--seeds", "0-1", "--out", "x.png", *flags.split())
    made = pixels(here / "x.png")
    assert close(made, make_grid(expected(generators, "style", [0, 1], **view)).numpy())
    assert not close(made, make_grid(expected(generators, "style", [0, 1])).numpy())


def test_what_is_there_is_kept_unless_it_may_be_replaced(generators, here):
    (here / "samples.png").write_text("mine")
    (here / "each").mkdir()
    (here / "each" / "seed0001.png").write_text("mine")
    for out in ("samples.png", "each"):
        with pytest.raises(ValueError, match="is there already; give another --out, or add --overwrite"):
            run(generators, "gray", "--seeds", "0-1", "--out", out)
    assert (here / "samples.png").read_text() == (here / "each" / "seed0001.png").read_text() == "mine"
    assert not (here / "each" / "seed0000.png").exists()
    run(generators, "gray", "--seeds", "2", "--out", "each")
    run(generators, "gray", "--overwrite")
    run(generators, "gray", "--overwrite", "--seeds", "1", "--out", "each")
    assert Image.open(here / "samples.png").size > (32, 16)
    assert Image.open(here / "each" / "seed0001.png").size == (32, 16)


def test_channels_that_no_picture_has_are_shown_in_a_grid_and_refused_in_a_folder(generators, here):
    run(generators, "deep", "--seeds", "0", "--out", "grid.png")
    assert Image.open(here / "grid.png").mode == "RGB"
    with pytest.raises(ValueError, match="images of 5 channels are no pictures.* or as a grid"):
        run(generators, "deep", "--seeds", "0", "--out", "each")


@pytest.mark.parametrize(
    ("model", "flags", "hint"),
    [
        ("style", "--seeds 1,x", "--seeds 1,x holds 'x'; give numbers and ranges such as 0-15,100"),
        ("style", "--seeds 1,,2", "holds ''; give numbers"),
        ("style", "--seeds 5-1", "holds '5-1'; a range goes up"),
        ("style", "--seeds 0-99999999999999999999999", "has at most 1,000,000 numbers"),
        ("style", f"--seeds {2**64}", "18446744073709551616 is none; give whole numbers from 0"),
        ("style", "--labels 1", "trained without labels; leave --labels 1 out"),
        ("style", "--labels all", "trained without labels; leave --labels all out"),
        ("labels", "", "trained with labels; add --labels all, or some of 0-3"),
        ("labels", "--labels 1,4", "--labels 1,4 holds 4; give all, or some of 0-3"),
        ("labels", "--labels cat", "--labels cat holds 'cat'; give all, or some of 0-3"),
        ("gray", "--truncation-psi 0.7", "generator 'dcgan' has no truncation; leave truncation_psi"),
        ("gray", "--noise random", "generator 'dcgan' has no noise"),
        ("style", "--truncation-cutoff 2", "give truncation_psi too"),
        ("style", "--batch-size 0", "a pass of 0 images makes none"),
        (
            "style",
            "--out x.jpg",
            "--out x.jpg ends in .jpg, as no folder does; give NAME.png for a grid, or the name of a folder",
        ),
        ("style", "--device nowhere", "--device nowhere is not possible here.*--device cpu always is"),
        ("style", "--device meta", "--device meta is not possible here"),
        ("style", "--revision main", "has no revision 'main'"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(generators, here, model, flags, hint):
    with pytest.raises(ValueError, match=hint) as refused:
        run(generators, model, *flags.split())
    assert "\n" not in str(refused.value) and not list(here.iterdir())


def test_a_model_that_is_not_there_is_refused_in_one_line(here):
    ggdr = [sys.executable, "-m", "ggdr", "generate", "nowhere"]
    done = subprocess.run(ggdr, capture_output=True, text=True, cwd=here)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.startswith("ggdr: error: there is no folder 'nowhere' here") and done.stderr.count("\n") == 1


def test_help_has_an_example_and_does_not_wait_for_torch():
    code = (
        "import sys\nfrom ggdr.verbs.generate import main\ntry:\n    main(['--help'])\nexcept SystemExit:\n"
        "    print('heavy:', [name for name in ('torch', 'diffusers', 'PIL') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "ggdr generate runs/digits --seeds 0-15,100 --truncation-psi 0.7 --out samples.png" in done.stdout
    assert done.stdout.endswith("heavy: []\n")


def test_a_part_of_ones_own_is_found_by_its_file(here, tmp_path):
    (here / "own_painter.py").write_text(OWN)
    code = (
        "import torch, own_painter\nfrom pathlib import Path\nfrom ggdr.saving.model import save_model\n"
        "from ggdr.networks.base import ImageSpec\n"
        "save_model(own_painter.Painter().build(ImageSpec(8, 8)), Path('saved'))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=here, check=True)
    said = "'painter', which is not part of ggdr but of the file 'own_painter.py'; add --use and the path of that file"
    with pytest.raises(ValueError, match=said):
        main(["saved"])
    assert main(["saved", "--use", "own_painter.py", "--seeds", "0-3"]) == 0
    assert (here / "samples.png").is_file()


def test_a_part_of_a_package_is_told_with_its_package(here):
    (here / "own_painter.py").write_text(OWN)
    info = here / "ggdr_painter-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ggdr-painter\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text("[ggdr]\npainter = own_painter\n")
    code = (
        "import torch, own_painter\nfrom pathlib import Path\nfrom ggdr.saving.model import save_model\n"
        "from ggdr.networks.base import ImageSpec\n"
        "save_model(own_painter.Painter().build(ImageSpec(8, 8)), Path('saved'))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=here, check=True)
    said = "not part of ggdr but of the package 'ggdr-painter'; if you trust it, type: pip install ggdr-painter"
    ggdr = [sys.executable, "-m", "ggdr", "generate", "saved", "--seeds", "0-3"]
    installed = {**os.environ, "PYTHONPATH": os.pathsep.join([str(here), *sys.path])}
    assert subprocess.run(ggdr, cwd=here, env=installed).returncode == 0
    (here / "elsewhere").mkdir()
    shutil.move(here / "saved", here / "elsewhere" / "saved")
    done = subprocess.run(ggdr, capture_output=True, text=True, cwd=here / "elsewhere")
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 2


OWN = '''
"""A generator of one's own: flat colours; it gives neither truncation nor noise."""

from dataclasses import dataclass

from torch import nn

from ggdr.networks.base.module import Generator
from ggdr.networks.base import GeneratorConfig, GeneratorOutput
from ggdr.registry import generators


@generators.register("painter")
@dataclass(frozen=True, kw_only=True)
class Painter(GeneratorConfig):
    """Flat colours."""

    def build(self, spec):
        return Flat(self, spec)


class Flat(Generator):
    z_dim = 3

    def __init__(self, config, spec):
        super().__init__(config, spec)
        self.mix = nn.Linear(3, spec.channels)

    def forward(self, z, labels=None, *, resolutions=()):
        return GeneratorOutput(self.mix(z)[:, :, None, None].expand(-1, -1, self.spec.height, self.spec.width))
'''


def test_a_row_for_each_psi(generators, here):
    run(generators, "style", "--seeds", "1-3", "--truncation-psi", "0", "0.5", "--out", "sweep.png")
    rows = [expected(generators, "style", [1, 2, 3], truncation_psi=psi) for psi in (0.0, 0.5)]
    assert np.abs(pixels(here / "sweep.png") - make_grid(torch.cat(rows), 3).numpy()).max() <= 1
    run(generators, "style", "--seeds", "1", "--truncation-psi", "0", "0.5", "--out", "each")
    assert sorted(path.name for path in (here / "each").glob("*.png")) == ["seed0001-psi0.0.png", "seed0001-psi0.5.png"]


def test_polarity_takes_a_tenth_of_the_seeds_or_as_many_as_are_asked_for(generators, here):
    run(generators, "style", "--seeds", "0-29", "--polarity", "-1", "--out", "few")
    run(
        generators, "labels", "--seeds", "0-9", "--polarity", "1", "--count", "2", "--labels", "0,3", "--out", "classes"
    )
    assert [len(list((here / name).glob("*.png"))) for name in ("few", "classes")] == [3, 4]
    with pytest.raises(ValueError, match="--count 3 says how many images polarity chooses; add --polarity"):
        run(generators, "style", "--count", "3")


def test_modes_pull_towards_several_centres(generators, here):
    run(generators, "style", "--seeds", "0-29", "--truncation-psi", "0", "--modes", "3", "--out", "modes")
    assert 2 <= len({file.read_bytes() for file in (here / "modes").glob("*.png")}) <= 3
