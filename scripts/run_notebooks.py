"""Run the notebooks of examples/ and keep what their cells show, beside a hash of the cells that showed it.

python scripts/run_notebooks.py [examples/train.ipynb ...]
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parent.parent
NOTEBOOKS = sorted((ROOT / "examples").glob("*.ipynb"))
CELL_SEC = 1800
"""longest that a cell may take, on a machine that does other things as well"""


def main(files: list[str]) -> None:
    """Run these notebooks, or all, one after the other, and write them."""
    for file in [*map(Path, files)] or NOTEBOOKS:
        notebook = run(nbformat.read(file, as_version=4))
        notebook.metadata["ggdr"] = {"ran": fingerprint(notebook)}
        nbformat.write(notebook, file)
        print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


def run(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """What becomes of a notebook in an empty folder; CellExecutionError if a cell fails."""
    with tempfile.TemporaryDirectory() as folder:
        env = os.environ | {"PYTHONPATH": str(ROOT)}
        client = NotebookClient(
            notebook,
            timeout=CELL_SEC,
            kernel_name="python3",
            record_timing=False,
            coalesce_streams=True,
            resources={"metadata": {"path": folder}},
        )
        done = client.execute(env=env)
    done.metadata["language_info"] = {"name": "python"}  # not the version of who ran it last
    for output in (output for cell in code(done) for output in cell.outputs):
        if "image/png" in output.get("data", {}):
            output.data.pop("image/jpeg", None)  # the same picture again
    return done


def code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """The cells that run."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def fingerprint(notebook: nbformat.NotebookNode) -> str:
    """A hash of the sources of what runs: what is shown below is of these cells as long as it stays."""
    sources = "\0".join(cell.source for cell in code(notebook))
    return hashlib.sha256(sources.encode()).hexdigest()[:16]


if __name__ == "__main__":
    main(sys.argv[1:])
