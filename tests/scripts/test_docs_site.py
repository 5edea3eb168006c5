"""The documentation site: built without a network, of pages and code, and each link in it leads somewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import unquote

import pytest
from places import ROOT

sys.path.insert(0, str(ROOT / "scripts/docs_site"))

from equations import equations, with_mathml
from linking import Made, Site
from pages_of_commands import command_pages
from pages_of_parts import part_pages
from pages_of_root import root_pages, tutorial_pages
from prose import prose

from ggdr.cli import VERBS
from ggdr.registry import REGISTRIES, discover

TAG = re.compile(r"<(a|link|img|script|source|iframe)\b([^>]*)>")
TARGET = re.compile(r"\b(?:href|src)=(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))")
ANCHOR = re.compile(r"\b(?:id|name)=(?:\"([^\"]*)\"|'([^']*)'|([^\s>]+))")
OTHERWISE = "http://127.0.0.1:9"
"""a proxy at which nobody listens"""


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """The site, built in strict mode by a process that reaches no network."""
    out = tmp_path_factory.mktemp("site")
    nowhere = {name: OTHERWISE for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY")}
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(out)]
    built = subprocess.run(command, cwd=ROOT, env=os.environ | nowhere, capture_output=True, text=True)
    assert built.returncode == 0, built.stdout + built.stderr
    return out


def value(found: re.Match[str]) -> str:
    """What an attribute holds, however it is quoted."""
    return unescape(next(group for group in found.groups() if group is not None))


def targets(text: str) -> list[tuple[str, str]]:
    """Tag and address of each link, picture, script and style sheet of a page."""
    return [(tag, value(found)) for tag, inside in TAG.findall(text) for found in TARGET.finditer(inside)]


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_link_and_anchor_of_the_site_leads_somewhere(site):
    texts = {page: page.read_text() for page in site.rglob("*.html")}
    anchors = {page: {value(found) for found in ANCHOR.finditer(text)} for page, text in texts.items()}
    assert len(texts) > 400
    broken = set()
    for page, text in texts.items():
        if page.name == "404.html":
            continue
        for _, target in targets(text):
            path, _, anchor = target.partition("#")
            if re.match(r"\w+:|//", path):
                continue
            there = (page.parent / unquote(path)).resolve() if path else page
            there = there / "index.html" if there.is_dir() else there
            if not there.exists() or (anchor and there in anchors and unquote(anchor) not in anchors[there]):
                broken.add((str(page.relative_to(site)), target))
    assert not broken


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_the_site_asks_no_other_place_for_anything(site):
    asked = {
        address
        for page in site.rglob("*.html")
        for tag, address in targets(page.read_text())
        if tag != "a" and re.match(r"https?:|//", address) and 'rel="canonical"' not in address
    }
    assert not asked
    assert "fonts.googleapis" not in (site / "index.html").read_text()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_each_verb_each_part_and_the_equations_have_their_pages(site):
    for verb in VERBS:
        assert f"usage: ggdr {verb}" in (site / f"commands/{verb}.html").read_text()
    r1 = (site / "parts/regularizers/r1.html").read_text()
    assert "<math" in r1 and "regularizers.r1.weight" in r1 and "rule of thumb" in r1 and "mescheder2018r1" in r1
    assert "from_pretrained" in (site / "reference/index.html").read_text()


@pytest.fixture(scope="module")
def parts() -> dict[str, Made]:
    """The pages of parts, by their places."""
    return {page.uri: page for page in part_pages(ROOT)}


def test_each_part_that_comes_with_ggdr_has_a_page_with_its_settings_and_paper(parts):
    own = {
        f"parts/{kind}/{name}.md"
        for kind, registry in REGISTRIES.items()
        for name, part in registry.items()
        if part.__module__.startswith("ggdr.")
    }
    assert own <= parts.keys()
    page = parts["parts/regularizers/path_length.md"].text
    assert "| `--regularizers.path_length.shrink` | `2` | the penalty runs on the N-th part" in page
    assert "eprint    = {1912.04958}" in page and r"\mathbf{J}_w" in page and "| requires | `ws` |" in page
    assert "[lsun_cat](/recipes/lsun_cat.py)" in page and "[dcgan](/recipes/zoo/dcgan.py)" not in page


def test_a_setting_that_a_part_has_from_its_base_is_explained_too(parts):
    assert "`--loss.weight` | `1.0` | factor of this term in its player's loss" in parts["parts/losses/hinge.md"].text


def test_every_equation_is_one_of_a_part_and_becomes_mathml():
    discover()
    for (kind, name), text in equations(ROOT).items():
        assert name in REGISTRIES[kind], (kind, name)
        blocks = re.findall(r"\$\$(.+?)\$\$", text, re.DOTALL)
        assert blocks, name
        for latex in blocks:
            page = with_mathml(f'<div class="arithmatex">\\[{latex}\\]</div>')
            assert "<math" in page and "arithmatex" not in page and "\\" not in re.sub("<[^>]+>", "", page), name


def test_links_of_the_repository_lead_to_pages_of_the_site():
    made = [
        Made("parts/regularizers/r1.md", "r1", "", "parts/regularizers/r1", also="ggdr/regularizers"),
        *root_pages(ROOT),
        *tutorial_pages(ROOT),
    ]
    site = Site(ROOT, made)
    led = {
        "[a](../README.md#start)": "[a](index.md#start)",
        "[a](data.md)": "[a](data.md)",
        "[a](../ARCHITECTURE.md#glossary)": "[a](architecture.md#glossary)",
        "[a](../ggdr/regularizers)": "[a](parts/regularizers/r1.md)",
        "![a](zoo.png)": "![a](zoo.png)",
        "[a](https://arxiv.org)": "[a](https://arxiv.org)",
        "[a](#here)": "[a](#here)",
        "```\n[a](../README.md)\n```": "```\n[a](../README.md)\n```",
    }
    for before, after in led.items():
        assert site.led(before, "faq.md") == after
    assert site.led("[a](CONTRIBUTING.md)", "architecture.md") == "[a](contributing.md)"
    assert site.led("![a](digits.png)", "source/examples/plugin/README.md.md") == "![a](digits.png)"
    assert site.pictures["source/examples/plugin/digits.png"] == ROOT / "examples/plugin/digits.png"
    example = "source/examples/plugin/README.md.md"
    assert site.led("[a](../../CONTRIBUTING.md)", example) == "[a](../../../contributing.md)"
    assert site.source_text("examples/plugin/README.md").startswith("---\nsearch:\n  exclude: true\n---\n\n# ")
    assert "ggdr/train.py" in site.sources and "## ggdr" not in site.source_text("ggdr/train.py")
    assert "from __future__ import annotations" in site.source_text("ggdr/train.py")


def test_a_tutorial_that_is_a_section_of_contributing_is_a_page_and_no_copy():
    pages = {page.uri: page.text for page in [*root_pages(ROOT), *tutorial_pages(ROOT)]}
    page, whole = pages["tutorials/regularizer.md"], pages["contributing.md"]
    assert page.startswith("# Add a regularizer in one file\n") and "## Ship it as a package" in page
    assert "epsilon_drift" in page and "epsilon_drift" not in whole and "## Add a regularizer in one file" in whole


def test_the_service_beside_its_files_is_a_tutorial_and_its_links_lead_to_them():
    site = Site(ROOT, [*root_pages(ROOT), *tutorial_pages(ROOT)])
    (page,) = (page for page in tutorial_pages(ROOT) if page.uri == "tutorials/service.md")
    assert page.text == (ROOT / "examples/service/README.md").read_text()
    assert "(../source/examples/service/server.py.md)" in site.led(page.text, page.uri)
    assert site.led("[a](examples/service/README.md)", "contributing.md") == "[a](tutorials/service.md)"


def test_help_is_what_the_command_prints():
    pages = {page.uri: page.text for page in command_pages(ROOT)}
    assert pages.keys() == {"commands/index.md", *(f"commands/{verb}.md" for verb in VERBS)}
    assert "--truncation-psi" in pages["commands/generate.md"] and "--regularizers.ggdr" in pages["commands/train.md"]


def test_docstrings_stay_what_they_say():
    assert prose("Mean of |a_b|.\n\n    of `x*y` [N, C]") == "Mean of \\|a_b\\|.\n\nof `x*y` \\[N, C\\]"
