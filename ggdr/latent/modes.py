"""Multi-modal truncation: towards the nearest of several centres, which keeps more variety than one mean does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError, setting
from ggdr.latent.codes import Codes, codes_of_seeds, draw_codes
from ggdr.latent.directions import draw_styles
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import BATCH_SIZE, SamplingOptions, draw, forward_arguments


class Modes(NamedTuple):
    """The centres of clusters of a generator's style codes, the modes of multi-modal truncation."""

    centres: Tensor
    """Centres [K, W] on the host, float32."""

    def truncate(self, codes: Codes, psi: float, cutoff: int | None = None) -> Codes:
        """Pull style codes [N, L, W], the first `cutoff` (None: all), towards their nearest centre by 1 - psi.

        (Mokady et al. 2022, arXiv 2202.12211, sec. 3.3.) psi 1 leaves them as they are, 0 makes them the centre.
        """
        points = codes.points
        nearest = self.centres[torch.cdist(points[:, 0], self.centres).argmin(dim=1)][:, None]
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


def draw_with_modes(
    generator: Generator,
    seeds: Sequence[int],
    labels: Tensor | None = None,
    view: SamplingOptions | None = None,
    modes: Modes | None = None,
    batch_size: int = BATCH_SIZE,
) -> Iterator[Tensor]:
    """Draw images like `ggdr.sampling.draw`, with psi pulling towards `modes` if given; UserError as there."""
    view = view or SamplingOptions()
    if modes is None:
        return draw(generator, seeds, labels, view, batch_size)
    forward_arguments(generator.config, view)
    if view.truncation_psi is None:
        raise UserError(f"modes are what psi pulls towards; give {setting('truncation_psi')} too, such as 0.7.")
    if view.noise == "random":
        raise UserError("with modes the noise of the layers is the same for all images; leave noise out.")
    codes = codes_of_seeds(generator, seeds, labels)
    return draw_codes(generator, modes.truncate(codes, view.truncation_psi, view.truncation_cutoff), batch_size)
