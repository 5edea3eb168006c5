"""`ggdr export MODEL OUT`: a network as one file that runs without this package, for torch.export.load or ONNX.

ggdr export runs/digits generator.pt2

ggdr export runs/digits generator.onnx --uint8

ggdr export org/name judge.onnx --network discriminator --batch-size 4

ggdr export runs/horses zebra.onnx --view zebra

ggdr export runs/digits page --web

A generator takes z [N, z_dim] ~ N(0, 1), labels [N, L] if it was trained with labels, and psi [] if it has truncation:
psi may be left out (ONNX), or set by model.psi.fill_(0.7) (.pt2, which takes the others by position). A generator
gives image [N, C, H, W], about [-1, 1]; a translator takes source [N, C, H, W], labels, and z if it draws, and
gives image; a discriminator takes image, and labels, and gives logits [N]; an encoder gives code [N, K]. --view is all
that a translator does from image to image, also where several networks do it: it takes source, labels, and code [N, S]
~ N(0, 1) if it draws, or style [N, C, h, w], an image whose style is taken. All are float32, but for the image of
--uint8. N is any number, unless --batch-size fixes it. The file is read back and compared with the network before it is
left behind, and three lines that run it are printed. --web makes a folder instead, a page for any static web space that
makes images in the browser of whoever opens it: index.html, and model.onnx beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.lazy import available
from ggdr.progress import Bar
from ggdr.verbs.model_flags import announce
from ggdr.verbs.outputs import check_folder, check_out

if TYPE_CHECKING:
    from ggdr.exporting.graphs import Graph

SUFFIXES = {".pt2": (), ".onnx": ("onnx", "onnxscript", "onnxruntime")}
"""kinds of files, and the packages that write and check them beside torch"""


@dataclass(frozen=True)
class Export:
    """What to export, and to where."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """folder of a run, of a checkpoint or of a model; or a Hub repository such as org/name"""
    out: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="OUT")]
    """file to write: NAME.pt2 for torch.export.load, NAME.onnx for a runtime of ONNX; with --web a folder"""
    network: str = "generator"
    """generator, discriminator, or another network of the model (generator_live: without the running mean)"""
    view: str = ""
    """instead of a network: a view of a translator, such as horse_to_zebra, or the domain that is made"""
    style: bool = False
    """the view is to take an image, for its style, instead of a code"""
    noise: Literal["const", "none"] = "const"
    """per-pixel noise of a generator that has such: the same for all images, or none"""
    truncation_psi: float | None = None
    """psi of a generator where a call sets none; None: 1, the full variety"""
    uint8: bool = False
    """make images uint8 [N, H, W, C], as picture files hold them"""
    web: bool = False
    """make a web page that runs the model in the browser, by onnxruntime-web, which it loads from a CDN"""
    runtime: Path | None = None
    """folder of the npm package onnxruntime-web, copied beside the page, which then loads nothing from elsewhere"""
    batch_size: int | None = None
    """samples a call takes; None: any number, where the network treats each by itself"""
    overwrite: bool = False
    """replace a file that is there; without it the file is left, and nothing is made"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Write the file that `argv` asks for and say what it takes and gives; UserError if it cannot be."""
    command = parsed(Export, argv, "ggdr export", __doc__)
    check_command(command)
    announce(command.model, command.revision)
    if command.web:
        return write_web(command)
    from ggdr.exporting.examples import call_lines
    from ggdr.exporting.files import export

    graph = choose_graph(command)
    with Bar("exporting"):
        found = export(graph, command.out, command.batch_size)
    print(f"wrote {command.out}: {signature(graph, command.batch_size)}")
    print(f"largest difference {found.difference:.3g} of values up to {found.largest:.3g}; three lines run it:\n")
    print("\n".join(call_lines(graph, command.out, command.batch_size)))
    return 0


def write_web(command: Export) -> int:
    """Write a page and say how to look at it."""
    from ggdr.exporting.web import CDN, MODEL, PAGE, write_page, written

    check_out(written(command.out, command.runtime), command.overwrite, by="OUT")
    graph = choose_graph(command)
    with Bar("exporting"):
        found = write_page(graph, command.out, Path(command.model).name, command.runtime)
    size = (command.out / MODEL).stat().st_size / 1e6
    where = f"from {CDN}" if command.runtime is None else "beside it"
    print(f"wrote {command.out / PAGE}, and {MODEL} of {size:.1f} MB; onnxruntime-web is loaded {where}")
    print(f"largest difference {found.difference:.3g} of values up to {found.largest:.3g}")
    print(f"to look at it, type: python -m http.server --directory {command.out}")
    return 0


def check_web(command: Export) -> None:
    """UserError if there can be no such page, before the network is read."""
    check_folder(command.out, "the name of a folder for the page")
    available("onnx", "--web needs", *SUFFIXES[".onnx"])
    if command.batch_size not in (None, 1):
        raise UserError("a page makes one image at a time; leave --batch-size out.")
    if command.runtime is not None and not command.runtime.is_dir():
        raise UserError(f"there is no folder {str(command.runtime)!r}; give --runtime node_modules/onnxruntime-web.")


def check_command(command: Export) -> None:
    """UserError if there can be no such file, before the network is read."""
    if command.style and not command.view:
        raise UserError("--style is of a view that takes styles; add --view, such as horse_to_zebra.")
    if command.web:
        return check_web(command)
    if command.runtime is not None:
        raise UserError("--runtime is of a page; add --web.")
    if (suffix := command.out.suffix) not in SUFFIXES:
        raise UserError(f"{str(command.out)!r} ends in neither of {', '.join(SUFFIXES)}; give NAME.pt2 or NAME.onnx.")
    available("onnx", f"{suffix} files need", *SUFFIXES[suffix])
    check_out([command.out], command.overwrite, by="OUT")
    if command.batch_size is not None and command.batch_size < 1:
        raise UserError(
            f"a batch of {command.batch_size} samples is none; give --batch-size 1 or more, or leave it out."
        )


def choose_graph(command: Export) -> Graph:
    """The graph of the network or view asked for; UserError if the model has none such."""
    from ggdr.exporting.graphs import DiscriminatorGraph, EncoderGraph, GeneratorGraph, TranslatorGraph, WayGraph
    from ggdr.networks.base.module import Discriminator, Encoder, Generator, Translator
    from ggdr.pipeline.translation import TranslationPipeline
    from ggdr.registry import use
    from ggdr.saving.pretrained import Hub, open_model

    for file in command.use:
        use(file)
    model, uint8 = open_model(command.model, Hub(command.revision)), command.uint8 or command.web
    if command.view:
        refuse_psi(command, f"view {command.view!r}")
        pipeline = TranslationPipeline.of(model)
        return WayGraph(pipeline, pipeline.find_view(command.view)[0], command.style, uint8)
    if command.network not in model.networks:
        there = ", ".join(model.networks)
        views = ", or all that goes from image to image by --view" if model.translates else ""
        raise UserError(
            f"{command.model!r} has no network {command.network!r}; it has {there}: choose one by --network{views}."
        )
    network = model.load(command.network)
    if isinstance(network, Generator):
        return GeneratorGraph(network, command.noise, uint8, command.truncation_psi)
    refuse_psi(command, repr(command.network))
    if isinstance(network, Translator):
        return TranslatorGraph(network, uint8)
    if uint8:
        raise UserError(f"{command.network!r} makes no images; leave {'--web' if command.web else '--uint8'} out.")
    if isinstance(network, Encoder):
        return EncoderGraph(network)
    assert isinstance(network, Discriminator)
    return DiscriminatorGraph(network)


def refuse_psi(command: Export, what: str) -> None:
    """UserError if a truncation is given for what has none."""
    if command.truncation_psi is not None:
        raise UserError(f"{what} has no truncation; leave --truncation-psi out.")


def signature(graph: Graph, batch_size: int | None) -> str:
    """What goes in and comes out, each by name, shape and type."""
    import torch

    inputs = graph.inputs(batch_size or 1, seed=0)
    with torch.no_grad():
        given = {**inputs, graph.output: graph(**inputs)}
    words = []
    for name, tensor in given.items():
        shape = [str(batch_size or "N"), *map(str, tensor.shape[1:])] if tensor.ndim else []
        default = f" ({graph.defaults[name].item():.6g} if left out)" if name in graph.defaults else ""
        words.append(f"{name} [{', '.join(shape)}] {str(tensor.dtype).removeprefix('torch.')}{default}")
    return f"{', '.join(words[:-1])} -> {words[-1]}"
