"""A tab with a run as it trains, on the page of whatever model."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from ggdr.explorer import watch
from ggdr.explorer.look import picture_box
from ggdr.explorer.studio import Followed
from ggdr.lazy import optional

with optional("explore", "the page needs"):
    import gradio as gr

WORDS = (
    "**The last lines of the log.** kimg: thousands of real images shown so far. d/ and g/: losses of the discriminator"
    " and of the generator, by term. r_t: the mean sign of its logits of real images, 1 where it knows"
    " them by heart; p: the probability of the augmentations that work against that."
)
WATCH_SEC = 3.0
"""Seconds between two looks at a run's folder."""


def run_tab(followed: Followed[Any], run: Path) -> None:
    """Add a tab with the run as it trains, refreshed every few seconds, and its newest checkpoint to the page."""
    scratch = Path(tempfile.mkdtemp(prefix="ggdr-page-"))
    with gr.Tab("Run"):
        line = gr.Markdown(elem_id="headline")
        grid = picture_box("grid", "the newest images of the run")
        losses = picture_box("losses", "plots of all that the run has logged")
        gr.Markdown(WORDS)
        table = gr.Dataframe(
            interactive=False, elem_id="numbers", elem_classes="numbers", label="the last lines of the log",
            show_label=False, buttons=[],
        )  # fmt: skip
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
