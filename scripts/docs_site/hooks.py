"""What MkDocs calls while it builds the site: pages made from the code join those of docs/, and links are led to them.

`make docs` builds it. Pages that lie in docs/ and at the root of the repository stay what they are; verbs, parts,
recipes and the API are read from the package at each build, so that no page repeats what the code says.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from equations import with_mathml
from linking import Site
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from pages_of_api import api_pages
from pages_of_cards import card_pages
from pages_of_commands import command_pages
from pages_of_parts import part_pages
from pages_of_recipes import recipe_pages
from pages_of_root import root_pages, tutorial_pages

ROOT = Path(__file__).parent.parent.parent


@cache
def site() -> Site:
    """All pages: those of docs/, those made here, and the files of the repository that either links to."""
    made = [pages for make in MAKERS.values() for pages in make(ROOT)]
    return Site(ROOT, made)


MAKERS = {
    "Commands": command_pages,
    "Parts": part_pages,
    "Recipes": recipe_pages,
    "Reference": api_pages,
    "Cards": card_pages,
    "Project": root_pages,
    "Tutorials": tutorial_pages,
}
"""title in mkdocs.yml's nav, whose list the pages join if it is there -> what makes them"""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the generated pages where mkdocs.yml's nav has their title."""
    assert config.nav is not None
    config.nav = [entry(item) for item in config.nav]
    return config


def entry(item: Any) -> Any:
    """An item of nav: one that is a known title alone becomes the tree of the pages made for it."""
    if isinstance(item, str) and item in MAKERS:
        return {item: site().nav(MAKERS[item](ROOT))}
    return item


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and those of the files that pages link to."""
    for uri, text in site().texts().items():
        files.append(File.generated(config, uri, content=text))
    for uri, path in site().pictures.items():
        files.append(File.generated(config, uri, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Lead links from where the file lies in the repository to where its page lies in the site."""
    return site().led(markdown, page.file.src_uri)


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Write equations as MathML, which browsers draw without a script."""
    return with_mathml(html)
