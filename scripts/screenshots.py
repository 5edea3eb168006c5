"""Take the pictures of the explorer: docs/explorer.png, docs/explorer-inside.png and docs/explorer-phone.png.

    python scripts/screenshots.py runs/digits --out docs

Needs `pip install 'ggdr[explore]' playwright` and a Chromium on the PATH.
"""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ggdr.cli import guarded
from ggdr.errors import UserError

if TYPE_CHECKING:
    from playwright.sync_api import Page

DESK, PHONE = {"width": 1180, "height": 1170}, {"width": 390, "height": 844}
SETTLE_MS, PATIENCE_MS = 5000, 120_000
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Screenshots:
    """Of what, and where to."""

    model: Annotated[str, tyro.conf.Positional]
    """a run or a model"""
    out: Path = Path("docs")
    """folder of the pictures"""
    seed: int = 4
    """of the image that is looked at"""


def main(argv: list[str]) -> int:
    """Serve the page, look at it, leave the pictures; ValueError without a Chromium."""
    asked = tyro.cli(Screenshots, args=argv, prog="screenshots.py", description=__doc__)
    browser = next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if browser is None:
        raise UserError(f"there is none of {', '.join(CHROMIUMS)} on the PATH; install one.")
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    from playwright.sync_api import sync_playwright

    from ggdr.explorer.opening import CSS, page_of, theme

    page = page_of(asked.model)
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, theme=theme(), css=CSS)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox"])
        view = opened(chromium.new_page(viewport=DESK), address, asked.seed)
        view.screenshot(path=asked.out / "explorer.png")
        view.get_by_role("tab", name="Inside").click()
        view.wait_for_selector("#clusters img", timeout=PATIENCE_MS)
        view.locator("#current img").click(position={"x": 190, "y": 110})
        view.wait_for_timeout(SETTLE_MS)
        view.mouse.move(0, 0)
        view.screenshot(path=asked.out / "explorer-inside.png")
        phone = opened(chromium.new_page(viewport=PHONE, color_scheme="dark"), address, asked.seed)
        phone.screenshot(path=asked.out / "explorer-phone.png")
        chromium.close()
    page.close()
    return 0


def opened(view: Page, address: str, seed: int) -> Page:
    """The page at an address, with the image of a seed."""
    view.goto(address)
    view.wait_for_selector("#seeds img", timeout=PATIENCE_MS)
    view.locator("#seed input").fill(str(seed))
    view.locator("#seed input").press("Enter")
    view.wait_for_timeout(SETTLE_MS)
    return view


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
