"""What tests/training/test_processes.py launches: a few steps; each process leaves its weights and stats."""

import dataclasses
import sys
from pathlib import Path

import labelled
import several
import tiny
import torch

from ggdr.networks.progan import ProGANGeneratorConfig
from ggdr.networks.sagan import SAGANDiscriminatorConfig
from ggdr.regularizers.lecam import LeCam
from ggdr.train import train_step
from ggdr.training.launch import make_accelerator
from ggdr.training.run import Run


def main(out: Path, pair: str) -> None:
    recipe = dataclasses.replace(tiny.recipe, batch_size=8, micro_batch_size=2)
    if pair in ("unpaired", "shared_encoder", "found_codes", "pairs_alone", "multimodal", "attentive", "one_way"):
        recipe = several.recipe(pair)
    if pair == "resting":
        recipe = several.recipe(pair)
    if pair in labelled.PARTS:
        recipe = labelled.recipe(pair)
    if pair == "dcgan":
        recipe = tiny.dcgan(recipe)
    if pair == "spectral":
        networks = {"generator": ProGANGeneratorConfig.tiny(), "discriminator": SAGANDiscriminatorConfig.tiny()}
        recipe = dataclasses.replace(recipe, **networks, regularizers={"lecam": LeCam()})
    if pair == "frozen":
        recipe = dataclasses.replace(recipe, init_from=str(out / "source"), freeze_d=2)
    if pair == "scheduled":
        recipe = tiny.scheduled(recipe)
    if pair == "fresh":
        recipe = tiny.fresh(recipe)
    if pair == "diffused":
        recipe = tiny.diffused(recipe)
    accelerator = make_accelerator("fp32")
    try:
        run = Run(recipe, out, accelerator)
        reals = run.reals()
        stats = [train_step(run, next(reals)) for _ in range(4)]
        tensors = {
            f"{name}.{key}": v for name, net in run.networks.named().items() for key, v in net.state_dict().items()
        }
        tensors |= {f"{n}_ema.{key}": v for n, net in run.ema.mean.items() for key, v in net.state_dict().items()}
        tensors |= {f"{name}.{key}": v for name, part in run.adaptive.items() for key, v in part.state_dict().items()}
        torch.save((tensors, stats), out / f"{run.processes}-{accelerator.process_index}.pt")
    finally:
        accelerator.end_training()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
