"""Pages of the explorer in a real browser."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


PATIENCE_MS = 120_000
"""How long a page may take, on a machine that does other things beside."""


@contextmanager
def browsing(built, width: int = 1200, height: int = 900) -> Iterator[tuple]:
    """A page in a browser, and all that the browser complained about, also of requests to elsewhere."""
    if BROWSER is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    from ggdr.explorer.opening import CSS, theme

    _, address, _ = built.launch(
        server_name="127.0.0.1", server_port=None, prevent_thread_lock=True, quiet=True, theme=theme(), css=CSS
    )
    complaints: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=BROWSER, args=["--no-sandbox"])
        view = browser.new_page(viewport={"width": width, "height": height})
        view.set_default_timeout(PATIENCE_MS)
        view.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        view.on("pageerror", lambda error: complaints.append(str(error)))
        view.on("request", lambda asked: complaints.append(asked.url) if outside(asked.url, address) else None)
        view.goto(address)
        yield view, complaints
        browser.close()
    built.close()


def outside(url: str, address: str) -> bool:
    """Whether a request leaves the page's own server."""
    return not url.startswith((address, "data:", "blob:"))


def source(view, place: str) -> str:
    return view.locator(f"{place} img").first.get_attribute("src")


def changes(view, place: str, before: str, seconds: float = PATIENCE_MS / 1000) -> bool:
    """Whether a picture becomes another one in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if view.locator(f"{place} img").count() and source(view, place) != before:
            return True
        view.wait_for_timeout(50)
    return False


def open_tab(view, name: str) -> None:
    """Open a tab, out of the menu where there is no room for all of them."""
    view.wait_for_selector("[role=tab] >> visible=true")
    tab = view.get_by_role("tab", name=name, exact=True).locator("visible=true")
    if tab.count():
        tab.first.click()
        return
    view.get_by_role("button", name="More tabs").click()
    view.locator(".overflow-dropdown button", has_text=name).click()
