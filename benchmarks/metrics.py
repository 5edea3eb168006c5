"""Images per second through the networks whose features metrics compare.

    python benchmarks/metrics.py [--images 64]

Weights are random where they would be downloaded (the files that tests make): speed does not depend on them.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

import torch
from rounds import report, timed

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from random_weights import dinov2_in, inception_in

from ggdr.features.digits import Digits
from ggdr.features.dinov2 import DINOv2
from ggdr.features.inception import Inception


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/metrics.json"))
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rows = []
    for extractor in (
        Digits(),
        Inception(weights=str(inception_in(folder))),
        DINOv2(size="s", weights=str(dinov2_in(folder))),
    ):
        network = extractor.load(device)
        images = torch.randint(0, 256, (arguments.images, 3, 256, 256), dtype=torch.uint8, device=device)
        with torch.inference_mode():
            network(images[:2])
            found = [timed(lambda n=network, x=images: n(x)) for _ in range(arguments.rounds)]
        middle = statistics.median(found)
        rows.append(
            [extractor.name, str(network.width), arguments.images / middle, 50_000 / arguments.images * middle / 60]
        )
    report(arguments.out, ["extractor", "features", "images/s, 256 px", "minutes for 50,000 images"], rows)


if __name__ == "__main__":
    main()
