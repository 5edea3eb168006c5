"""Graphs as files that run without this package: written aside, read back, compared, and only then moved into place."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor
from torch.export import ExportedProgram

from ggdr.errors import UserError
from ggdr.exporting.graphs import Graph, first_line, trace
from ggdr.lazy import optional

if TYPE_CHECKING:
    import onnx

TOLERANCE = 1e-4
"""Largest difference between file and network, relative to the network's largest value."""
LEVELS = 1
"""Largest difference between uint8 images, since a value half way between two levels may be rounded to either."""
SIZES = (1, 3)
"""Batch sizes that are compared, other than the one that is traced."""
DESCRIPTION = "ggdr.json"
"""Name of the extra file in a .pt2 file that describes the network."""
OPSET = 18
"""Version of ONNX's operators: the one that torch writes without converting."""

Run = Callable[[dict[str, Tensor]], Tensor]
"""Function that runs a file's graph: inputs by name, without those that are left out, to its output."""


class Agreement(NamedTuple):
    """The agreement between a file's results and its network's."""

    difference: float
    """Largest absolute difference; infinite if shapes or dtypes differ."""
    largest: float
    """Largest absolute value of the network's results."""
    bound: float
    """Largest difference that is accepted."""

    @property
    def holds(self) -> bool:
        """Whether the difference is accepted; never where a result is NaN."""
        return self.difference <= self.bound


class Format(NamedTuple):
    """How one kind of file is written and read."""

    write: Callable[[ExportedProgram, Graph, Path], None]
    read: Callable[[Path], Run]
    keeps: bool
    """Whether inputs that have defaults are buffers of the program, to be set before a call."""


def export(graph: Graph, file: Path, batch_size: int | None = None) -> Agreement:
    """Write a graph as `file`, in the format of its suffix, and return how closely it agrees with the network.

    batch_size: the one number of samples it takes; None for any. An existing file is replaced. UserError if the network
    has no such graph, or the file computes something else: then no file is written, and an existing one stays.
    """
    kind = FORMATS[file.suffix]
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix=".writing-", dir=file.parent) as folder, suppress_logging():
        aside = Path(folder) / file.name
        kind.write(trace(graph, batch_size, kind.keeps), graph, aside)
        found = measure_agreement(kind.read(aside), graph, (batch_size, batch_size) if batch_size else SIZES)
        if not found.holds:
            raise UserError(
                f"{file.name} would differ from the network by {found.difference:.2g} of values up to"
                f" {found.largest:.2g}, above {found.bound:.2g}; nothing was written, try the other format."
            )
        os.replace(aside, file)
    return found


@torch.no_grad()
def measure_agreement(run: Run, graph: Graph, sizes: tuple[int, ...]) -> Agreement:
    """Compare a file's graph with the network's on random inputs in batches of these sizes.

    Inputs that may be left out are in the last batch.
    """
    difference = largest = 0.0
    for seed, samples in enumerate(sizes, start=1):
        inputs, left_out = graph.inputs(samples, seed), graph.defaults if seed == len(sizes) else {}
        wanted = graph(**(inputs | left_out))
        given = run({name: value for name, value in inputs.items() if name not in left_out})
        if (given.shape, given.dtype) != (wanted.shape, wanted.dtype):
            return Agreement(float("inf"), float(wanted.double().abs().max()), 0.0)
        worst = (given.double() - wanted.double()).abs().max()
        difference = float(torch.maximum(worst, torch.tensor(difference)))  # unlike Python's, it passes NaN on
        largest = max(largest, float(wanted.double().abs().max()))
    return Agreement(difference, largest, TOLERANCE * largest if wanted.is_floating_point() else LEVELS)


@contextmanager
def suppress_logging() -> Iterator[None]:
    """Silence the exporters' logs and warnings within the block; errors still pass."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        logging.disable(before)


def write_pt2(program: ExportedProgram, graph: Graph, file: Path) -> None:
    """Write a program for torch.export.load; its description is the extra file "ggdr.json"."""
    torch.export.save(program, file, extra_files={DESCRIPTION: json.dumps(graph.description())})


def read_pt2(file: Path) -> Run:
    """Read a .pt2 file and return a function that runs its graph."""
    extra = {DESCRIPTION: ""}
    module = torch.export.load(file, extra_files=extra).module()
    signature = json.loads(extra[DESCRIPTION])["graph"]
    kept = {name: module.get_buffer(name).clone() for name in signature.get("defaults", {})}

    def run(inputs: dict[str, Tensor]) -> Tensor:
        for name, value in kept.items():
            module.get_buffer(name).copy_(inputs.get(name, value))
        return module(*(inputs[name] for name in signature["inputs"] if name not in kept))

    return run


def write_onnx(program: ExportedProgram, graph: Graph, file: Path) -> None:
    """Write an ONNX model in one file, described by its property "ggdr"; UserError if ONNX lacks an operator."""
    with optional("onnx", ".onnx files need"):
        from onnx import helper, numpy_helper, save

    names = list(graph.inputs(1, seed=0))
    try:
        # Its optimizer takes 1e-8 for 0 and drops it where it is added, so that a latent code of zeros makes NaN;
        # runtimes optimize what they load anyway.
        made = torch.onnx.export(
            program, input_names=names, output_names=[graph.output], opset_version=OPSET,
            dynamo=True, optimize=False, external_data=False, verbose=False,
        )  # fmt: skip
    except Exception as error:  # the exporter's own are not public
        raise UserError(f"ONNX cannot hold this network: {first_line(error)}; write a .pt2 file.") from error
    assert made is not None
    model = made.model_proto
    helper.set_model_props(model, {"ggdr": json.dumps(graph.description())})
    strip_metadata(model)
    # ONNX's way to say that an input may be left out: its value is among the constants too.
    model.graph.initializer.extend(
        numpy_helper.from_array(value.numpy(), name) for name, value in graph.defaults.items()
    )
    save(model, file)


def strip_metadata(model: onnx.ModelProto) -> None:
    """Remove the exporter's metadata, which names files of this machine, and call the free dimension "batch"."""
    graph = model.graph
    graph.ClearField("value_info")
    for item in (graph, *graph.node, *graph.input, *graph.output, *graph.initializer):
        item.ClearField("metadata_props")
        item.ClearField("doc_string")
    for value in (*graph.input, *graph.output):
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_param = "batch"


def read_onnx(file: Path) -> Run:
    """Read an .onnx file and return a function that runs its graph on the CPU."""
    with optional("onnx", ".onnx files need"):
        import onnxruntime

    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])

    def run(inputs: dict[str, Tensor]) -> Tensor:
        (output,) = session.run(None, {name: tensor.numpy() for name, tensor in inputs.items()})
        return torch.from_numpy(output)

    return run


FORMATS = {".pt2": Format(write_pt2, read_pt2, keeps=True), ".onnx": Format(write_onnx, read_onnx, keeps=False)}
"""Formats by the suffix of a file's name."""
