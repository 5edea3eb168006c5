"""Networks pickled by the published code, flattened: layers, weights and constructor arguments by name.

A setting of a layer that our layer of that name does not support is refused by its name and value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import Any

from ggdr.errors import UserError
from ggdr.foreign.stand_ins import Module
from ggdr.foreign.torch_files import Stored
from ggdr.foreign.weights import check_filter

MOST_MODULES = 10_000
LARGEST = 1 << 24
"""Largest value that is accepted for any setting."""

LAYERS = frozenset(
    "Generator MappingNetwork SynthesisNetwork SynthesisBlock SynthesisLayer ToRGBLayer FullyConnectedLayer"
    " SynthesisInput Discriminator DiscriminatorBlock DiscriminatorEpilogue MinibatchStdLayer Conv2dLayer".split()
)
"""Classes of the published StyleGAN2 and StyleGAN3."""
NOT_HERE = {
    "SuperresGenerator": "StyleGAN-XL cannot be converted",
    "ProjectedDiscriminator": "Projected GAN can be trained here, but not converted",
}
"""Explanations by class, for classes of other networks."""
MOST_LAYERS = 64
"""Largest number of layers of a mapping network."""
GENERATOR = "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs", "synthesis_kwargs"
"""Constructor arguments of every published generator, in order."""
MAPPING = {"num_layers": None, "w_avg_beta": None, "activation": ("lrelu",), "lr_multiplier": (0.01,)}
"""Constructor arguments of the mapping network, with the values that are supported; None: read elsewhere."""
ACTIVATIONS = dict.fromkeys(("conv0", "conv1", "conv", "fromrgb", "fc"), "lrelu")
ACTIVATIONS |= dict.fromkeys(("skip", "affine", "embed", "out"), "linear")
"""a layer's name -> what our layer of that name does"""


@dataclass
class NetworkTree:
    """A network's layers and weights by dotted names."""

    modules: dict[str, Module] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)

    def attribute(self, attribute: str, paths: Iterable[str]) -> Any:
        """Return an attribute that these layers share; UserError if they disagree, or it is no plain value."""
        values = [self.modules[path].state.get(attribute) for path in paths]
        if strange := [value for value in values if type(value) not in (str, int, float, bool, type(None))]:
            raise UserError(f"a layer has {attribute}={shown(strange[0])}")
        if len({*values}) > 1:
            raise UserError(f"its layers disagree about {attribute}: {shown({*values})}")
        return values[0] if values else None

    def paths_of(self, *classes: str) -> list[str]:
        """Return the names of the layers of these classes."""
        return [path for path, module in self.modules.items() if module.class_name in classes]


def flatten(root: Module) -> NetworkTree:
    """Collect the layers and weights of a network; its filters are checked and left out, since ours has them built
    in."""
    tree = collect(root)
    for name in [name for name in tree.stored if name.rpartition(".")[2] == "resample_filter"]:
        check_filter(name, tree.stored.pop(name))
    check_layers(tree.modules)
    return tree


def collect(root: Module) -> NetworkTree:
    """Collect the layers and weights of a network of whatever classes."""
    tree, waiting = NetworkTree(), [("", root)]
    while waiting:
        path, module = waiting.pop()
        if len(tree.modules) >= MOST_MODULES:
            raise UserError("it has more layers than a checkpoint could")
        tree.modules[path.removesuffix(".")] = module
        for name, value in (module.section("_parameters") | module.section("_buffers")).items():
            if isinstance(value, Stored):
                tree.stored[path + name] = value
            elif value is not None:
                raise UserError(f"its {path + name} is no tensor")
        for name, inner in module.section("_modules").items():
            if isinstance(inner, Module):
                waiting.append((f"{path}{name}.", inner))
            elif inner is not None:
                raise UserError(f"its {path + name} is no layer")
    return tree


def check_layers(modules: Mapping[str, Module]) -> None:
    """Raise UserError if a layer is of another network's class, or does what ours of that name does not."""
    classes = {module.class_name for module in modules.values()}
    if strange := sorted(classes - LAYERS, key=lambda name: (name not in NOT_HERE, name)):
        why = NOT_HERE.get(strange[0], "only StyleGAN2, StyleGAN3 and R3GAN can be converted")
        raise UserError(f"it has a layer of the class {shown(strange[0])}: {why}")
    for path, module in modules.items():
        leaf, state = path.rpartition(".")[2], module.state
        numbered = re.fullmatch(r"fc\d+", leaf)
        if (wanted := "lrelu" if numbered else ACTIVATIONS.get(leaf)) and "activation" in state:
            expect(path, "activation", state["activation"], (wanted,))
        if "bias_gain" in state:
            expect(path, "bias_gain", state["bias_gain"], (0.01 if numbered else 1,))
        if module.class_name in ("SynthesisBlock", "SynthesisNetwork") and "architecture" in state:
            expect(path, "architecture", state["architecture"], ("skip",))
        if module.class_name == "SynthesisLayer":
            expect(path, "use_noise", state.get("use_noise", True), (True,))


def expect(where: str, name: str, value: Any, possible: Iterable[Any]) -> None:
    """Raise UserError, naming the setting, if a value is none of those that are possible here."""
    if not any(value == each for each in possible):
        only = " or ".join(map(shown, possible))
        raise UserError(f"its {where} has {name}={shown(value)}; here it can only be {only}")


def arguments(module: Module, positions: tuple[str, ...]) -> dict[str, Any]:
    """Return the arguments a module was built with, by name."""
    given = module.state.get("_init_args", ())
    if type(given) is not tuple or len(given) > len(positions):
        raise UserError(f"its {module.class_name} was built with unknown arguments {shown(given)}")
    return dict(zip(positions, given, strict=False)) | module.section("_init_kwargs")


def check_arguments(where: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """Raise UserError if an argument is unknown, or has a value that is not supported."""
    for name, value in given.items():
        if name not in known:
            raise UserError(f"its {where} was built with {str(name)[:60]}={shown(value)}, which is unknown here")
        if known[name] is not None:
            expect(where, name, [*value] if type(value) is tuple else value, known[name])


def pop_group(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Remove and return the arguments that were passed on together."""
    found = given.pop(name, None) or {}
    if not isinstance(found, dict):
        raise UserError(f"its {name} are {shown(found)}")
    return found


def integer_argument(given: Mapping[str, Any], name: str, default: int | None = None, most: int = LARGEST) -> int:
    """Return a whole number among arguments; UserError if it is none, or out of range."""
    value = given.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise UserError(f"its {name} is {shown(value)}")
    return value


def positive_argument(given: Mapping[str, Any], name: str, default: float) -> float:
    """Return a number above zero among arguments; UserError if it is none, or out of range."""
    value = given.get(name, default)
    if type(value) not in (int, float) or not 0 < value <= LARGEST:
        raise UserError(f"its {name} is {shown(value)}")
    return float(value)


def mapping_layers(origin: str, tree: NetworkTree, given: Mapping[str, Any], width: int, default: int = 8) -> int:
    """Check a mapping network's arguments and return its depth.

    `width`: width of its layers. `default`: depth where none is given.
    """
    if "mapping" not in tree.modules:  # then nobody has read the arguments, and they may say anything
        return min(integer_argument(given, "num_layers", default) or default, MOST_LAYERS)
    widths = dict.fromkeys(("embed_features", "layer_features"), (None, width))
    check_arguments(f"{origin}.mapping", given, MAPPING | widths)
    depth = integer_argument(given, "num_layers", default)
    if depth > MOST_LAYERS or f"mapping.fc{depth - 1}.weight" not in tree.stored:
        raise UserError(f"its {origin}.mapping has not the layers that num_layers={depth} says")
    return depth


def read_clamp(value: Any) -> float | None:
    """Return the clamp of a layer, None for none; UserError if it is no number."""
    if value is None or type(value) in (int, float) and 0 < value < LARGEST:
        return None if value is None else float(value)
    raise UserError(f"its layers have conv_clamp={shown(value)}")


def mean_beta(tree: NetworkTree, default: float) -> float:
    """Return the decay of a generator's mean style, as its mapping network states it."""
    beta = tree.attribute("w_avg_beta", [path for path in ("mapping",) if path in tree.modules])
    return beta if type(beta) is float and 0 <= beta <= 1 else default
