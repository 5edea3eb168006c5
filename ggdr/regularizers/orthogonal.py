"""BigGAN's orthogonal regularization, which makes a generator amenable to truncation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.lazy import Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer
from ggdr.registry import regularizers

if TYPE_CHECKING:
    from ggdr.networks.base.module import Generator


@regularizers.register("orthogonal", paper="1809.11096")
@dataclass(frozen=True, kw_only=True)
class Orthogonal(Regularizer):
    """Orthogonal regularization of G: its filters are pairwise orthogonal, of any norm (Brock et al. 2019, eq. 3).

    Of weights as they are kept, before spectral normalization: the paper's weight is for those that start orthogonal,
    as biggan's. Equalized ones (stylegan2) start with norms far from one, and ask for a far smaller weight.
    """

    weight: float = 1e-4
    """beta"""

    def g_loss(self, duel: Duel) -> Tensor:
        return torch.stack([overlap(matrix) for matrix in filters(duel.G)]).sum()


def overlap(matrix: Tensor) -> Tensor:
    """Sum of the squared inner products of each row [D] of matrix [K, D] with all others."""
    products = matrix @ matrix.T
    return (products - torch.diag(products.diagonal())).square().sum()


def filters(network: Generator) -> Iterator[Tensor]:
    """The weights of each layer but of embeddings of labels, a filter a row [outputs, inputs * kernel].

    Those of embeddings lie in a layer called "embed"; normalised ones are kept as "weight.original".
    """
    for name, weight in network.named_parameters():
        words = name.split(".")
        if weight.ndim < 2 or "embed" in words or "weight" not in words[-2:]:
            continue
        turned = isinstance(network.get_submodule(".".join(words[:-1])), torch.nn.ConvTranspose2d)  # [inputs, outputs]
        yield (weight.transpose(0, 1) if turned else weight).flatten(1)
