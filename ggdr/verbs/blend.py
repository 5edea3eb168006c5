"""`ggdr blend A B --amount 0.8 --out MODEL`: a model whose weights lie between those of two models.

ggdr blend runs/psnr_rrdb runs/esrgan --amount 0.8 --out models/esrgan-0.8

ggdr translate models/esrgan-0.8 photos --out larger

Between a model that was trained for little distance and the GAN that was trained from it there are all degrees of
detail (Wang et al. 2018, arXiv 1809.00219, section 3.4). In Python: `ggdr.blend(a, b, out, amount=0.8)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.flags.command_line import parsed
from ggdr.formatting import significant
from ggdr.verbs.outputs import check_model_folder


@dataclass(frozen=True)
class Blend:
    """Which models, how much of each, and where to."""

    a: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="A")]
    """folder of a run, a checkpoint or a model, or a Hub repository"""
    b: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="B")]
    """another of the same kind, best one that was trained from the first"""
    out: Path
    """folder to make: each network that both have, and source.json"""
    amount: float = 0.5
    """share of B in the weights, 0 (A alone) to 1 (B alone)"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Blend what `argv` asks for and say where it is; UserError if it cannot be done, and then nothing is made."""
    command = parsed(Blend, argv, "ggdr blend", __doc__)
    check_model_folder(command.out)
    from ggdr.registry import use
    from ggdr.transfer.blend import blend

    for file in command.use:
        use(file)
    blend(command.a, command.b, command.out, amount=command.amount)
    of_a, of_b = significant(1 - command.amount), significant(command.amount)
    print(f"{command.out}: {of_a} of {command.a} and {of_b} of {command.b}")
    return 0
