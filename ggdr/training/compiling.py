"""torch.compile in a run: phases in which compiled networks run as they were written."""

from __future__ import annotations

from contextlib import AbstractContextManager

import torch


def as_written() -> AbstractContextManager:
    """Context in which compiled networks run uncompiled: their gradient cannot be differentiated again otherwise."""
    return torch.compiler.set_stance("force_eager")
