"""Weights of feature networks: where they come from, how safely they are read, what is said where they are missing."""

from __future__ import annotations

import hashlib
import os
import pickle
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from hub_server import environment, serving
from places import ROOT, SUPPORT
from random_weights import CPU, LITTLE
from safetensors.torch import save_file

from ggdr.features import weights
from ggdr.features.dinov2 import DINOv2
from ggdr.features.inception import Inception
from ggdr.features.lpips import channel_weights
from ggdr.features.timm import Timm
from ggdr.features.vgg16 import VGG16


def test_timm_reads_a_file_and_knows_its_models(folder):
    import timm

    torch.manual_seed(1)
    model = timm.create_model(LITTLE, num_classes=0)
    save_file(model.state_dict(), folder / "little.safetensors")
    network = Timm(model=LITTLE, weights=str(folder / "little.safetensors")).load(CPU)
    assert network.weights_hash == weights.fingerprint(model.state_dict())
    assert network.protocol["weights"] == "little.safetensors"
    random = [Timm(model=LITTLE, random=True).load(CPU) for _ in range(2)]
    assert random[0].weights_hash == random[1].weights_hash != network.weights_hash
    assert random[0].protocol["weights"] == "random, seed 0"
    for name, near in (("resnet_50", "resnet"), ("resnet18.nope", "resnet18.")):
        with pytest.raises(ValueError, match=f"timm has no model '{name}'; near it are {near}"):
            Timm(model=name).load(CPU)
    with pytest.raises(ValueError, match="random weights and a file"):
        Timm(random=True, weights="x.pt").load(CPU)


class Trap:
    """Runs when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch trapped",)


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
def test_files_are_read_without_running_what_is_in_them(folder, inception_file, monkeypatch):
    monkeypatch.chdir(folder)
    (folder / "trap.pth").write_bytes(pickle.dumps({"a": Trap()}))
    torch.save({"a": Trap()}, folder / "trap2.pth")
    for file in ("trap.pth", "trap2.pth"):
        for extractor in (Inception(weights=file), DINOv2(weights=file), VGG16(weights=file), Timm(weights=file)):
            with pytest.raises(ValueError, match=f"{file}' holds no weights that can be read safely"):
                extractor.load(CPU)
    assert not (folder / "trapped").exists()


def test_files_that_are_not_there_or_are_anothers_are_named(folder, inception_file, dinov2_file):
    with pytest.raises(ValueError, match="there are no weights at 'nowhere.pt'; give the path"):
        Inception(weights="nowhere.pt").load(CPU)
    with pytest.raises(ValueError, match="holds the weights of another network than timm's vit_small"):
        DINOv2(size="s", weights=str(inception_file)).load(CPU)
    with pytest.raises(ValueError, match="holds the weights of another network than Inception"):
        Inception(weights=str(dinov2_file)).load(CPU)
    with pytest.raises(ValueError, match="holds no lin0.model.1.weight"):
        channel_weights(str(dinov2_file))
    torch.save({"epoch": 3}, folder / "more.pt")
    with pytest.raises(ValueError, match="more than named tensors; save its state dict alone"):
        weights.read_weights(folder / "more.pt")


def test_fingerprints_are_of_names_shapes_and_values():
    a = {"x": torch.arange(6.0), "y": torch.ones(2)}
    assert weights.fingerprint(a) == weights.fingerprint(dict(reversed(a.items())))
    others = [{"x": a["x"].view(2, 3), "y": a["y"]}, {"x": a["x"] + 1e-6, "y": a["y"]}, {"z": a["x"], "y": a["y"]}]
    others.append({"x": a["x"].double(), "y": a["y"]})
    assert len({weights.fingerprint(each) for each in (a, *others)}) == 5


@contextmanager
def served(folder):
    """A folder at an address of this machine."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_files_of_torch_hub_are_fetched_once_and_held_against_their_names(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "home"))
    cache = tmp_path / "home" / "hub" / "checkpoints"
    data = os.urandom(100_000)
    good, bad = f"net-{hashlib.sha256(data).hexdigest()[:8]}.pth", "net-00c0ffee.pth"
    for name in (good, bad):
        (tmp_path / name).write_bytes(data)
    with served(tmp_path) as url:
        assert weights.hub_file(f"{url}/{good}", "a net").read_bytes() == data
        with pytest.raises(ValueError, match="is damaged .its sha256 does not begin with 00c0ffee.; delete it"):
            weights.hub_file(f"{url}/{bad}", "a net")
        with pytest.raises(ValueError, match="cannot be fetched"):
            weights.hub_file(f"{url}/not-there.pth", "a net")
    assert weights.hub_file(f"{url}/{good}", "a net") == cache / good
    assert {path.name for path in cache.iterdir() if path.suffix == ".pth"} == {good, bad}


def test_inception_is_found_in_torch_hubs_cache_only_if_it_is_the_published_file(tmp_path, monkeypatch, inception_file):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    file = tmp_path / "hub" / "checkpoints" / "weights-inception-2015-12-05-6726825d.pth"
    file.parent.mkdir(parents=True)
    file.write_bytes(inception_file.read_bytes())
    with pytest.raises(ValueError, match="does not begin with 6726825d"):
        Inception().load(CPU)


OFFLINE = """
import time
from ggdr.errors import UserError, at
from ggdr.features.cache import FeatureCache
from ggdr.metrics.base import embedder_of
from ggdr.registry import discover, extractors
discover()
for name in ("inception", "dinov2", "vgg16", "vgg19", "lpips", "timm"):
    start = time.perf_counter()
    try:
        with at("metrics.fid"):
            embedder_of(extractors[name](), FeatureCache(range, None))
    except UserError as error:
        print(name, round(time.perf_counter() - start), error.in_flags())
"""


def run(program, tmp_path, **changes):
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{SUPPORT}", "TORCH_HOME": str(tmp_path), "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program], env=env | changes, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()


def test_without_a_network_one_sentence_says_soon_which_file_is_missing_and_what_works(tmp_path):
    offline = {"HF_HUB_OFFLINE": "1", "https_proxy": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    lines = run(OFFLINE, tmp_path, **offline)
    assert [line.split()[0] for line in lines] == ["inception", "dinov2", "vgg16", "vgg19", "lpips", "timm"]
    for line in lines:
        assert int(line.split()[1]) < 20, line
        assert "are not on this machine and cannot be fetched: get https://" in line
        assert "give its path by --metrics.fid.extractor.weights FILE; meanwhile swd and ms_ssim need no" in line
        assert line.endswith(": --metrics.fid.extractor digits.")
    assert f"put it at {tmp_path}/hub/checkpoints/weights-inception-2015-12-05-6726825d.pth" in lines[0]
    assert "timm/vit_large_patch14_dinov2.lvd142m/resolve/main/model.safetensors" in lines[1]


def test_a_hub_that_does_not_answer_is_not_waited_for(tmp_path):
    lines = run(
        OFFLINE.replace('("inception", "dinov2", "vgg16", "vgg19", "lpips", "timm")', '("timm",)'),
        tmp_path,
        **environment("http://127.0.0.1:9", str(tmp_path)),
    )
    assert lines and int(lines[0].split()[1]) < 20
    assert "get http://127.0.0.1:9/timm/resnet50.a1_in1k/resolve/main/model.safetensors" in lines[0]


FROM_HUB = f"""
import torch
from huggingface_hub import HfApi
from safetensors.torch import save
import timm
from ggdr.features.timm import Timm
state = timm.create_model({LITTLE!r}).state_dict()
api = HfApi()
api.create_repo("timm/{LITTLE}", exist_ok=True)
api.upload_file(path_or_fileobj=save(state), path_in_repo="model.safetensors", repo_id="timm/{LITTLE}")
found = Timm(model={LITTLE!r}).load(torch.device("cpu"))
print(torch.equal(found.network.state_dict()["reg_token"], state["reg_token"]), found.protocol["weights"])
"""
AGAIN = f"""
import torch
from ggdr.features.timm import Timm
print(Timm(model={LITTLE!r}).load(torch.device("cpu")).protocol["weights"])
"""


def test_weights_come_from_the_hub_once_and_then_from_its_cache(tmp_path):
    with serving() as url:
        hub = environment(url, str(tmp_path))
        assert run(FROM_HUB, tmp_path, **hub)[-1] == f"True timm/{LITTLE}"
    start = time.monotonic()
    assert run(AGAIN, tmp_path, **hub | {"HF_HUB_OFFLINE": "1"})[-1] == f"timm/{LITTLE}"
    assert time.monotonic() - start < 100
