"""The table of docs/autoencoders.md: classes told wrong with 100 labels, by the runs of each way to learn, over seeds.

for seed in 0 1 2 3 4; do
  ggdr train digits_semi_supervised --seed $seed --data.label-seed $seed --out runs/error/adversarial/$seed
  ggdr train digits_semi_supervised --seed $seed --data.label-seed $seed --out runs/error/autoencoder/$seed \\
    --discriminator none --loss none
  ggdr train digits_semi_supervised --seed $seed --data.label-seed $seed --out runs/error/classifier/$seed \\
    --discriminator none --loss none --regularizers.image_reconstruction none
done
python scripts/digits_error.py runs/error
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import mean, stdev

from ggdr.evaluation.inputs import data_of_run
from ggdr.latent.encoding import encode_data
from ggdr.networks.base.module import Encoder
from ggdr.saving.pretrained import Hub, loaded, open_model

WAYS = {
    "classifier": "the encoder alone, on the labelled digits",
    "autoencoder": "and all digits reconstructed",
    "adversarial": "and codes judged beside the prior (AAE)",
}


def main(argv: list[str]) -> int:
    """Print a row of the table for each way that has runs in the folder; 1 if there are none."""
    (folder,) = map(Path, argv)
    rows = {way: [error_of(run) for run in sorted((folder / way).glob("*"))] for way in WAYS}
    print("| what the encoder learns by | wrong, % | seeds |\n| --- | --- | --- |")
    for way, errors in rows.items():
        if errors:
            spread = f" +- {100 * stdev(errors):.1f}" if len(errors) > 1 else ""
            print(f"| {WAYS[way]} | {100 * mean(errors):.1f}{spread} | {len(errors)} |")
    return int(not any(rows.values()))


def error_of(run: Path) -> float:
    """The share of the digits held out whose class the run's encoder tells wrong."""
    encoder = loaded(open_model(run, Hub()).networks["encoder"], Encoder)
    data = data_of_run(str(run))
    found = encode_data(encoder, (data.held_out() or data).open())
    assert found.error is not None
    return found.error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
