"""What the published code pickles of a network, read flat: its layers, weights and constructor arguments by name.

Whatever a layer says of itself that ours of that name does not do is refused by its name and value.
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
"""of any setting"""

LAYERS = frozenset(
    "Generator MappingNetwork SynthesisNetwork SynthesisBlock SynthesisLayer ToRGBLayer FullyConnectedLayer"
    " SynthesisInput Discriminator DiscriminatorBlock DiscriminatorEpilogue MinibatchStdLayer Conv2dLayer".split()
)
"""classes of the published StyleGAN2 and StyleGAN3"""
NOT_HERE = {
    "SuperresGenerator": "StyleGAN-XL cannot be converted",
    "ProjectedDiscriminator": "Projected GAN can be trained here, but not converted",
}
"""classes of other networks -> what to say of them"""
MOST_LAYERS = 64
"""of a mapping network"""
GENERATOR = "z_dim", "c_dim", "w_dim", "img_resolution", "img_channels", "mapping_kwargs", "synthesis_kwargs"
"""constructor arguments of every published generator, in order"""
MAPPING = {"num_layers": None, "w_avg_beta": None, "activation": ("lrelu",), "lr_multiplier": (0.01,)}
"""those of its mapping network -> the values that can be honoured; None: read elsewhere"""
ACTIVATIONS = dict.fromkeys(("conv0", "conv1", "conv", "fromrgb", "fc"), "lrelu")
ACTIVATIONS |= dict.fromkeys(("skip", "affine", "embed", "out"), "linear")
"""a layer's name -> what our layer of that name does"""


@dataclass
class Tree:
    """A network, flat: its layers, and its weights, by dotted names."""

    modules: dict[str, Module] = field(default_factory=dict)
    stored: dict[str, Stored] = field(default_factory=dict)

    def said(self, attribute: str, paths: Iterable[str]) -> Any:
        """What these layers say of themselves; UserError if they disagree, or it is nothing a layer could say."""
        values = [self.modules[path].state.get(attribute) for path in paths]
        if strange := [value for value in values if type(value) not in (str, int, float, bool, type(None))]:
            raise UserError(f"a layer has {attribute}={shown(strange[0])}")
        if len({*values}) > 1:
            raise UserError(f"its layers disagree about {attribute}: {shown({*values})}")
        return values[0] if values else None

    def of(self, *classes: str) -> list[str]:
        """Names of the layers of these classes."""
        return [path for path, module in self.modules.items() if module.class_name in classes]


def flattened(root: Module) -> Tree:
    """The layers and weights of a network; its filters are checked and left out, ours has them built in."""
    tree, waiting = Tree(), [("", root)]
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
    for name in [name for name in tree.stored if name.rpartition(".")[2] == "resample_filter"]:
        check_filter(name, tree.stored.pop(name))
    check_layers(tree.modules)
    return tree


def check_layers(modules: Mapping[str, Module]) -> None:
    """UserError if a layer is of another network's class, or does what ours of that name does not."""
    classes = {module.class_name for module in modules.values()}
    if strange := sorted(classes - LAYERS, key=lambda name: (name not in NOT_HERE, name)):
        why = NOT_HERE.get(strange[0], "only StyleGAN2 and StyleGAN3 can be converted")
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
    """UserError, naming it, if a value is none of those that are possible here."""
    if not any(value == each for each in possible):
        only = " or ".join(map(shown, possible))
        raise UserError(f"its {where} has {name}={shown(value)}; here it can only be {only}")


def arguments(module: Module, positions: tuple[str, ...]) -> dict[str, Any]:
    """What a module was built with, by name."""
    given = module.state.get("_init_args", ())
    if type(given) is not tuple or len(given) > len(positions):
        raise UserError(f"its {module.class_name} was built with unknown arguments {shown(given)}")
    return dict(zip(positions, given, strict=False)) | module.section("_init_kwargs")


def check_arguments(where: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """UserError if an argument is not known, or has a value that cannot be honoured."""
    for name, value in given.items():
        if name not in known:
            raise UserError(f"its {where} was built with {str(name)[:60]}={shown(value)}, which is unknown here")
        if known[name] is not None:
            expect(where, name, [*value] if type(value) is tuple else value, known[name])


def group(given: dict[str, Any], name: str) -> dict[str, Any]:
    """Take the arguments that were handed on together."""
    found = given.pop(name, None) or {}
    if not isinstance(found, dict):
        raise UserError(f"its {name} are {shown(found)}")
    return found


def whole(given: Mapping[str, Any], name: str, default: int | None = None, most: int = LARGEST) -> int:
    """A whole number among arguments; UserError if it is none, or none that a setting could be."""
    value = given.get(name, default)
    if type(value) is not int or not 0 <= value <= most:
        raise UserError(f"its {name} is {shown(value)}")
    return value


def fraction(given: Mapping[str, Any], name: str, default: float) -> float:
    """A number above zero among arguments; UserError if it is none, or none that a setting could be."""
    value = given.get(name, default)
    if type(value) not in (int, float) or not 0 < value <= LARGEST:
        raise UserError(f"its {name} is {shown(value)}")
    return float(value)


def mapping_layers(origin: str, tree: Tree, given: Mapping[str, Any], width: int, default: int = 8) -> int:
    """Depth of a mapping network, whose arguments are checked; `width`: of its layers. `default`: if none is given."""
    if "mapping" not in tree.modules:  # then nobody has read the arguments, and they may say anything
        return min(whole(given, "num_layers", default) or default, MOST_LAYERS)
    widths = dict.fromkeys(("embed_features", "layer_features"), (None, width))
    check_arguments(f"{origin}.mapping", given, MAPPING | widths)
    depth = whole(given, "num_layers", default)
    if depth > MOST_LAYERS or f"mapping.fc{depth - 1}.weight" not in tree.stored:
        raise UserError(f"its {origin}.mapping has not the layers that num_layers={depth} says")
    return depth


def bound(value: Any) -> float | None:
    """What a layer says of its clamp."""
    if value is None or type(value) in (int, float) and 0 < value < LARGEST:
        return None if value is None else float(value)
    raise UserError(f"its layers have conv_clamp={shown(value)}")


def mean_beta(tree: Tree, default: float) -> float:
    """How slowly the mean style of a generator follows, as its mapping network says."""
    beta = tree.said("w_avg_beta", [path for path in ("mapping",) if path in tree.modules])
    return beta if type(beta) is float and 0 <= beta <= 1 else default
