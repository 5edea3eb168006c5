"""The service: requests share passes, get the pipeline's own images, and are refused in one sentence."""

from __future__ import annotations

import asyncio
import base64
import io
import os
import re
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import PIL.Image
import pytest
from batching import Batcher, Full, Image, Options
from fastapi.testclient import TestClient
from places import ROOT
from server import Settings, create_app, open_model
from tiny import moved

import ggdr
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig

SERVICE = ROOT / "examples" / "service"
SPEC = ImageSpec(16, 16, 3, 3, ("cat", "dog", "7"))


def seeds_of(images: list[Image]) -> list[int]:
    """A quick thing to make."""
    return [image.seed for image in images]


class Gate:
    """A slow thing to make: nothing leaves before it opens."""

    def __init__(self):
        self.open, self.passes = threading.Event(), []

    def make(self, images: list[Image]) -> list[int]:
        self.passes.append(seeds_of(images))
        assert self.open.wait(20)
        return seeds_of(images)


async def together(batcher: Batcher, *requests: list[Image]) -> list:
    """Answers of requests that come at once, or the errors."""
    return await asyncio.gather(*(batcher.submit(images) for images in requests), return_exceptions=True)


def served(make, *requests: list[Image], **settings) -> list:
    """Answers of requests that come at once to a fresh queue."""

    async def run() -> list:
        async with Batcher(make, **settings) as batcher:
            return await together(batcher, *requests)

    return asyncio.run(run())


async def until(condition) -> None:
    """Wait until something is so."""
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.001)


def test_requests_that_come_together_share_passes_and_get_their_own_images():
    made = served(seeds_of, *([Image(seed)] for seed in range(9)), batch_size=4, wait_ms=300)
    assert [one.image for (one,) in made] == [*range(9)]
    assert [one.batch_size for (one,) in made] == [4] * 8 + [1]


def test_a_request_for_several_images_may_fill_more_than_a_pass():
    (made,) = served(seeds_of, [Image(seed) for seed in range(5)], batch_size=2, wait_ms=0)
    assert [(one.image, one.batch_size) for one in made] == [(0, 2), (1, 2), (2, 2), (3, 2), (4, 1)]


def test_a_lone_image_waits_no_longer_than_it_is_told():
    began = time.monotonic()
    ((one,),) = served(seeds_of, [Image(3)], batch_size=16, wait_ms=50)
    assert one.batch_size == 1 and 0.05 <= time.monotonic() - began < 5


def test_images_gather_while_a_pass_runs():
    async def run() -> list[list[int]]:
        gate = Gate()
        async with Batcher(gate.make, batch_size=8, wait_ms=0) as batcher:
            first = asyncio.create_task(batcher.submit([Image(0)]))
            await until(lambda: gate.passes)
            others = asyncio.create_task(together(batcher, *([Image(seed)] for seed in (1, 2, 3))))
            await until(lambda: len(batcher.queue) == 3)
            gate.open.set()
            await asyncio.gather(first, others)
        return gate.passes

    assert asyncio.run(run()) == [[0], [1, 2, 3]]


def test_a_pass_has_one_truncation():
    half = Options(truncation_psi=0.5)
    requests = [Image(0)], [Image(1, options=half)], [Image(2)], [Image(3, options=half)]
    assert [one.batch_size for (one,) in served(seeds_of, *requests, batch_size=8, wait_ms=20)] == [2, 2, 2, 2]


def test_a_full_queue_refuses_whole_requests_and_takes_smaller_ones():
    async def run() -> None:
        gate = Gate()
        async with Batcher(gate.make, batch_size=1, wait_ms=0, queue_size=3) as batcher:
            first = asyncio.create_task(batcher.submit([Image(0)]))
            await until(lambda: gate.passes)
            waiting = asyncio.create_task(batcher.submit([Image(1), Image(2)]))
            await until(lambda: len(batcher.queue) == 2)
            with pytest.raises(Full, match="2 images wait, and the queue holds 3"):
                await batcher.submit([Image(3), Image(4)])
            last = asyncio.create_task(batcher.submit([Image(5)]))
            await until(lambda: len(batcher.queue) == 3)
            assert batcher.alive and not batcher.ready
            gate.open.set()
            assert [one.image for one in sum(await asyncio.gather(first, waiting, last), [])] == [0, 1, 2, 5]
            assert batcher.ready

    asyncio.run(run())


def test_whoever_gives_up_leaves_the_queue():
    async def run() -> list[list[int]]:
        gate = Gate()
        async with Batcher(gate.make, batch_size=1, wait_ms=0) as batcher:
            first = asyncio.create_task(batcher.submit([Image(0)]))
            await until(lambda: gate.passes)
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.05):
                    await batcher.submit([Image(1), Image(2)])
            assert not batcher.queue
            last = asyncio.create_task(batcher.submit([Image(3)]))
            gate.open.set()
            await asyncio.gather(first, last)
        return gate.passes

    assert asyncio.run(run()) == [[0], [3]]


def test_an_error_reaches_those_of_its_pass_and_the_next_goes_on():
    def make(images: list[Image]) -> list[int]:
        if images[0].seed == 0:
            raise MemoryError("no room")
        return seeds_of(images)

    broken, fine = served(make, [Image(0), Image(1)], [Image(2)], batch_size=2, wait_ms=20)
    assert isinstance(broken, MemoryError) and [one.image for one in fine] == [2]


def test_a_queue_that_closes_makes_what_waits_at_once_and_takes_no_more():
    async def run() -> None:
        batcher = Batcher(seeds_of, batch_size=16, wait_ms=60_000)
        async with batcher:
            waiting = asyncio.create_task(batcher.submit([Image(1)]))
            await until(lambda: batcher.queue)
        assert [one.image for one in await waiting] == [1]
        assert not batcher.alive
        with pytest.raises(Full):
            await batcher.submit([Image(2)])

    asyncio.run(run())


def styled() -> ggdr.Pipeline:
    return ggdr.Pipeline(moved(StyleGAN2GeneratorConfig.tiny().build(SPEC)))


@pytest.fixture(scope="module")
def pipe():
    return styled()


@pytest.fixture
def client(pipe):
    settings = Settings(model="", batch_size=4, wait_ms=1, images_per_request=8, queue_size=8, body_bytes=2000)
    with TestClient(create_app(pipe, settings)) as client:
        yield client


def pixels(png: bytes) -> tuple[bytes, str]:
    image = PIL.Image.open(io.BytesIO(png))
    return image.tobytes(), image.mode


def test_a_png_is_the_pipelines_image_of_the_seed_class_and_truncation(client, pipe):
    for label, number in (("dog", 1), ("DOG", 1), ("1", 1), ("7", 2), ("0", 0)):
        answer = client.get("/images/3.png", params={"label": label, "truncation_psi": 0.5, "truncation_cutoff": 2})
        assert answer.status_code == 200 and answer.headers["content-type"] == "image/png", answer.text
        assert answer.headers["x-batch-size"] == "1"
        (image,) = pipe(seeds=[3], labels=number, truncation_psi=0.5, truncation_cutoff=2).images
        assert pixels(answer.content) == (image.tobytes(), "RGB")


def test_json_has_an_image_for_each_seed_and_label(client, pipe):
    asked = {"seeds": [0, 2**64 - 1], "labels": ["cat", 2]}
    answers = client.post("/images", json=asked).json()
    images = pipe(seeds=asked["seeds"], labels=[0, 2]).images
    assert [each["seed"] for each in answers] == asked["seeds"] and {each["batch_size"] for each in answers} == {2}
    assert [pixels(base64.b64decode(each["png"]))[0] for each in answers] == [image.tobytes() for image in images]
    one_class = client.post("/images", json={"seeds": [0, 1], "labels": "cat", "truncation_psi": 0}).json()
    assert one_class[0]["png"] == one_class[1]["png"]


def test_clients_that_come_together_share_passes(client):
    with ThreadPoolExecutor(8) as clients:
        answers = [*clients.map(lambda seed: client.get(f"/images/{seed}.png?label=cat"), range(24))]
    assert {answer.status_code for answer in answers} <= {200, 503}
    assert max(int(answer.headers.get("x-batch-size", 0)) for answer in answers) > 1


REFUSED = {
    "a seed below 0": ({"seeds": [-1]}, "greater than or equal to 0"),
    "a seed too large": ({"seeds": [2**64]}, "less than"),
    "no seed": ({"seeds": []}, "at least 1"),
    "too many seeds": ({"seeds": [*range(9)]}, "9 seeds; give 8 at most"),
    "no label": ({"seeds": [0]}, "was trained with labels of width 3"),
    "a strange class": ({"seeds": [0], "labels": "cow"}, "no class 'cow'; its classes are cat, dog, 7"),
    "too few labels": ({"seeds": [0, 1, 2], "labels": [0, 1]}, "do not fit"),
    "a strange psi": ({"seeds": [0], "labels": 0, "truncation_psi": 100}, "less than or equal to 2"),
    "a cutoff alone": ({"seeds": [0], "labels": 0, "truncation_cutoff": 1}, "give truncation_psi too"),
    "a field unknown": ({"seeds": [0], "labels": 0, "psi": 1}, "Extra inputs are not permitted"),
}


@pytest.mark.parametrize(("asked", "said"), REFUSED.values(), ids=REFUSED)
def test_what_the_model_does_not_take_is_refused_in_a_sentence(asked, said, client):
    answer = client.post("/images", json=asked)
    assert answer.status_code == 422 and said in answer.text


@pytest.mark.parametrize("path", ["-1", str(2**64), "1.5", "cat", "0.png?truncation_psi=nan", "0.png?label=cow"])
def test_addresses_are_checked_as_bodies_are(path, client):
    answer = client.get(f"/images/{path}" if "?" in path else f"/images/{path}.png?label=cat")
    assert answer.status_code == 422 and answer.json()["detail"]


def test_a_generator_without_truncation_says_so():
    plain = ggdr.Pipeline(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 1))))
    with TestClient(create_app(plain, Settings(model=""))) as client:
        assert client.get("/images/0.png").status_code == 200
        answer = client.get("/images/0.png?truncation_psi=0.5")
        assert answer.status_code == 422 and "no truncation; leave truncation_psi" in answer.json()["detail"]
        assert "without labels" in client.get("/images/0.png?label=0").json()["detail"]


def test_long_bodies_are_refused_before_they_are_read(client):
    long = client.post("/images", json={"seeds": [0], "labels": ["x" * 3000]})
    assert long.status_code == 413 and long.json()["detail"].endswith("send 2000 at most.")
    chunked = client.post("/images", content=iter([b"{}"]), headers={"content-type": "application/json"})
    assert chunked.status_code == 411
    assert client.get("/images/0.png", params={"label": "x" * 201}).status_code == 422


def test_health_readiness_and_the_model_are_told(client, pipe):
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ready", "waiting": 0}
    told = client.get("/model").json()
    assert (told["height"], told["labels"], told["label_names"]) == (16, 3, ["cat", "dog", "7"])
    assert told["parameters"] == sum(weight.numel() for weight in pipe.generator.parameters())
    client.app.state.service.batcher.task.cancel()
    assert client.get("/healthz").status_code == 503 and client.get("/readyz").status_code == 503


def test_a_full_queue_and_a_slow_pass_are_told_apart_from_faults(pipe):
    gate = Gate()
    settings = Settings(model="", timeout_sec=0.3, batch_size=1, wait_ms=0, queue_size=1, images_per_request=1)
    app = create_app(pipe, settings)
    app.state.service.batcher.make = lambda images: gate.make(images) and pipe(seeds=[0], labels=0).images
    with TestClient(app) as client, ThreadPoolExecutor(3) as clients:
        answers = [*clients.map(lambda seed: client.get(f"/images/{seed}.png?label=0"), range(3))]
        codes = sorted(answer.status_code for answer in answers)
        gate.open.set()
        assert codes == [503, 504, 504]
        (full,) = [answer for answer in answers if answer.status_code == 503]
        assert full.headers["retry-after"] == "1" and "the queue holds 1" in full.json()["detail"]
        assert client.get("/images/0.png?label=0").status_code == 200


def test_settings_that_would_refuse_everything_are_refused():
    with pytest.raises(ggdr.errors.UserError, match="images_per_request is 32, and the queue holds 8"):
        Settings(model="", queue_size=8)
    with pytest.raises(ggdr.errors.UserError, match="batch_size is 0; give a number above 0"):
        Settings(model="", batch_size=0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model without labels on disk."""
    folder = tmp_path_factory.mktemp("model")
    ggdr.Pipeline(moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16)))).save_pretrained(folder)
    return folder


def test_a_model_is_opened_by_its_folder_and_has_made_images_before_anybody_asks(folder):
    pipe = open_model(Settings(model=str(folder), batch_size=2, device="cpu"))
    assert len(pipe(seeds=[0]).images) == 1 and str(pipe.device) == "cpu"


def python(*words: object) -> subprocess.Popen:
    """A new Python in the service's folder, with this tree at hand."""
    env = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    words = [sys.executable, *map(str, words)]
    return subprocess.Popen(words, cwd=SERVICE, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


@pytest.mark.slow
def test_a_process_that_is_asked_to_end_answers_what_came_before(folder):
    process = python("server.py", folder, "--port", 0, "--wait-ms", 1500)
    url, lines = None, []
    while url is None and (line := process.stdout.readline()):
        lines.append(line)
        url = (re.findall(r"http://127.0.0.1:\d+", line) or [None])[0]
    assert url, "".join(lines)
    with ThreadPoolExecutor(1) as clients:
        answer = clients.submit(httpx.get, f"{url}/images/5.png", timeout=60)
        while not httpx.get(f"{url}/readyz").json().get("waiting"):
            time.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        assert answer.result().status_code == 200
    process.wait(60)
    assert process.returncode in (0, -signal.SIGTERM), process.stdout.read()  # uvicorn ends as the signal would


@pytest.mark.slow
def test_a_model_that_is_not_there_is_one_sentence(tmp_path):
    process = python("server.py", tmp_path / "nothing")
    said, _ = process.communicate(timeout=120)
    assert process.returncode == 1 and said.startswith("error: ") and "Traceback" not in said


@pytest.mark.slow
def test_the_load_test_compares_batches_with_single_passes(folder):
    process = python("load.py", folder, "--clients", 4, "--requests", 12, "--rounds", 1)
    said, _ = process.communicate(timeout=240)
    assert process.returncode == 0, said
    assert re.search(r"^\| one by one \| [\d.]+ .*\| 1\.0 \|$", said, re.MULTILINE)
    assert re.search(r"^batching: [\d.]+ times as many images", said, re.MULTILINE)


def test_the_dockerfile_copies_and_runs_files_that_are_there():
    lines = (SERVICE / "Dockerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [word for line in lines if line.startswith("COPY ") for word in line.split()[1:-1]]
    assert copied and not [word for word in copied if not (ROOT / word).exists()]
    (entry,) = [line for line in lines if line.startswith("ENTRYPOINT ")]
    assert '"server.py"' in entry and "examples/service/server.py" in copied
    kept = [line[1:] for line in (SERVICE / "Dockerfile.dockerignore").read_text().splitlines() if line[0] == "!"]
    assert not [word for word in copied if not any(word == each or word.startswith(f"{each}/") for each in kept)]
    assert [line for line in lines if line.startswith(("ARG BASE=", "FROM "))] == [
        "ARG BASE=python:3.12-slim",
        "FROM ${BASE}",
    ]
