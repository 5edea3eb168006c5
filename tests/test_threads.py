"""OpenMP's threads are told to sleep early before torch starts them, unless the user has said how they wait."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ggdr.threads import WAITING, sleep_early


def test_threads_sleep_early_where_nobody_has_chosen():
    environment = {"HOME": "/"}
    sleep_early(environment)
    assert environment == {"HOME": "/", "GOMP_SPINCOUNT": "2000", "KMP_BLOCKTIME": "0"}


@pytest.mark.parametrize("name", WAITING)
def test_what_the_user_has_chosen_stays(name):
    environment = {name: "7"}
    sleep_early(environment)
    assert environment == {name: "7"}


@pytest.mark.parametrize("module", ["ggdr", "ggdr.train"])
def test_commands_settle_it_before_torch_is_imported(module):
    script = f"""
import os, runpy, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print("torch starts", os.environ.get("GOMP_SPINCOUNT"))
            raise SystemExit
sys.meta_path.insert(0, Watch())
sys.argv = ["ggdr", *{["train"] if module == "ggdr" else []}, "recipes/digits.py", "--dry-run"]
runpy.run_module({module!r}, run_name="__main__")
"""
    free = {name: value for name, value in os.environ.items() if name not in WAITING}
    done = subprocess.run([sys.executable, "-c", script], env=free, capture_output=True, text=True, check=False)
    assert done.stdout.split("\n")[0] == "torch starts 2000", done.stderr
