"""Truncation towards other centres than the mean of all: the nearest of several, or the mean of an image's label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, get_args

import torch
from torch import Tensor

from ggdr.errors import UserError, setting
from ggdr.latent.codes import Codes, codes_of_seeds, draw_codes
from ggdr.latent.directions import draw_styles
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import BATCH_SIZE, SamplingOptions, draw, forward_arguments

TruncationMean = Literal["all", "class"]
"""What psi pulls towards: the mean of all style codes, or that of those of the image's own label."""


class Modes(NamedTuple):
    """The centres of a generator's style codes that truncation pulls towards."""

    centres: Tensor
    """Centres [K, W] on the host, float32."""
    own: bool = False
    """Whether each code has its centre, in their order; False: its centre is the nearest."""

    def truncate(self, codes: Codes, psi: float, cutoff: int | None = None) -> Codes:
        """Pull style codes [N, L, W], the first `cutoff` (None: all), towards their centre by 1 - psi.

        (Mokady et al. 2022, arXiv 2202.12211, sec. 3.3.) psi 1 leaves them as they are, 0 makes them the centre.
        """
        points, centres = codes.points, self.centres
        if not self.own:
            centres = centres[torch.cdist(points[:, 0], centres).argmin(dim=1)]
        nearest = centres[:, None]
        end = points.shape[1] if cutoff is None else cutoff
        return codes._replace(points=torch.cat([nearest.lerp(points[:, :end], psi), points[:, end:]], dim=1))


@torch.no_grad()
def find_modes(generator: Generator, count: int, labels: Tensor | None = None, seed: int = 0) -> Modes:
    """Find K-means centres of style codes; `labels` [1, C]: of one class. UserError if the generator has no style
    codes."""
    if not {Capability.WS, Capability.TRUNCATION} <= generator.config.provides:
        raise UserError(f"generator {generator.config.name!r} has no style codes to find modes of; leave modes out.")
    if count < 1:
        raise UserError(f"{count} modes are none; give 1 or more, such as 16.")
    from sklearn.cluster import KMeans

    points = draw_styles(generator, labels, seed).numpy()
    return Modes(torch.from_numpy(KMeans(count, n_init=1, random_state=seed).fit(points).cluster_centers_).float())


@torch.no_grad()
def label_means(generator: Generator, labels: Tensor | None, seed: int = 0) -> Modes:
    """Find the mean style code of each label of `labels` [N, C], as the centre of each of N codes.

    UserError if the generator has no labels, or no style codes.
    """
    if not {Capability.WS, Capability.TRUNCATION} <= generator.config.provides:
        raise UserError(
            f"generator {generator.config.name!r} has no style codes whose mean a class could have; leave"
            f" {setting('truncation_mean')} out."
        )
    if labels is None:
        raise UserError(
            f"this generator was trained without labels, so that there is one mean; leave {setting('truncation_mean')}"
            " out."
        )
    kinds, of = labels.unique(dim=0, return_inverse=True)
    return Modes(torch.stack([draw_styles(generator, kind, seed).mean(dim=0) for kind in kinds])[of], own=True)


def centres_for(
    generator: Generator, labels: Tensor | None, mean: TruncationMean = "all", modes: int | None = None
) -> Modes | None:
    """Find what psi pulls the codes of images with labels [N, C] towards; None: the mean of all codes.

    UserError if both are asked for, or the generator has neither.
    """
    if mean not in get_args(TruncationMean):
        raise UserError(f"{setting('truncation_mean')} is {mean!r}; give 'all' or 'class'.")
    if mean == "class" and modes is not None:
        raise UserError(f"psi pulls towards the mean of a class or towards modes; leave {setting('modes')} out.")
    if mean == "class":
        return label_means(generator, labels)
    return None if modes is None else find_modes(generator, modes)


def truncated_codes(
    generator: Generator,
    seeds: Sequence[int],
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    modes: Modes | None = None,
) -> Codes:
    """Return the codes of seeds and labels [N, C], with psi pulling towards `modes` (None: the mean of all codes).

    UserError if the generator does not take what `view` or `labels` set, or modes are there without psi.
    """
    view = view or SamplingOptions()
    if modes is None:
        return codes_of_seeds(generator, seeds, labels, view)
    forward_arguments(generator.config, view)
    if view.truncation_psi is None:
        what = "the mean of a class is" if modes.own else "modes are"
        raise UserError(f"{what} what psi pulls towards; give {setting('truncation_psi')} too, such as 0.7.")
    if view.noise == "random":
        what = "the mean of a class" if modes.own else "modes"
        raise UserError(f"with {what} the noise of the layers is the same for all images; leave noise out.")
    codes = codes_of_seeds(generator, seeds, labels)
    return modes.truncate(codes, view.truncation_psi, view.truncation_cutoff)


def draw_with_modes(
    generator: Generator,
    seeds: Sequence[int],
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    modes: Modes | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Tensor]:
    """Draw images like `ggdr.sampling.draw`, with psi pulling towards `modes` if given; UserError as there."""
    if modes is None:
        return draw(generator, seeds, labels, view or SamplingOptions(), batch_size)
    return draw_codes(generator, truncated_codes(generator, seeds, labels, view, modes), batch_size)
