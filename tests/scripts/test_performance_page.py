"""docs/performance.md says what benchmarks left behind, and nothing else."""

import json
import re
import sys

from places import ROOT

sys.path.append(str(ROOT / "scripts"))
import render_performance  # noqa: E402


def test_the_page_is_as_it_would_be_written():
    page = render_performance.PAGE.read_text()
    assert render_performance.rendered(page) == page, "type: python scripts/render_performance.py"


def test_every_table_names_its_machine_and_command_and_no_path_of_ours():
    names = re.findall(r"<!-- benchmark: ([\w-]+) -->", render_performance.PAGE.read_text())
    assert len(names) >= 10
    for name in names:
        text = (ROOT / "benchmarks" / f"{name}.json").read_text()
        machine = json.loads(text)["machine"]
        assert {"device", "threads", "torch", "date", "commit", "command"} <= machine.keys()
        assert "/home/" not in text and "/root/" not in text and "/work/" not in text
