"""Where the files that tests read lie."""

from __future__ import annotations

import os
from pathlib import Path

SUPPORT = Path(__file__).parent
ROOT = SUPPORT.parent.parent
OWN_GOLDEN = ROOT / "tests" / "golden"
"""the golden vectors that are committed"""
GOLDEN = Path(os.environ.get("GGDR_GOLDEN", OWN_GOLDEN))
"""the golden vectors to compare with: these, or those of the folder that the variable names"""
TINY = str(SUPPORT / "tiny.py")
"""a recipe that trains within seconds"""
