"""The API reference: what a person imports, from its docstrings, by mkdocstrings."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from linking import Made

import ggdr

MODULES = {
    "Compose a run": ["recipe", "registry", "registry.capability", "errors"],
    "Write a part": [
        *("play.term", "play.duel", "play.game", "play.view", "play.callback", "play.stats", "play.optimizer"),
        *("networks.base", "networks.base.module", "augment.base", "data.base", "features.base"),
        *("metrics.base", "metrics.data", "schedules.base", "trackers.base"),
    ],
    "Use a model": [
        *("pipeline", "pipeline.translation", "pipeline.diffusion", "sampling", "latent", "visualization"),
        *("evaluation", "exporting", "transfer", "hub"),
    ],
    "Building blocks": ["layers", "ops"],
    "Networks on disk": ["saving.model", "saving.checkpoint", "foreign"],
}
"""chapter -> modules and packages of ggdr, a page each"""
ALONE = {"recipe", "registry", "errors", "pipeline", "networks.base"}
"""packages of which the page shows what their own file defines"""
OWN = ("ggdr.from_pretrained", "ggdr.train.train")
"""what the first page explains itself"""


def api_pages(root: Path) -> Iterator[Made]:
    """What `import ggdr` gives, then a page for each module that one writes parts with or uses models by."""
    modules = {module for each in MODULES.values() for module in each}
    entries = []
    for name in ggdr.__all__:
        home = ggdr.HOMES.get(name, "ggdr")
        page = next(
            (module for module in modules if home == f"ggdr.{module}" or home.startswith(f"ggdr.{module}.")), ""
        )
        told = f"- [`ggdr.{name}`][{home}.{name}]" if page else ""
        entries.append(told or f"- [`ggdr.{name}`](#{home}.{name})")
    own = "\n\n".join(f"::: {home}\n    options:\n      heading_level: 2" for home in OWN)
    intro = "What `import ggdr` gives; each is imported at its first use.\n\n```python\nimport ggdr\n```\n\n"
    text = "# API reference\n\n" + intro + "\n".join(entries) + f"\n\n{own}\n"
    yield Made("reference/index.md", "Reference", text, "ggdr")
    for chapter, names in MODULES.items():
        for module in names:
            whole = (root / "ggdr" / module.replace(".", "/")).is_dir() and module not in ALONE
            text = f"::: ggdr.{module}\n    options:\n      show_submodules: {str(whole).lower()}\n"
            yield Made(f"reference/{module}.md", f"ggdr.{module}", text, f"reference/{module}", chapter)
