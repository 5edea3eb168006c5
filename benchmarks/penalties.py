"""R1 and R2 by finite differences against the exact ones: their values, as sigma goes to 0.

    python benchmarks/penalties.py RUN [--draws 200] [--batch-size 32]

RUN has been trained, so that D is as steep as D becomes. All judge the same reals and fakes; a value is the mean
over draws of noise. Time and memory of a step: `python benchmarks/training.py r3gan r3gan+approximate`.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import torch
from rounds import report
from tqdm import tqdm

from ggdr.data.base import DataSet
from ggdr.documents import read_object
from ggdr.play.duel import Duel, StepContext
from ggdr.play.term import Regularizer
from ggdr.recipe.files import from_json
from ggdr.registry import Capability
from ggdr.regularizers.r1 import R1
from ggdr.regularizers.r1_approximate import R1Approximate
from ggdr.regularizers.r2 import R2
from ggdr.regularizers.r2_approximate import R2Approximate
from ggdr.saving.pretrained import load_pair

REQUIRED = frozenset({Capability.REPLAY, Capability.REAL_GRAD, Capability.FAKE_GRAD})
SIGMAS = (1.0, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4, 1e-5)
HEADER = ["sigma", *("r1_approximate / r1", "r2_approximate / r2"), "a step's value varies by"]
HEADER += ["in bfloat16: r1_approximate / r1", "r2_approximate / r2"]


def duel(run: Path, batch_size: int, precision: torch.dtype) -> Duel:
    """The networks of a run on the first reals of its data, and as many fakes."""
    pair = load_pair(run)
    assert pair.discriminator is not None
    images = from_json(DataSet, read_object(run / "recipe.json")["data"]).open()
    batch = images.at(list(range(batch_size)), seed=0)
    autocast = partial(torch.autocast, "cpu", precision, precision != torch.float32)
    torch.manual_seed(0)
    reals = batch.images.float() / 127.5 - 1
    return Duel(pair.generator, pair.discriminator, reals, batch.labels, StepContext("d", REQUIRED, autocast=autocast))


def values(played: Duel, term: Regularizer, draws: int) -> torch.Tensor:
    """What a term is, draw by draw; the passes over images without noise are shared."""
    with torch.no_grad():
        return torch.stack([term.loss(played).double() for _ in range(draws)])


def ratio(found: torch.Tensor, exact: float) -> str:
    """The mean, as a share of the exact value, and its standard error."""
    return f"{found.mean() / exact:.3f} ± {found.std() / len(found) ** 0.5 / exact:.3f}"


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("run", type=Path, help="folder of a run that has a discriminator")
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/penalties.json"))
    arguments = parser.parse_args()
    full, half = (duel(arguments.run, arguments.batch_size, kind) for kind in (torch.float32, torch.bfloat16))
    exact = [term.loss(full).item() for term in (R1(weight=1.0), R2(weight=1.0))]
    rows = []
    for sigma in tqdm(SIGMAS):
        terms = [kind(weight=1.0, sigma=sigma) for kind in (R1Approximate, R2Approximate)]
        found = [values(played, term, arguments.draws) for played in (full, half) for term in terms]
        ratios = [ratio(each, is_) for each, is_ in zip(found, exact * 2, strict=True)]
        rows.append([f"{sigma:g}", *ratios[:2], f"{found[0].std() / found[0].mean():.0%}", *ratios[2:]])
    report(arguments.out, HEADER, rows, exact=dict(zip(("r1", "r2"), exact, strict=True)))


if __name__ == "__main__":
    main()
