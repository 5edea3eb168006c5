"""How near a projection comes from the mean style and from an encoder's code, at equal numbers of steps: a table.

ggdr train digits --data.hold-out 297 --total-kimg 30 --out runs/digits
ggdr train digits_encoder --game.generator runs/digits --out runs/encoder
python scripts/projection_starts.py runs/digits runs/encoder

Pictures are the first of those that the encoder's run holds out. The search is that of `ggdr project`, seed 0, by plain
pixels; beside their mean absolute difference, of pixels from 0 to 1, stands the squared difference of the features of
the classifier of digits, which the search does not see.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch

from ggdr.evaluation.inputs import data_of_run
from ggdr.features.digits import Digits
from ggdr.latent.encoding import space_from, starts
from ggdr.latent.projection import Measure, Search, project
from ggdr.networks.base.module import Encoder
from ggdr.ops.pixels import network_input
from ggdr.saving.pretrained import Hub, load_generator, loaded, open_model


def main(argv: Sequence[str]) -> int:
    """Project by both starts and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("encoder")
    parser.add_argument("--pictures", type=int, default=32)
    parser.add_argument("--steps", type=int, nargs="+", default=[0, 25, 100, 400])
    asked = parser.parse_args(argv)
    generator = load_generator(asked.model)
    encoder = loaded(open_model(asked.encoder, Hub()).networks["encoder"], Encoder)
    data = data_of_run(asked.encoder)
    images = (data.held_out() or data).open()
    targets = network_input(images.at(list(range(asked.pictures)), 0).images, 0)
    codes, seen = starts(encoder, generator, targets), Measure(Digits().load(torch.device("cpu")), targets)
    print("| start | steps | l1 of pixels | features of digits |\n| --- | --- | --- | --- |")
    for name, start in (("mean style", None), ("encoder", codes)):
        for steps in asked.steps:
            found = project(generator, targets, Search(space=space_from(encoder, None), steps=steps), start=start)
            away = ((found.images - targets).abs() / 2).mean()
            print(f"| {name} | {steps} | {float(away):.4f} | {float(seen(found.images).mean()):.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
