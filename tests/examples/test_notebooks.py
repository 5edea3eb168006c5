"""The notebooks of examples/: their cells run, and what is shown below them was made by them."""

from __future__ import annotations

import base64
import re
import sys

import nbformat
import pytest
from places import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
from run_notebooks import NOTEBOOKS, code, fingerprint, run  # noqa: E402

every_notebook = pytest.mark.parametrize("file", NOTEBOOKS, ids=lambda file: file.stem)
PICTURE_BYTES, MOST_BYTES = 200_000, 400_000
"""of a picture, and of a notebook, so that it reads well on the web"""


def kinds(cell) -> set[str]:
    """What a cell shows: names of streams, and types of pictures and values."""
    return {name for output in cell.outputs for name in output.get("data", [output.get("name", "error")])}


def shown(cell) -> str:
    """All text that a cell shows."""
    texts = [output.get("text", "") + output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return "\n".join(texts)


def test_there_are_notebooks_that_train_use_and_extend():
    assert [file.stem for file in NOTEBOOKS] == ["add_a_term", "train", "use_a_model"]


@every_notebook
def test_what_is_shown_was_made_by_these_cells_in_this_order(file):
    notebook = nbformat.read(file, as_version=4)
    nbformat.validate(notebook)
    again = f"run: python scripts/run_notebooks.py {file.relative_to(ROOT)}"
    assert notebook.metadata["ggdr"]["ran"] == fingerprint(notebook), again
    cells = code(notebook)
    assert [cell.execution_count for cell in cells] == [*range(1, len(cells) + 1)], again
    assert any(cell.outputs for cell in cells), again


@every_notebook
def test_a_notebook_is_small_and_names_no_machine(file):
    assert file.stat().st_size < MOST_BYTES
    text = file.read_text()
    assert not re.search(r"/(tmp|home|root|work|Users)/", text)
    for cell in code(nbformat.read(file, as_version=4)):
        assert "error" not in kinds(cell) and "Warning" not in shown(cell) and "Traceback" not in shown(cell)
        for output in cell.outputs:
            picture = output.get("data", {}).get("image/png", "")
            assert len(base64.b64decode(picture)) < PICTURE_BYTES


@pytest.mark.slow
@pytest.mark.timeout(1800)
@every_notebook
def test_a_notebooks_cells_run_and_show_what_they_showed(file):
    committed = nbformat.read(file, as_version=4)
    again = run(nbformat.read(file, as_version=4))
    for before, after in zip(code(committed), code(again), strict=True):
        bars = {"stderr"}  # of work that takes long enough to be shown
        assert kinds(after) - bars == kinds(before) - bars, after.source
        assert "Warning" not in shown(after), shown(after)


def test_links_of_the_examples_lead_to_files():
    pages = [*(ROOT / "examples").glob("*.md"), *(ROOT / "examples").glob("*/*.md"), *NOTEBOOKS]
    for page in pages:
        text = page.read_text() if page.suffix == ".md" else "\n".join(markdown(page))
        for target in re.findall(r"\]\(((?!http)[^)#]+)\)", text):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
    named = (ROOT / "examples" / "README.md").read_text()
    assert not [file.name for file in NOTEBOOKS if f"]({file.name})" not in named]


def markdown(file) -> list[str]:
    """The texts of a notebook."""
    return [cell.source for cell in nbformat.read(file, as_version=4).cells if cell.cell_type == "markdown"]
