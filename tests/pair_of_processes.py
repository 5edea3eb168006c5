"""What tests/test_processes.py launches: a few steps of the tiny recipe; each process leaves its weights and stats."""

import dataclasses
import sys
from pathlib import Path

import tiny
import torch

from ggdr.launch import make_accelerator
from ggdr.networks.progan import ProGANGenerator
from ggdr.networks.sagan import SAGANDiscriminator
from ggdr.regularizers.lecam import LeCam
from ggdr.running.run import Run
from ggdr.train import train_step


def main(out: Path, pair: str) -> None:
    recipe = dataclasses.replace(tiny.recipe, batch=8, micro_batch=2)
    if pair == "dcgan":
        recipe = tiny.dcgan(recipe)
    if pair == "spectral":
        networks = {"generator": ProGANGenerator.tiny(), "discriminator": SAGANDiscriminator.tiny()}
        recipe = dataclasses.replace(recipe, **networks, regularizers={"lecam": LeCam()})
    if pair == "frozen":
        recipe = dataclasses.replace(recipe, init_from=str(out / "source"), freeze_d=2)
    accelerator = make_accelerator("fp32")
    try:
        run = Run(recipe, out, accelerator)
        reals = run.reals()
        stats = [train_step(run, next(reals)) for _ in range(4)]
        tensors = {f"{name}.{key}": v for name, net in run.networks().items() for key, v in net.state_dict().items()}
        tensors |= {f"{n}_ema.{key}": v for n, net in run.ema.mean.items() for key, v in net.state_dict().items()}
        tensors |= {f"{name}.{key}": v for name, part in run.adaptive.items() for key, v in part.state_dict().items()}
        torch.save((tensors, stats), out / f"{run.processes}-{accelerator.process_index}.pt")
    finally:
        accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
