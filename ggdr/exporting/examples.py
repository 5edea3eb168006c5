"""The three lines of Python that run an exported file, by the framework's own loader alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from torch import Tensor

from ggdr.exporting.graphs import Graph
from ggdr.networks.base import ImageSpec

DRAWN = ("z", "code")
"""Inputs that are drawn from a normal distribution."""
PSI = 0.7
"""Truncation that the lines name, as one that people use."""


def call_lines(graph: Graph, file: Path, batch_size: int | None = None) -> list[str]:
    """Return three lines that make one batch: of one sample, or of as many as the file takes."""
    inputs = {
        name: value for name, value in graph.inputs(batch_size or 1, seed=0).items() if name not in graph.defaults
    }
    return FORMATS[file.suffix](graph, file, inputs)


def lines_of_pt2(graph: Graph, file: Path, inputs: dict[str, Tensor]) -> list[str]:
    """Return the lines of a .pt2 file."""
    given = ", ".join(spell(name, value, graph.spec, "torch") for name, value in inputs.items())
    kept = "".join(f"  # and model.{name}.fill_({PSI}) to truncate" for name in graph.defaults)
    return [
        "import torch",
        f"model = torch.export.load({str(file)!r}).module(){kept}",
        f"{graph.output} = model({given})",
    ]


def lines_of_onnx(graph: Graph, file: Path, inputs: dict[str, Tensor]) -> list[str]:
    """Return the lines of an .onnx file."""
    words = [f'"{name}": np.float32({spell(name, value, graph.spec, "np")})' for name, value in inputs.items()]
    kept = "".join(f'  # "{name}": np.array({PSI}, "float32") truncates' for name in graph.defaults)
    return [
        "import numpy as np, onnxruntime",
        f"model = onnxruntime.InferenceSession({str(file)!r})",
        f"({graph.output},) = model.run(None, {{{', '.join(words)}}}){kept}",
    ]


def spell(name: str, value: Tensor, spec: ImageSpec, package: str) -> str:
    """Return an expression for an input of this shape: normal numbers, the first class, or black images."""
    shape = ", ".join(map(str, value.shape))
    if name in DRAWN:
        return f"{package}.randn({shape})" if package == "torch" else f"{package}.random.randn({shape})"
    if name != "labels":
        return f"{package}.zeros(({shape}))"
    if spec.label_ranges:
        middle = [round((low + high) / 2, 6) for low, high in spec.label_ranges]
        return f"{package}.{'tensor' if package == 'torch' else 'array'}({[middle] * len(value)})"
    return f"{package}.eye({spec.labels})[{[0] * len(value)}]"


FORMATS: dict[str, Callable[[Graph, Path, dict[str, Tensor]], list[str]]] = {
    ".pt2": lines_of_pt2,
    ".onnx": lines_of_onnx,
}
"""Lines by the suffix of a file's name."""
