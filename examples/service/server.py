"""A generator as a web service: images by seed, class and truncation, as PNG or JSON.

python server.py runs/digits --port 8000
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Any

import PIL.Image
import torch
import tyro
import uvicorn
from batching import Batcher, Full, Image, Made, Options
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

import ggdr
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.ops.device import resolve_device
from ggdr.sampling import SamplingOptions, forward_arguments
from ggdr.sampling.labels import example_labels, find_class, label_rows

LOG = logging.getLogger("ggdr.service")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Serve the generator of a run, of a model's folder, or of a Hub repository."""

    model: Annotated[str, tyro.conf.Positional]
    """folder of a run or a model, or Hub repository "org/name" """
    host: str = "127.0.0.1"
    """address to listen at; 0.0.0.0 for all"""
    port: int = 8000
    """port to listen at"""
    device: str = ""
    """cpu, cuda or mps; empty: the accelerator if there is one"""
    batch_size: int = 16
    """most images of a pass; 1: no batching"""
    wait_ms: float = 5.0
    """longest that an image waits for others, milliseconds"""
    queue_size: int = 256
    """images that may wait; whoever comes then is told to come again"""
    images_per_request: int = 32
    """most images of a request"""
    body_bytes: int = 65536
    """most bytes of a request's body"""
    timeout_sec: float = 30.0
    """longest that a request may take, seconds"""
    shutdown_sec: int = 30
    """time that requests have to finish once the service is asked to end, seconds"""

    def __post_init__(self) -> None:
        above_zero(self, "batch_size", "queue_size", "images_per_request", "body_bytes", "timeout_sec")
        not_negative(self, "wait_ms", "shutdown_sec")
        if self.images_per_request > self.queue_size:
            raise UserError(
                f"images_per_request is {self.images_per_request}, and the queue holds {self.queue_size}, so that such"
                " a request would always be refused; give a queue_size of that at least."
            )


class Wanted(BaseModel):
    """Images that are asked for."""

    model_config = ConfigDict(extra="forbid")
    seeds: Annotated[list[Annotated[int, Field(ge=0, lt=2**64)]], Field(min_length=1)]
    """a seed for each image"""
    labels: int | float | str | list[int | float | str | list[float]] | None = None
    """a class for all images or one for each, by number or name, or vectors; none of a model without labels"""
    truncation_psi: Annotated[float | None, Field(ge=-2, le=2, allow_inf_nan=False)] = None
    """1, as null, for the full variety, towards 0 for the mean image"""
    truncation_cutoff: Annotated[int | None, Field(ge=0, le=1000)] = None
    """number of style codes, from the coarsest on, that psi pulls; null: all"""


class Answer(BaseModel):
    """An image, as JSON holds it."""

    seed: int
    png: str
    """the file, base64"""
    batch_size: int
    """number of images in the pass that it was made in"""


class Service:
    """A pipeline behind a queue."""

    def __init__(self, pipe: ggdr.Pipeline, settings: Settings):
        self.pipe, self.settings = pipe, settings
        self.batcher = Batcher(
            self.make, batch_size=settings.batch_size, wait_ms=settings.wait_ms, queue_size=settings.queue_size
        )
        pipe.set_progress_bar_config(disable=True)

    def make(self, images: list[Image]) -> list[PIL.Image.Image]:
        """One pass of the generator, in the queue's thread."""
        labels = None if images[0].label is None else torch.stack([image.label for image in images])
        psi, cutoff = images[0].options
        seeds = [image.seed for image in images]
        return self.pipe(
            seeds=seeds, labels=labels, truncation_psi=psi, truncation_cutoff=cutoff, chunk_size=len(seeds)
        ).images

    def images_of(self, wanted: Wanted) -> list[Image]:
        """What is to be queued; 422 with a sentence if the model does not take what is asked."""
        if len(wanted.seeds) > self.settings.images_per_request:
            most = self.settings.images_per_request
            raise HTTPException(422, f"{len(wanted.seeds)} seeds; give {most} at most.")
        options = Options(wanted.truncation_psi, wanted.truncation_cutoff)
        generator = self.pipe.generator
        try:
            forward_arguments(generator.config, SamplingOptions(*options))
            rows = label_rows(generator.spec, wanted.labels, len(wanted.seeds))
        except UserError as error:
            raise HTTPException(422, str(error)) from error
        labels = [None] * len(wanted.seeds) if rows is None else rows
        return [Image(seed, label, options) for seed, label in zip(wanted.seeds, labels, strict=True)]

    async def answer(self, wanted: Wanted) -> list[tuple[bytes, Made]]:
        """PNGs of what is wanted; 503 if too many wait, 504 if it takes too long."""
        images = self.images_of(wanted)
        try:
            async with asyncio.timeout(self.settings.timeout_sec):
                made = await self.batcher.submit(images)
                return list(zip(await asyncio.to_thread(pngs, made), made, strict=True))
        except Full as error:
            raise HTTPException(503, f"{error} Come again in a second.", {"Retry-After": "1"}) from error
        except TimeoutError as error:
            raise HTTPException(504, f"not done after {self.settings.timeout_sec:g} s; come again later.") from error

    def label_of(self, text: str) -> int | float | str:
        """A class by its name, or its number; or a number where labels are no classes."""
        if find_class(self.pipe.generator.spec, text) is None:
            for kind in (int, float):
                with contextlib.suppress(ValueError):
                    return kind(text)
        return text


def pngs(made: list[Made]) -> list[bytes]:
    """Images as PNG files."""
    files = []
    for each in made:
        file = io.BytesIO()
        each.image.save(file, "png", compress_level=1)  # quick: a third of the time of the default
        files.append(file.getvalue())
    return files


def service_of(request: Request) -> Service:
    """The application's service."""
    return request.app.state.service


Here = Annotated[Service, Depends(service_of)]
ROUTES = APIRouter()


@ROUTES.get("/healthz")
async def healthz(service: Here) -> dict[str, str]:
    """Whether the process is to be left running: 503 if it must be started again."""
    if not service.batcher.alive:
        raise HTTPException(503, "the worker has ended.")
    return {"status": "ok"}


@ROUTES.get("/readyz")
async def readyz(service: Here) -> dict[str, str | int]:
    """Whether requests should come here now: 503 while the queue is full, or the service ends."""
    waiting = len(service.batcher.queue)
    if not service.batcher.ready:
        raise HTTPException(503, f"{waiting} images wait.")
    return {"status": "ready", "waiting": waiting}


@ROUTES.get("/model")
async def model(service: Here) -> dict[str, Any]:
    """What the model makes, and which labels it takes."""
    generator = service.pipe.generator
    spec = generator.spec
    return {
        "generator": generator.config.name,
        "parameters": sum(weight.numel() for weight in generator.parameters()),
        "height": spec.height,
        "width": spec.width,
        "channels": spec.channels,
        "labels": spec.labels,
        "label_names": spec.label_names,
        "label_ranges": spec.label_ranges,
        "device": str(service.pipe.device),
    }


@ROUTES.post("/images")
async def images(wanted: Wanted, service: Here) -> list[Answer]:
    """An image for each seed."""
    return [
        Answer(seed=seed, png=base64.b64encode(png).decode(), batch_size=made.batch_size)
        for seed, (png, made) in zip(wanted.seeds, await service.answer(wanted), strict=True)
    ]


@ROUTES.get("/images/{seed}.png", response_class=Response, responses={200: {"content": {"image/png": {}}}})
async def image(
    seed: Annotated[int, Path(ge=0, lt=2**64)],
    service: Here,
    label: Annotated[str | None, Query(max_length=200)] = None,
    truncation_psi: Annotated[float | None, Query(ge=-2, le=2, allow_inf_nan=False)] = None,
    truncation_cutoff: Annotated[int | None, Query(ge=0, le=1000)] = None,
) -> Response:
    """One image; `label` is a class, by name or number."""
    labels = None if label is None else service.label_of(label)
    options = {"truncation_psi": truncation_psi, "truncation_cutoff": truncation_cutoff}
    ((png, made),) = await service.answer(Wanted(seeds=[seed], labels=labels, **options))
    return Response(png, media_type="image/png", headers={"X-Batch-Size": str(made.batch_size)})


class BodyLimit:
    """Refuses a body that is too long, or that does not say how long it is, before it is read."""

    def __init__(self, app: ASGIApp, most: int):
        self.app, self.most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = self.refusal(Headers(scope=scope)) if scope["type"] == "http" else None
        await (refused or self.app)(scope, receive, send)

    def refusal(self, headers: Headers) -> JSONResponse | None:
        """The answer to a request with these headers, if its body is not to be read."""
        length = headers.get("content-length", "0")
        if "transfer-encoding" in headers:
            return JSONResponse({"detail": "send Content-Length, not a chunked body."}, 411)
        if not length.isdecimal() or int(length) > self.most:
            return JSONResponse({"detail": f"{length[:20]} bytes; send {self.most} at most."}, 413)
        return None


def create_app(pipe: ggdr.Pipeline, settings: Settings) -> FastAPI:
    """The application of one model, whose queue is emptied before it ends."""
    service = Service(pipe, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with service.batcher:
            yield

    app = FastAPI(title="ggdr", version=ggdr.__version__, summary="Images of a GAN, by seed", lifespan=lifespan)
    app.state.service = service
    app.include_router(ROUTES)
    app.add_middleware(BodyLimit, most=settings.body_bytes)
    return app


def open_model(settings: Settings) -> ggdr.Pipeline:
    """The model, once it has made its first images; UserError if it makes no images of seeds."""
    pipe = ggdr.from_pretrained(settings.model)
    if not isinstance(pipe, ggdr.Pipeline):
        raise UserError(f"{settings.model} makes images of images; this service makes them of seeds.")
    pipe.to(resolve_device(settings.device))
    for size in {1, settings.batch_size}:  # kernels are chosen, and memory is taken, before anybody waits
        pipe(seeds=range(size), labels=example_labels(pipe.generator.spec, range(size)), chunk_size=size)
    return pipe


def main() -> None:
    """Load the model, then listen until a signal asks the service to end; requests that came before are answered."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        settings = tyro.cli(Settings)
        pipe = open_model(settings)
    except UserError as error:
        sys.exit(f"error: {error}")
    LOG.info("%s on %s", settings.model, pipe.device)
    app = create_app(pipe, settings)
    uvicorn.run(app, host=settings.host, port=settings.port, timeout_graceful_shutdown=settings.shutdown_sec)


if __name__ == "__main__":
    main()
