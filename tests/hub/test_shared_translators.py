"""Translators on the Hub, against a Hub on loopback: pushed, described by their card, read again, and translating."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hub_server import environment, serving
from markdown_it import MarkdownIt
from places import ROOT, SUPPORT
from translator_runs import photo, trained

from ggdr.hub.card import card_of

GAMES = ("unpaired", "paired", "shared_encoder", "one_way")
ONE_WAY = ("paired", "one_way")
"""games that translate to the second domain alone"""
PRELUDE = """
import hashlib, json, sys
from pathlib import Path
import several, ggdr
def digest(pipe):
    made = pipe("picture.png", output_type="pt").images
    return hashlib.sha256(made.numpy().tobytes()).hexdigest()
def cached(name):
    snapshots = (Path("hub") / f"models--tester--{name}").glob("snapshots/*")
    return sorted({str(file.relative_to(top)) for top in snapshots for file in top.rglob("*") if not file.is_dir()})
"""
PUSH = """
from huggingface_hub import HfApi
from ggdr.verbs.push import main
api, found = HfApi(), {}
for name, folder in json.loads(sys.argv[1]).items():
    main([folder, f"tester/{name}"])
    pipe = ggdr.from_pretrained(folder)
    pipe.push_to_hub(f"tester/{name}-again")
    found[name] = {"digest": digest(pipe), "files": sorted(api.list_repo_files(f"tester/{name}"))}
    found[name]["again"] = sorted(api.list_repo_files(f"tester/{name}-again"))
"""
READ = """
from ggdr.verbs.generate import main as generate
from ggdr.verbs.translate import main as translate
found = {}
for name in json.loads(sys.argv[1]):
    pipe = ggdr.from_pretrained(f"tester/{name}")
    found[name] = {"digest": digest(pipe), "cached": cached(name), "views": list(pipe.views)}
    found[name]["again"] = digest(ggdr.from_pretrained(f"tester/{name}-again"))
    found[name]["offline"] = digest(ggdr.from_pretrained(f"tester/{name}", local_files_only=True))
    translate([f"tester/{name}", "picture.png", "--out", f"made-{name}"])
    found[name]["made"] = [file.name for file in Path(f"made-{name}").glob("*.png")]
    try:
        generate([f"tester/{name}"])
    except ValueError as error:
        found[name]["refused"] = str(error)
"""


def client(code: str, url: str, home: Path, runs: dict[str, str]) -> dict:
    """What the code leaves in `found`, run where the Hub is `url`."""
    photo(20, 12).save(home / "picture.png")
    around = os.environ | environment(url, str(home)) | {"PYTHONPATH": os.pathsep.join([str(SUPPORT), str(ROOT)])}
    code = f"{PRELUDE}{code}\nprint('found', json.dumps(found))"
    command = [sys.executable, "-c", code, json.dumps(runs)]
    done = subprocess.run(command, env=around, capture_output=True, text=True, cwd=home)
    assert done.returncode == 0, done.stderr
    return json.loads(next(line for line in done.stdout.splitlines() if line.startswith("found "))[6:])


@pytest.fixture(scope="module")
def runs(tmp_path_factory) -> dict[str, Path]:
    return {name: trained(name, tmp_path_factory.mktemp("runs") / name) for name in GAMES}


@pytest.fixture(scope="module")
def hub(runs, tmp_path_factory) -> tuple[dict, dict]:
    """What one who pushed saw, and one who read with nothing but the Hub."""
    folders = {name: str(run) for name, run in runs.items()}
    with serving() as url:
        pushed = client(PUSH, url, tmp_path_factory.mktemp("pusher"), folders)
        return pushed, client(READ, url, tmp_path_factory.mktemp("reader"), folders)


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_what_is_pushed_translates_as_in_its_folder(hub, name):
    pushed, read = hub[0][name], hub[1][name]
    assert read["digest"] == read["again"] == read["offline"] == pushed["digest"]
    assert read["views"] == ["gray_to_colour", "colour_to_gray"][: 1 if name in ONE_WAY else 2]
    assert read["made"] == ["picture.png"]
    assert f"type `ggdr translate tester/{name} IMAGES --out FOLDER`" in read["refused"]


@pytest.mark.slow
@pytest.mark.parametrize("name", GAMES)
def test_all_networks_are_shared_and_only_those_that_translate_are_downloaded(hub, name):
    pushed, read = hub[0][name], hub[1][name]
    weights = [file for file in pushed["files"] if file.endswith(".safetensors")]
    if name in ONE_WAY:
        assert weights == ["discriminator/model.safetensors", "generator/model.safetensors"]
        needed = weights[1:]
    else:
        roles = ("discriminator_a", "discriminator_b", "generator_ab", "generator_ba")
        assert weights == [f"{role}/model.safetensors" for role in roles]
        needed = weights if name == "shared_encoder" else weights[2:]
    assert [file for file in read["cached"] if file.endswith(".safetensors")] == needed
    assert [file for file in pushed["again"] if file.endswith(".safetensors")] == needed
    assert {"README.md", "model_index.json", "recipe.json"} <= set(pushed["files"])
    assert "pipeline.py" not in pushed["files"]


@pytest.mark.parametrize("name", GAMES)
def test_the_card_says_what_goes_in_and_what_comes_out_and_shows_each_way(runs, name):
    card = card_of(runs[name], f"tester/{name}")
    assert "pipeline_tag: image-to-image" in card and "DiffusionPipeline" not in card
    opening = card.split("## Use")[0]
    back = "" if name in ONE_WAY else ", and back"
    given = "RGB" if name == "one_way" else "gray"
    assert f" of {given} images, 16 x 16 px, to RGB images, 16 x 16 px{back}, trained with ggdr" in opening
    grids = re.findall(r"\]\(samples/(\w+)-000000.016kimg.png\)", opening)
    assert sorted(grids) == sorted(["gray_to_colour", "colour_to_gray"][: 1 if name in ONE_WAY else 2])
    assert f"| `gray_to_colour` | {given} images, 16 x 16 px | RGB images, 16 x 16 px |" in card
    assert f"ggdr translate tester/{name} picture.png --out translated" in card


@pytest.mark.parametrize("name", GAMES)
def test_the_cards_snippet_runs(runs, name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    photo(20, 12).save("picture.png")
    card = card_of(runs[name], f"tester/{name}")
    code = next(block.content for block in MarkdownIt().parse(card) if block.info == "python")
    exec(code.replace(f"tester/{name}", str(runs[name])))
    assert Path("translated.png").is_file()
