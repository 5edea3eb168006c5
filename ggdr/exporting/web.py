"""A model as a web page that runs it in the browser, by onnxruntime-web: an HTML file and an ONNX file."""

from __future__ import annotations

import html
import json
import shutil
from pathlib import Path
from typing import Any

from torch import Tensor

from ggdr.cache import write_whole
from ggdr.errors import UserError
from ggdr.exporting.examples import DRAWN
from ggdr.exporting.files import Agreement, export
from ggdr.exporting.graphs import Graph, WayGraph
from ggdr.networks.base import ImageSpec

VERSION = "1.30.0"
"""Version of onnxruntime-web, the npm package, that the page was tried with."""
CDN = f"https://cdn.jsdelivr.net/npm/onnxruntime-web@{VERSION}/dist/"
"""Where a page without a runtime beside it loads that from."""
RUNTIME = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")
"""Files of the runtime that the page loads."""
PAGE, MODEL, FOLDER = "index.html", "model.onnx", "runtime"
"""Names of what is written: the page, the model, and the folder of a runtime beside them."""
PICTURES = (1, 3, 4)
"""Channels of images that a page can show."""


def written(folder: Path, runtime: Path | None) -> list[Path]:
    """Return the files that `write_page` writes."""
    beside = () if runtime is None else (f"{FOLDER}/{name}" for name in RUNTIME)
    return [folder / name for name in (PAGE, MODEL, *beside)]


def write_page(graph: Graph, folder: Path, title: str, runtime: Path | None = None) -> Agreement:
    """Write a page of a graph that makes uint8 images, and return how closely its model agrees with the network.

    `runtime`: a folder with the files of onnxruntime-web, which are copied; None: the page loads them from a CDN. Files
    of these names are replaced. UserError if the page could not show what the graph takes or makes, or a file of the
    runtime is missing.
    """
    about = describe_page(graph)
    found = None if runtime is None else find_runtime(runtime)
    defaults, graph.defaults = graph.defaults, {}  # the runtime's JavaScript lets no input be left out
    try:
        agreement = export(graph, folder / MODEL, batch_size=1)
    finally:
        graph.defaults = defaults
    if found is not None:
        (folder / FOLDER).mkdir(exist_ok=True)
        for name in RUNTIME:
            shutil.copyfile(found / name, folder / FOLDER / name)
    text = (Path(__file__).with_name("page.html")).read_text(encoding="utf-8")
    fields = {
        "title": html.escape(title),
        "about": json.dumps(about).replace("<", "\\u003c"),
        "runtime": CDN if found is None else f"{FOLDER}/",
    }
    for name, value in fields.items():
        text = text.replace(f"{{{{{name}}}}}", value)
    write_whole(folder / PAGE, lambda aside: aside.write_text(text, encoding="utf-8"))
    return agreement


def find_runtime(folder: Path) -> Path:
    """Return the folder of the runtime's files: this one, or its `dist`; UserError if one of them is missing."""
    places = [folder, folder / "dist"]
    missing = [next((name for name in RUNTIME if not (place / name).is_file()), None) for place in places]
    if None in missing:
        return places[missing.index(None)]
    raise UserError(
        f"{str(folder)!r} lacks {missing[0]} of onnxruntime-web; type npm install onnxruntime-web@{VERSION}, and give"
        " --runtime node_modules/onnxruntime-web, or leave --runtime out: the page then loads it from the web."
    )


def describe_page(graph: Graph) -> dict[str, Any]:
    """Return what the page is told of its model; UserError if it could not show it."""
    inputs = graph.inputs(1, seed=0)
    made = graph(**inputs)
    if made.ndim != 4 or made.shape[3] not in PICTURES:
        raise UserError(f"a page shows images of 1, 3 or 4 channels, and {graph.called!r} makes none; leave --web out.")
    spec, kinds = graph.spec, {name: kind_of(name, value, graph) for name, value in inputs.items()}
    names = spec.label_names or tuple(map(str, range(spec.labels)))
    return {
        "inputs": [{"name": name, "kind": kinds[name], "shape": [*inputs[name].shape]} for name in inputs],
        "output": graph.output,
        "labels": names,
        "ranges": spec.label_ranges,
        "psi": graph.defaults["psi"].item() if "psi" in graph.defaults else 1.0,
    }


def kind_of(name: str, value: Tensor, graph: Graph) -> str:
    """Return what an input is to the page; UserError if it is none that a person could give there."""
    if name in DRAWN:
        return "normal"
    if name == "labels":
        return "numbers" if graph.spec.label_ranges else "classes"
    if value.ndim == 0:
        return "psi"
    if value.shape[1] not in PICTURES or taken(graph).classes:
        raise UserError(
            f"a page takes pictures of 1, 3 or 4 channels, and {graph.called!r} takes others; leave --web out."
        )
    return "image"


def taken(graph: Graph) -> ImageSpec:
    """Return the spec of the images that a graph takes, else of those that it makes."""
    if isinstance(graph, WayGraph):
        return graph.way.takes
    return graph.network.source or graph.spec
