"""Multi-modal truncation: towards the nearest of several centres, which keeps more variety than one mean does."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.latent.codes import Codes, drawn, seeded
from ggdr.latent.directions import styles_drawn
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import AT_ONCE, View, asked, draw


class Modes(NamedTuple):
    """The centres of clusters of a generator's style codes."""

    centres: Tensor
    """[K, W] on the host"""

    def pulled(self, codes: Codes, psi: float, cutoff: int | None = None) -> Codes:
        """Style codes [N, L, W], their first `cutoff` (None: all) pulled towards their nearest centre by 1 - psi.

        (Mokady et al. 2022, arXiv 2202.12211, sec. 3.3.) psi 1 leaves them as they are, 0 makes them the centre.
        """
        points = codes.points
        nearest = self.centres[torch.cdist(points[:, 0], self.centres).argmin(dim=1)][:, None]
        end = points.shape[1] if cutoff is None else cutoff
        return codes._replace(points=torch.cat([nearest.lerp(points[:, :end], psi), points[:, end:]], dim=1))


@torch.no_grad()
def find_modes(generator: Generator, count: int, labels: Tensor | None = None, seed: int = 0) -> Modes:
    """K-means centres of style codes; `labels` [1, C]: of one class. UserError if the generator has no style codes."""
    if not {Capability.WS, Capability.TRUNCATION} <= generator.config.provides:
        raise UserError(f"generator {generator.config.name!r} has no style codes to find modes of; leave modes out.")
    if count < 1:
        raise UserError(f"{count} modes are none; give 1 or more, such as 16.")
    from sklearn.cluster import KMeans

    points = styles_drawn(generator, labels, seed).numpy()
    return Modes(torch.from_numpy(KMeans(count, n_init=1, random_state=seed).fit(points).cluster_centers_).float())


def draw_modal(
    generator: Generator,
    seeds: Sequence[int],
    labels: Tensor | None = None,
    view: View | None = None,
    modes: Modes | None = None,
    batch_size: int = AT_ONCE,
) -> Iterator[Tensor]:
    """`ggdr.sampling.draw`, but that psi pulls towards `modes`, if there are some. UserError as there."""
    view = view or View()
    if modes is None:
        return draw(generator, seeds, labels, view, batch_size)
    asked(generator.config, view)
    if view.psi is None:
        raise UserError("modes are what psi pulls towards; give psi too, such as 0.7.")
    if view.noise == "random":
        raise UserError("with modes the noise of the layers is the same for all images; leave noise out.")
    codes = seeded(generator, seeds, labels)
    return drawn(generator, modes.pulled(codes, view.psi, view.cutoff), batch_size)
