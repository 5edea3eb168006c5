"""Network interpolation: weights between those of two models (Wang et al. 2018, arXiv 1809.00219, sec. 3.4)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ggdr import __version__
from ggdr.errors import UserError
from ggdr.networks.base.module import Network
from ggdr.saving.model import LIVE, describe, save_new
from ggdr.saving.pretrained import Hub, SavedModel, open_model, translator_index


def blend(a: str | Path, b: str | Path, out: str | Path, *, amount: float = 0.5) -> Path:
    """Write a model whose weights are (1 - amount) times those of `a` plus amount times those of `b`; return `out`.

    `a`, `b`: folders of runs, checkpoints or models, or Hub repositories, of which one learned from the other; each
    network that both have by a name is blended, of runs their running means. `amount`: 0 (a) to 1 (b). `out`: a folder
    that is not there yet. UserError if the networks are not of one kind and size.
    """
    if not 0 <= amount <= 1:
        raise UserError(f"amount is {amount:g}; give a number from 0, the first model, to 1, the second.")
    first, second = (open_model(each, Hub()) for each in (a, b))
    names = [name for name in second.networks if name in first.networks and not name.endswith(LIVE)]
    if not names:
        raise UserError(
            f"{str(a)!r} holds {', '.join(first.networks)}, and {str(b)!r} {', '.join(second.networks)}: they have no"
            " network of one name; give two models of one kind."
        )
    networks = {name: between(first, second, name, amount) for name in names}
    described = {name: describe(network) for name, network in networks.items()}
    index = translator_index(described, *second.played()) if second.translates else ""
    source = {"format": "blend of two models of ggdr", "models": [str(a), str(b)], "amount": amount}
    save_new(Path(out), networks, source | {"ggdr": __version__}, index)
    return Path(out)


@torch.no_grad()
def between(first: SavedModel, second: SavedModel, name: str, amount: float) -> Network:
    """Return the network of this name whose weights lie between those of two models; UserError if they are not alike.

    What is no number with a fraction is the second's.
    """
    one, other = first.load(name), second.load(name)
    if why := difference(one, other):
        raise UserError(
            f"the {name} of {first.name!r} and that of {second.name!r} cannot be blended: {why}; give two models of one"
            " kind and size, best of which one was trained from the other (--init-from)."
        )
    weights = one.state_dict()
    for key, weight in other.state_dict().items():
        weight.copy_(lerp(weights[key], weight, amount))
    return other


def lerp(one: Tensor, other: Tensor, amount: float) -> Tensor:
    """Return what lies between two tensors, the ends exactly; the second where there is nothing between them."""
    return one.lerp(other, amount) if one.is_floating_point() else other


def difference(one: Network, other: Network) -> str:
    """Say how two networks differ in kind or shapes, as a clause; empty: in neither."""
    kinds = one.config.name, other.config.name
    if kinds[0] != kinds[1]:
        return f"they are {kinds[0]} and {kinds[1]}"
    there, here = ({key: [*weight.shape] for key, weight in net.state_dict().items()} for net in (one, other))
    if odd := next((key for key in {**there, **here} if there.get(key) != here.get(key)), None):
        return f"{odd!r} is {there.get(odd, 'missing')} in one and {here.get(odd, 'missing')} in the other"
    return ""
