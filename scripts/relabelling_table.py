"""What becomes of digits whose codes are found and put under other labels: the table of docs/autoencoders.md.

ggdr train digits_dcgan --data.labels --data.hold-out 297 --total-kimg 60 --out runs/labelled
ggdr train digits_encoder --data.labels --game.generator runs/labelled --out runs/labelled-encoder
python scripts/relabelling_table.py runs/labelled runs/labelled-encoder

Pictures are the first of those that the runs hold out, each projected under its own digit, seed 0. A judge that no
search sees, a support vector machine on the pixels of the other digits, says which digit it takes an image for. Slants
are the second moments of the ink, sideways over upright, of picture and image under another digit, less the mean of
their digit; their correlation says how far the hand stays. Beside it stands that of images of other codes.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import torch
from sklearn.svm import SVC
from torch import Tensor

from ggdr.data.base import Images
from ggdr.evaluation.inputs import data_of_run
from ggdr.features.digits import Digits
from ggdr.features.plain import Pixels
from ggdr.latent.codes import images_of
from ggdr.latent.encoding import starts
from ggdr.latent.projection import Measure, Search, project
from ggdr.latent.relabelling import relabelled
from ggdr.networks.base.module import Encoder, Generator
from ggdr.ops.pixels import network_input
from ggdr.saving.pretrained import Hub, load_generator, loaded, open_model


def main(argv: Sequence[str]) -> int:
    """Project by each way, put the codes under all other digits, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("encoder")
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--steps", type=int, default=100)
    asked = parser.parse_args(argv)
    generator = load_generator(asked.model)
    encoder = loaded(open_model(asked.encoder, Hub()).networks["encoder"], Encoder)
    data = data_of_run(asked.model)
    seen, digits = shown(data.open(), None)
    judge = SVC().fit(seen.flatten(1).numpy(), digits.argmax(1).numpy())
    held_out = data.held_out()
    assert held_out is not None
    targets, labels = shown(held_out.open(), asked.pictures)
    identity = Measure(Digits().load(torch.device("cpu")), targets)
    print("| code | identity distance | seen as its digit | as the digit it is put under | slants |")
    print("| --- | --- | --- | --- | --- |")
    given = starts(encoder, generator, targets)
    for name, search in (
        ("encoder alone", Search(steps=0)),
        (f"{asked.steps} steps by pixels", Search(steps=asked.steps, extractor=Pixels())),
        (f"{asked.steps} steps by identity", Search(steps=asked.steps, extractor=Digits(), pixels=0.0)),
    ):
        found = project(generator, targets, search, labels=labels, start=given)
        own = share(judge, found.images, labels)
        away = float(identity(found.images).mean())
        images, wanted, of = under_others(generator, found.codes, labels)
        other = share(judge, images, wanted)
        kept = correlation(slant(targets)[of], labels[of], slant(images), wanted)
        print(f"| {name} | {away:.2f} | {own:.0%} | {other:.0%} | {kept:.2f} |", flush=True)
    torch.manual_seed(0)
    images = generator(torch.randn(len(wanted), generator.z_dim), wanted).image.detach()
    by_chance = correlation(slant(targets)[of], labels[of], slant(images), wanted)
    print(f"| other codes |  |  | {share(judge, images, wanted):.0%} | {by_chance:.2f} |")
    return 0


def shown(images: Images, count: int | None) -> tuple[Tensor, Tensor]:
    """The first images [N, C, H, W] in [-1, 1] of a data set, None: all, and their labels [N, L]."""
    batch = images.at(list(range(len(images) if count is None else count)), 0)
    assert batch.labels is not None
    return network_input(batch.images, 0), batch.labels


@torch.no_grad()
def under_others(generator: Generator, codes, labels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Images of all codes under each digit but their own, these labels, and the places of the codes."""
    pairs = [(place, digit) for place in range(len(labels)) for digit in range(10) if not labels[place, digit]]
    of = torch.tensor([place for place, _ in pairs])
    wanted = torch.eye(10)[[digit for _, digit in pairs]]
    return images_of(generator, relabelled(generator, codes.rows(of.tolist()), labels[of], wanted)), wanted, of


def share(judge: SVC, images: Tensor, labels: Tensor) -> float:
    """The share of images that the judge takes for their digits."""
    told = judge.predict(images.flatten(1).numpy())
    return float((torch.from_numpy(told) == labels.argmax(1)).float().mean())


def slant(images: Tensor) -> Tensor:
    """How far ink leans [N]: its second moment sideways and upright over that upright alone."""
    ink = ((images + 1) / 2).clamp(min=0).mean(dim=1)
    ink = ink / ink.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
    place = torch.linspace(-1, 1, ink.shape[1])
    x, y = place[None, None, :], place[None, :, None]
    dx, dy = (each - (ink * each).sum(dim=(1, 2), keepdim=True) for each in (x, y))
    return (ink * dx * dy).sum(dim=(1, 2)) / (ink * dy * dy).sum(dim=(1, 2)).clamp(min=1e-6)


def correlation(one: Tensor, its: Tensor, other: Tensor, others: Tensor) -> float:
    """The correlation of two slants [N], each less the mean of its digits [N, 10]."""
    a, b = (
        value - (labels @ ((labels.T @ value) / labels.sum(0).clamp(min=1)))
        for value, labels in ((one, its), (other, others))
    )
    return float((a * b).mean() / (a.std() * b.std()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
