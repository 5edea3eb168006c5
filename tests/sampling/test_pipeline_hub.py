"""Pipelines of a Hub, against a Hub on loopback: pushed, loaded, kept, and refused; clients have their own process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import environment, serving
from places import ROOT, SUPPORT

pytestmark = pytest.mark.slow

PUSH = """
import pickle
import torch
from huggingface_hub import HfApi
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.pipeline import Pipeline

spec = ImageSpec(16, 16)
pipe = Pipeline(StyleGAN2GeneratorConfig.tiny().build(spec), StyleGAN2DiscriminatorConfig.tiny().build(spec))
said = pipe.push_to_hub("tester/pair", commit_message="step 100")
api = HfApi()
api.create_repo("tester/files")
folder = home / "files"
pipe.save_pretrained(folder)
class Evil:
    def __reduce__(self):
        return exec, ("import pathlib; pathlib.Path('ran').write_text('')",)
for name in ("network.pkl", "generator/model.bin", "pipeline.py", "big.safetensors"):
    (folder / name).write_bytes(pickle.dumps(Evil()))
api.upload_folder(repo_id="tester/files", folder_path=folder)
api.create_branch("tester/files", branch="other")
Pipeline(StyleGAN2GeneratorConfig.tiny().build(spec)).push_to_hub("tester/alone")
api.create_repo("tester/texts")
api.upload_file(repo_id="tester/texts", path_in_repo="big.safetensors", path_or_fileobj=b"x" * 1000)
from ggdr.verbs.generate import main
main(["tester/pair", "--seeds", "0-3", "--out", str(home / "grid.png")])
found = {"grid": (home / "grid.png").stat().st_size, "cached": cached("tester/pair")}
found |= {"digest": digest(pipe.generator), "address": str(said), "pushed": api.list_repo_files("tester/pair")}
"""

PRELUDE = """
import hashlib, json
from pathlib import Path
import ggdr
from ggdr.saving.pretrained import load_generator

def digest(generator):
    # of its weights
    return hashlib.sha256(b"".join(w.numpy().tobytes() for w in generator.state_dict().values())).hexdigest()

def cached(name):
    # the files of a repository that were downloaded
    snapshots = (home / "hub" / f"models--{name.replace('/', '--')}").glob("snapshots/*")
    return sorted(str(file.relative_to(top)) for top in snapshots for file in top.rglob("*") if not file.is_dir())

def said(load, *given, **how):
    # what became of loading
    try:
        loaded = load(*given, **how)
    except ValueError as error:
        return str(error)
    return digest(loaded if load is load_generator else loaded.generator)
"""

READ = """
pair = ggdr.from_pretrained("tester/pair")
found = {
    "pair": digest(pair.generator), "judged": pair.discriminator is not None,
    "pair files": cached("tester/pair"),
    "files": said(ggdr.from_pretrained, "tester/files", revision="other"), "files files": cached("tester/files"),
    "alone": ggdr.from_pretrained("tester/alone").discriminator is None,
    "again, offline": said(ggdr.from_pretrained, "tester/pair", local_files_only=True),
    "never, offline": said(ggdr.from_pretrained, "tester/more", local_files_only=True),
    "absent": said(ggdr.from_pretrained, "tester/absent"),
    "revision": said(ggdr.from_pretrained, "tester/pair", revision="step-7"),
    "texts": said(ggdr.from_pretrained, "tester/texts"), "texts files": cached("tester/texts"),
}
"""

DIFFUSERS = """
from diffusers import DiffusionPipeline
pipe = DiffusionPipeline.from_pretrained("tester/pair", trust_remote_code=True, use_safetensors=True)
found = {
    "class": type(pipe).__name__, "digest": digest(pipe.generator), "judged": pipe.discriminator is not None,
    "alone": DiffusionPipeline.from_pretrained("tester/alone", trust_remote_code=True).discriminator is None,
    "untrusted": said(DiffusionPipeline.from_pretrained, "tester/pair", force_download=True),
    "files": cached("tester/pair"),
}
"""

OFFLINE = """
found = {"pair": said(load_generator, "tester/pair"), "never": said(load_generator, "tester/more")}
"""

DOWN = """
found = {"pair": said(load_generator, "tester/pair")}
"""


def client(code: str, url: str, home: Path, **settings: str) -> dict:
    """What the code leaves in `found`, run where the Hub is `url`."""
    paths = os.pathsep.join([str(SUPPORT), str(ROOT)])
    around = os.environ | environment(url, str(home)) | {"PYTHONPATH": paths} | settings
    code = f"from pathlib import Path\nhome = Path({str(home)!r})\n{PRELUDE}{code}\nprint('found', json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", code], env=around, capture_output=True, text=True, cwd=home)
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("found "))[6:])


@pytest.fixture(scope="module")
def homes(tmp_path_factory) -> dict[str, Path]:
    return {name: tmp_path_factory.mktemp(name) for name in ("pusher", "reader", "diffusers")}


@pytest.fixture(scope="module")
def found(homes) -> dict[str, dict]:
    """What clients saw: one that pushed, one that read, the same offline and without a Hub."""
    with serving() as url:
        seen = {"push": client(PUSH, url, homes["pusher"]), "read": client(READ, url, homes["reader"])}
        seen["diffusers"] = client(DIFFUSERS, url, homes["diffusers"])
        seen["offline"] = client(OFFLINE, url, homes["reader"], HF_HUB_OFFLINE="1")
    return seen | {"down": client(DOWN, "http://127.0.0.1:9", homes["reader"])}


def test_what_is_pushed_is_loaded(found):
    assert found["read"]["pair"] == found["push"]["digest"] and found["read"]["judged"]
    assert "tester/pair" in found["push"]["address"] and found["read"]["alone"]


def test_diffusers_loads_what_is_pushed_if_it_may_run_the_lines_that_import_ggdr(found):
    seen = found["diffusers"]
    assert seen["class"] == "GANPipeline" and seen["digest"] == found["push"]["digest"]
    assert seen["judged"] and seen["alone"]
    assert "custom code" in seen["untrusted"] and "trust_remote_code=True" in seen["untrusted"]


def test_a_push_is_the_networks_and_no_card_of_another_library(found):
    names = ("config.json", "model.py", "model.safetensors")
    files = [f"{part}/{file}" for part in ("discriminator", "generator") for file in names]
    assert sorted(set(found["push"]["pushed"]) - {".gitattributes"}) == [*files, "model_index.json", "pipeline.py"]


def test_nothing_but_descriptions_and_weights_of_the_networks_is_downloaded(found, homes):
    files = [
        f"{part}/{file}" for part in ("discriminator", "generator") for file in ("config.json", "model.safetensors")
    ]
    assert found["read"]["pair files"] == found["read"]["files files"] == [*files, "model_index.json"]
    assert found["read"]["files"] == found["push"]["digest"]
    assert not (homes["reader"] / "ran").exists()


def test_generating_downloads_no_discriminator(found):
    assert found["push"]["grid"] > 100
    weights = [file for file in found["push"]["cached"] if file.endswith("safetensors")]
    assert weights == ["generator/model.safetensors"]


@pytest.mark.parametrize("how", ["offline", "down"])
def test_what_was_downloaded_is_there_without_a_network(found, how):
    assert found["read"]["again, offline"] == found[how]["pair"] == found["push"]["digest"]


def test_what_was_not_is_refused(found):
    said = (
        "there is no folder 'tester/more' here, and the Hub cannot be reached and 'tester/more' was not downloaded"
        " before; go online, or give a folder."
    )
    assert found["offline"]["never"] == found["read"]["never, offline"] == said


@pytest.mark.parametrize(
    ("what", "hint"),
    [
        (
            "absent",
            "no folder 'tester/absent' here, and no Hub repository 'tester/absent' for this account; fix the name",
        ),
        ("revision", "the Hub repository 'tester/pair' has no revision 'step-7'; name a branch, a tag or a commit"),
        ("texts", "the Hub repository 'tester/texts' holds no model of ggdr: it has no generator/config.json"),
    ],
)
def test_what_the_hub_lacks_is_said_in_one_sentence(found, what, hint):
    assert hint in found["read"][what] and "\n" not in found["read"][what]


def test_a_repository_of_something_else_is_not_downloaded(found):
    assert found["read"]["texts files"] == []
