"""`ggdr evaluate` of what lies on a Hub, on loopback: our own models and pipelines of diffusers."""

from __future__ import annotations

import json

import pytest
from hub_server import client, serving

PUSH = """
import tiny, torch
from huggingface_hub import HfApi
from ggdr.saving.model import save_model
from ggdr.networks.base import ImageSpec
from ddpm import pipeline
torch.manual_seed(0)
save_model(tiny.STYLEGAN2.build(ImageSpec(16, 16, 1)), home / "gan" / "generator")
pipeline(home / "ddpm")
api = HfApi()
for name in ("gan", "ddpm"):
    api.create_repo(f"tester/{name}")
    api.upload_folder(repo_id=f"tester/{name}", folder_path=home / name)
"""

READ = """
import json, os
from pathlib import Path
from ggdr.verbs.evaluate import main
os.chdir(home)
flags = "--data digits --data.size 16 --metrics swd --images 10 --repeats 2".split()
found = {}
for name, more in {"gan": [], "ddpm": ["--steps", "3"], "absent": []}.items():
    try:
        main([f"tester/{name}", *flags, *more])
        (record,) = (Path("metrics") / f"tester--{name}").glob("*.json")
        found[name] = json.loads(record.read_text())
    except ValueError as error:
        found[name] = str(error)
print("found", json.dumps(found))
"""


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict:
    """The records, or what was said instead."""
    with serving() as url:
        client(PUSH, url, tmp_path_factory.mktemp("pusher"))
        printed = client(READ, url, tmp_path_factory.mktemp("reader"))
    return json.loads(next(line for line in printed.splitlines() if line.startswith("found "))[6:])


@pytest.mark.parametrize(("name", "kind"), [("gan", "generator"), ("ddpm", "pipeline")])
def test_a_repository_is_measured_and_its_record_lies_here(found, name, kind):
    source, values = found[name]["source"], found[name]["metrics"]["swd"]["values"]["mean"]
    assert (source["name"], source["kind"], source["shape"]) == (f"tester/{name}", kind, [1, 16, 16])
    assert len(values["repeats"]) == 2 and values["std"] > 0 and len(source["weights"]) == 16


def test_a_repository_that_is_not_there_is_refused_in_one_sentence(found):
    assert found["absent"].startswith("there is no folder 'tester/absent' here, and ") and "\n" not in found["absent"]
