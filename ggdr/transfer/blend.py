"""Models between two: weights between theirs (arXiv 1809.00219, sec. 3.4), or layers of both (arXiv 2010.05334)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from ggdr import __version__
from ggdr.errors import UserError, setting
from ggdr.networks.base.module import Generator, Network
from ggdr.registry import Capability
from ggdr.saving.model import LIVE, describe, save_new
from ggdr.saving.pretrained import Hub, SavedModel, loaded, open_model, translator_index


def blend(
    a: str | Path, b: str | Path, out: str | Path, *, amount: float | None = None, from_resolution: int | None = None
) -> Path:
    """Write a model whose weights are (1 - amount) times those of `a` plus amount times those of `b`; return `out`.

    `a`, `b`: folders of runs, checkpoints or models, or Hub repositories, of which one learned from the other; each
    network that both have by a name is blended, of runs their running means. `amount`: 0 (a) to 1 (b); None: 0.5, or 1
    with `from_resolution`. `from_resolution`: height in pixels; the generator's layers whose maps are smaller, and all
    that have no maps, such as the mapping network, stay those of `a` alone (layer swapping, Pinkney & Adler 2020, arXiv
    2010.05334). `out`: a folder that is not there yet. UserError if the networks are not of one kind and size.
    """
    amount = (0.5 if from_resolution is None else 1.0) if amount is None else amount
    if not 0 <= amount <= 1:
        raise UserError(f"amount is {amount:g}; give a number from 0, the first model, to 1, the second.")
    first, second = (open_model(each, Hub()) for each in (a, b))
    names = [name for name in second.networks if name in first.networks and not name.endswith(LIVE)]
    if not names:
        raise UserError(
            f"{str(a)!r} holds {', '.join(first.networks)}, and {str(b)!r} {', '.join(second.networks)}: they have no"
            " network of one name; give two models of one kind."
        )
    source = {"format": "blend of two models of ggdr", "models": [str(a), str(b)], "amount": amount}
    if from_resolution is not None:
        networks: dict[str, Network] = {"generator": swapped(first, second, amount, from_resolution)}
        source |= {"from_resolution": from_resolution}
    else:
        networks = {name: between(first, second, name, amount) for name in names}
    described = {name: describe(network) for name, network in networks.items()}
    index = translator_index(described, *second.played()) if second.translates else ""
    save_new(Path(out), networks, source | {"ggdr": __version__}, index)
    return Path(out)


@torch.no_grad()
def between(first: SavedModel, second: SavedModel, name: str, amount: float) -> Network:
    """Return the network of this name whose weights lie between those of two models; UserError if they are not alike.

    What is no number with a fraction is the second's.
    """
    one, other = first.load(name), second.load(name)
    check_alike(first, second, name, difference(one, other))
    weights = one.state_dict()
    for key, weight in other.state_dict().items():
        weight.copy_(lerp(weights[key], weight, amount))
    return other


@torch.no_grad()
def swapped(first: SavedModel, second: SavedModel, amount: float, resolution: int) -> Generator:
    """Return the first model's generator, whose layers from a resolution on lie between those of two models.

    UserError if these layers are not alike, or a generator has none of this resolution.
    """
    one, other = (loaded(model.choose(("generator",))["generator"], Generator) for model in (first, second))
    if Capability.RESOLUTION_LAYERS not in one.config.provides:
        raise UserError(
            f"the layers of generator {one.config.name!r} of {first.name!r} are not known by their resolution; leave"
            f" {setting('from_resolution')} out, which blends whole networks."
        )
    layers = one.resolution_layers()
    if resolution not in layers:
        raise UserError(
            f"the generator of {first.name!r} has no layers of resolution {resolution}; give"
            f" {setting('from_resolution')} {', '.join(map(str, layers))}."
        )
    taken = tuple(f"{layer}." for rung, names in layers.items() if rung >= resolution for layer in names)
    check_alike(first, second, "generator", difference(one, other, taken))
    weights = other.state_dict()
    for key, weight in one.state_dict().items():
        if key.startswith(taken):
            weight.copy_(lerp(weight, weights[key], amount))
    return one


def lerp(one: Tensor, other: Tensor, amount: float) -> Tensor:
    """Return what lies between two tensors, the ends exactly; the second where there is nothing between them."""
    return one.lerp(other, amount) if one.is_floating_point() else other


def check_alike(first: SavedModel, second: SavedModel, name: str, why: str) -> None:
    """Raise UserError if there is a reason why the networks of this name cannot be blended."""
    if why:
        raise UserError(
            f"the {name} of {first.name!r} and that of {second.name!r} cannot be blended: {why}; give two models of one"
            " kind and size, best of which one was trained from the other (--init-from)."
        )


def difference(one: Network, other: Network, taken: str | tuple[str, ...] = "") -> str:
    """Say how two networks differ in kind or shapes, as a clause; empty: in neither.

    `taken`: beginnings of the names of weights that count; empty: all of them.
    """
    kinds = one.config.name, other.config.name
    if kinds[0] != kinds[1]:
        return f"they are {kinds[0]} and {kinds[1]}"
    there, here = (
        {key: [*weight.shape] for key, weight in net.state_dict().items() if key.startswith(taken)}
        for net in (one, other)
    )
    if odd := next((key for key in {**there, **here} if there.get(key) != here.get(key)), None):
        return f"{odd!r} is {there.get(odd, 'missing')} in one and {here.get(odd, 'missing')} in the other"
    return ""
