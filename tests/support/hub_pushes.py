"""What tests/hub/test_push.py runs in a process of its own, since a Hub's clients read their environment at import.

python tests/support/hub_pushes.py SCENARIO HOME: prints what came of it as JSON
"""

from __future__ import annotations

import json
import os
import sys
import urllib.request
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path

import tiny
from huggingface_hub import HfApi, ModelCard, hf_hub_download

import ggdr
from ggdr.saving.model import save_model
from ggdr.train import train_loop
from ggdr.training import pusher
from ggdr.training.trainer import Trainer
from ggdr.verbs.push import main as push


def trouble(what: str, at: str, times: int) -> None:
    data = json.dumps({"what": what, "at": at, "times": times}).encode()
    urllib.request.urlopen(urllib.request.Request(f"{os.environ['HF_ENDPOINT']}/__trouble__", data)).read()


def said(*argv: str, token: str = "hf_test") -> str:
    """What `ggdr push` says."""
    os.environ["HF_TOKEN"] = token
    try:
        with redirect_stdout(out := StringIO()):
            push(list(argv))
        return out.getvalue().strip()
    except ValueError as error:
        return f"{type(error).__name__}: {error}"
    finally:
        os.environ["HF_TOKEN"] = "hf_test"


def trained(out: Path, **changes) -> str:
    """Train the tiny recipe into a folder; all that it says."""
    with redirect_stdout(text := StringIO()):
        run = tiny.tiny_run(replace(tiny.recipe, sample_kimg=0.032, **changes), out)
        with Trainer(run) as trainer:
            train_loop(trainer)
    return text.getvalue()


def by_hand(home: Path) -> dict:
    """Pushes of a finished run, and all that may stand in their way."""
    run, api = home / "run", HfApi()
    trained(run)
    found = {"first": said(str(run), "tester/run", "--private"), "files": sorted(api.list_repo_files("tester/run"))}
    found["private"] = api.model_info("tester/run").private
    found["title"] = api.list_repo_commits("tester/run")[0].title
    found["again"], found["commits"] = said(str(run), "tester/run"), len(api.list_repo_commits("tester/run"))
    card = ModelCard.load("tester/run")
    found["library"], found["license"] = card.data.library_name, card.data.license
    own, pulled = ggdr.from_pretrained(run), ggdr.from_pretrained("tester/run")
    found["same"] = all(
        (a == b).all().item()
        for network in ("generator", "discriminator")
        for a, b in zip(*(getattr(pipe, network).state_dict().values() for pipe in (own, pulled)), strict=True)
    )
    card.text += "\nMy own words.\n"
    card.text = card.text.replace("<!-- Written by ggdr", "<!--")
    # not card.push_to_hub: before huggingface_hub 1 that asks the real Hub whether the card is one
    api.upload_file(path_or_fileobj=str(card).encode(), path_in_repo="README.md", repo_id="tester/run")
    (run / "losses.png").write_bytes(b"another plot")
    found["edited"] = said(str(run), "tester/run")
    found["card"] = "My own words." in Path(hf_hub_download("tester/run", "README.md")).read_text()
    alone = {kind: kind.from_pretrained("tester/run") for kind in (ggdr.Generator, ggdr.Discriminator)}
    found["alone"] = [network.config.name for network in alone.values()]
    found["branch"] = said(str(run), "tester/run", "--revision", "trial", "--message", "on trial")
    found["pulled branch"] = ggdr.from_pretrained("tester/run", revision="trial").generator.config.name
    with redirect_stderr(warned := StringIO()):
        words = ["--licence", "mit", "--about.images", "digits that I drew", "--about.licence", "mine"]
        said(str(run), "tester/bare")
        found["warned"], found["told"] = warned.getvalue(), said(str(run), "tester/told", *words)
    found["warned when told"] = warned.getvalue().removeprefix(found["warned"])
    told = ModelCard(Path(hf_hub_download("tester/told", "README.md")).read_text())
    found["told license"], found["told images"] = told.data.license, "digits that I drew" in told.text
    save_model(own.generator, home / "alone")
    found["model"] = said(str(home / "alone"), "tester/alone")
    found["model files"] = api.list_repo_files("tester/alone")
    save_model(own.discriminator, home / "judge")
    found["judge"] = said(str(home / "judge"), "tester/judge")
    found["nothing"], found["name"] = said(str(home / "nowhere"), "a/b"), said(str(run), "not a name")
    found["read only"], found["expired"] = said(str(run), "a/b", token="hf_read"), said(str(run), "a/b", token="hf_old")
    found["stranger"] = said(str(run), "strangers/b")
    trouble("drop", "/commit/", 100)
    found["dying"] = said(str(run), "tester/dying")
    trouble("503", "x", 0)
    found["after"] = said(str(run), "tester/dying")
    del os.environ["HF_TOKEN"]
    try:
        push([str(run), "tester/run"])
    except ValueError as error:
        found["nobody"] = str(error)
    return found


def in_training(home: Path) -> dict:
    """A run that pushes while it goes on: through troubles, to the end, and not at all."""
    pusher.PAUSES_SEC, api = (0.05,), HfApi()
    found = {"plain": trained(home / "a", hub_id="tester/a", hub_kimg=0.016)}
    found["commits"] = [commit.title for commit in api.list_repo_commits("tester/a")]
    found["left"] = [path.name for path in (home / "a").glob(".pushing*")]
    trouble("drop", "/commit/", 1)
    found["troubled"] = trained(home / "b", hub_id="tester/b", hub_kimg=0.0)
    found["files"] = api.list_repo_files("tester/b")
    trouble("drop", "/commit/", 10**6)
    found["down"] = trained(home / "c", hub_id="tester/c", hub_kimg=0.0)
    trouble("drop", "/whoami|/create|/commit/", 10**6)
    found["unreachable"] = trained(home / "d", hub_id="tester/d")
    found["done"] = [(home / name / "model" / "generator").is_dir() for name in "abcd"]
    trouble("503", "x", 0)
    try:
        found["refused"] = trained(home / "e", hub_id="strangers/e")
    except ValueError as error:
        found["refused"] = str(error)
    found["steps of the refused"] = (home / "e" / "checkpoints").exists()
    return found


if __name__ == "__main__":
    print(json.dumps({"by_hand": by_hand, "in_training": in_training}[sys.argv[1]](Path(sys.argv[2]))))
