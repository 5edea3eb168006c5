"""A Space of the Hub: the files that show a model's page there."""

from __future__ import annotations

from pathlib import Path

from ggdr import __version__
from ggdr.documents import is_hub_id
from ggdr.errors import UserError
from ggdr.lazy import optional

APP = '''"""The page of {model}: https://huggingface.co/{model}"""

from ggdr.explorer.opening import CSS, page_of, theme

page = page_of("{model}")

if __name__ == "__main__":
    page.launch(theme=theme(), css=CSS)
'''
README = """---
title: {title}
sdk: gradio
sdk_version: {gradio}
app_file: app.py
models:
- {model}
license: apache-2.0
---

Seeds, style mixing, directions, and what is inside [{model}](https://huggingface.co/{model}), by ggdr.
"""


def write_space(folder: Path, model: str) -> list[Path]:
    """Write app.py, requirements.txt and README.md for a model of the Hub; UserError if it is none, or one exists."""
    with optional("explore", "the page needs"):
        import gradio

    if not is_hub_id(model):
        raise UserError(f"a Space opens a model of the Hub, and {model!r} is none; type: ggdr push {model} org/name.")
    texts = {
        "app.py": APP.format(model=model),
        "requirements.txt": f"ggdr[explore]>={__version__}\n",
        "README.md": README.format(model=model, title=model.rpartition("/")[2], gradio=gradio.__version__),
    }
    if there := [name for name in texts if (folder / name).exists()]:
        raise UserError(f"{folder / there[0]} is there already; give another folder by --space.")
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")
    return [folder / name for name in texts]
