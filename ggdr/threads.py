"""How OpenMP's threads wait for each other, which is settled before torch starts them."""

from __future__ import annotations

import os
from collections.abc import MutableMapping

WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME")
"""environment variables by which a user may have chosen already"""
SPINS = 2000
"""turns of the loop in which a thread of GNU's OpenMP waits before it sleeps, some microseconds"""
MILLISECONDS = 0
"""that a thread of LLVM's and Intel's OpenMP (macOS, Windows) waits before it sleeps"""


def sleep_early(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let threads that wait for others sleep early, where the user has not chosen; call it before torch is imported.

    By default OpenMP's threads spin for milliseconds at the end of each parallel loop. Where another process has taken
    a core, they keep it from the very thread that they wait for, and training collapses. The price is about a quarter
    of the speed of small networks on a machine that does nothing else (`benchmarks/busy.py`).
    """
    if not any(name in environment for name in WAITING):
        environment.update({"GOMP_SPINCOUNT": str(SPINS), "KMP_BLOCKTIME": str(MILLISECONDS)})
