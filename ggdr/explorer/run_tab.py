"""A tab with a run as it trains, on the page of whatever model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ggdr.explorer import watch
from ggdr.explorer.studio import Followed
from ggdr.lazy import optional

with optional("explore", "the page needs"):
    import gradio as gr

WATCH_SEC = 3.0
"""Seconds between two looks at a run's folder."""


def run_tab(followed: Followed[Any], run: Path) -> None:
    """Add a tab with the run as it trains, refreshed every few seconds, and its newest checkpoint to the page."""
    scratch = Path(tempfile.mkdtemp(prefix="ggdr-page-"))
    with gr.Tab("Run"):
        line = gr.Markdown(elem_id="headline")
        grid = gr.Image(show_label=False, interactive=False, format="png", elem_id="grid", elem_classes="pixels",
                        buttons=[])  # fmt: skip
        losses = gr.Image(show_label=False, interactive=False, format="png", elem_id="losses", buttons=[])
        table = gr.Dataframe(interactive=False, elem_id="numbers", show_label=False)
    seen = gr.State(None)

    def refresh(before: Any) -> list[Any]:
        now = watch.stamp(run)
        followed.refresh()
        if now == before:
            return [gr.skip()] * 4 + [now]
        names, rows = watch.number_table(run)
        drawn = watch.losses_picture(run, scratch) if rows else None
        return [watch.headline(run), watch.grid_picture(run), drawn, gr.update(headers=names, value=rows), now]

    outputs = [line, grid, losses, table, seen]
    gr.Timer(WATCH_SEC).tick(refresh, [seen], outputs, show_progress="hidden")
