"""`ggdr blend A B --out MODEL`: a model between two, whose weights lie between theirs, or whose layers are of both.

ggdr blend runs/psnr_rrdb runs/esrgan --amount 0.8 --out models/esrgan-0.8

ggdr blend models/faces runs/cartoons --from-resolution 32 --out models/faces-drawn

Between a model that was trained for little distance and the GAN that was trained from it there are all degrees of
detail (Wang et al. 2018, arXiv 1809.00219, section 3.4). With --from-resolution the coarse layers of a style-based
generator, which decide pose and shape, stay those of A, and B, which was trained from it, gives the finer ones with
their texture (layer swapping, Pinkney & Adler 2020, arXiv 2010.05334); the other way around, B's shapes have A's
texture. In Python: `ggdr.blend(a, b, out, amount=0.8)`, `ggdr.blend(a, b, out, from_resolution=32)`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.documents import check_model_place
from ggdr.flags.command_line import parsed
from ggdr.formatting import significant
from ggdr.progress import Bar, say_loading
from ggdr.verbs.outputs import check_model_folder


@dataclass(frozen=True)
class Blend:
    """Which models, how much of each, and where to."""

    a: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="A")]
    """folder of a run, a checkpoint or a model, or a Hub repository"""
    b: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="B")]
    """another of the same kind, best one that was trained from the first"""
    out: Path
    """folder to make: each network that both have (by layers: the generator alone), and source.json"""
    amount: float | None = None
    """share of B in the weights, 0 (A alone) to 1 (B alone); None: 0.5, and by layers 1"""
    from_resolution: int | None = None
    """height in pixels of the maps from which on layers are B's; A's are those below, and the mapping network; None:
    all layers are blended"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Blend what `argv` asks for and say where it is; UserError if it cannot be done, and then nothing is made."""
    command = parsed(Blend, argv, "ggdr blend", __doc__)
    check_model_folder(command.out)
    for model in (command.a, command.b):
        check_model_place(model)
    say_loading(f"{command.a} and {command.b}")
    from ggdr.registry import use
    from ggdr.transfer.blend import blend

    for file in command.use:
        use(file)
    with Bar("blending"):
        blend(command.a, command.b, command.out, amount=command.amount, from_resolution=command.from_resolution)
    print(f"{command.out}: {said(command)}")
    return 0


def said(command: Blend) -> str:
    """What the model is made of."""
    amount = command.amount
    if command.from_resolution is None:
        amount = 0.5 if amount is None else amount
        return f"{significant(1 - amount)} of {command.a} and {significant(amount)} of {command.b}"
    share = "" if amount is None else f" {significant(amount)} of"
    return f"{command.a}, with{share} the layers of {command.b} from {command.from_resolution} px on"
