"""What `launching.by_one_and_by_two` launches: a few steps of each recipe; each process leaves its weights and stats.

python tests/support/pair_of_processes.py FOLDER RECIPE...: one launch for all, since imports take longest
"""

from __future__ import annotations

import dataclasses
import sys
from pathlib import Path

import coded
import labelled
import mapped
import several
import tiny
import torch
import two_stages
from accelerate import Accelerator

from ggdr.networks.progan import ProGANGeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.optimizers.sgd import SGD
from ggdr.recipe import Recipe
from ggdr.regularizers.lecam import LeCam
from ggdr.train import train_step
from ggdr.training.launch import make_accelerator
from ggdr.training.run import Run

BEFORE_NORMS = ("augmented", "encoded")
"""recipes with biases before norms, which have no gradient but by rounding; Adam would make whole steps of that"""


def recipe_of(pair: str, out: Path) -> Recipe:
    """The recipe of that name; `out`: where a frozen one finds what it begins with."""
    recipe = dataclasses.replace(tiny.recipe, batch_size=8, micro_batch_size=2)
    if pair in mapped.PARTS:
        return mapped.recipe(pair)
    if pair in labelled.PARTS or pair in coded.PARTS:
        return coded.recipe_of(pair)
    if pair == "spectral":
        networks = {"generator": ProGANGeneratorConfig.tiny(), "discriminator": SAGANDiscriminatorConfig.tiny()}
        return dataclasses.replace(recipe, **networks, regularizers={"lecam": LeCam()})
    if pair == "frozen":
        return dataclasses.replace(recipe, init_from=str(out / "source"), freeze_d=2)
    if pair == "two_stages":
        return dataclasses.replace(two_stages.two(out / "source"), batch_size=8, micro_batch_size=2)
    of_tiny = {"dcgan": tiny.dcgan, "scheduled": tiny.scheduled, "fresh": tiny.fresh, "diffused": tiny.diffused}
    of_tiny["transformers"] = tiny.transformers
    if pair in of_tiny:
        return of_tiny[pair](recipe)
    if pair in BEFORE_NORMS:
        return dataclasses.replace(several.recipe(pair), g_optimizer=SGD())
    return recipe if pair == "stylegan2" else several.recipe(pair)


def train(pair: str, out: Path, accelerator: Accelerator) -> None:
    """Four steps, and what came of them into a file of the process."""
    run = Run(recipe_of(pair, out), out, accelerator)
    reals = run.reals()
    stats = [train_step(run, next(reals)) for _ in range(4)]
    tensors = {f"{name}.{key}": v for name, net in run.networks.named().items() for key, v in net.state_dict().items()}
    tensors |= {f"{n}_ema.{key}": v for n, net in run.ema.mean.items() for key, v in net.state_dict().items()}
    tensors |= {f"{name}.{key}": v for name, part in run.adaptive.items() for key, v in part.state_dict().items()}
    torch.save((tensors, stats), out / f"{run.processes}-{accelerator.process_index}.pt")


def main(out: Path, *pairs: str) -> None:
    accelerator = make_accelerator("fp32")
    try:
        for pair in pairs:
            train(pair, out / pair, accelerator)
    finally:
        accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
