"""Networks on disk: a description in JSON, weights in safetensors; no code, no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from ggdr import __version__, checkpoint
from ggdr.network import Network
from ggdr.networks.base import Brief, DiscriminatorConfig, GeneratorConfig
from ggdr.recipe_files import from_json, to_json

KINDS = {"generator": GeneratorConfig, "discriminator": DiscriminatorConfig}
LIVE = "_live"
"""end of the name of a network as the optimizer left it, where its running mean is saved beside it"""


class Saved(NamedTuple):
    """A network on disk: what it is, and where its weights are."""

    description: dict[str, Any]
    """what `describe` gave"""
    file: Path
    """its weights"""

    def weights(self) -> dict[str, Tensor]:
        """The weights, on the host; ValueError if the file is missing or torn."""
        try:
            return load_file(self.file)
        except (OSError, SafetensorError) as error:
            raise ValueError(f"cannot read {self.file}: {error}; save or download the model again.") from error

    def load(self) -> Network:
        """The network, in eval mode; ValueError if description and weights do not go together."""
        network = build(self.description, self.file.parent)
        try:
            network.load_state_dict(self.weights())
        except RuntimeError as error:
            what = str(error).splitlines()[-1].strip()
            raise ValueError(f"{self.file} does not hold the network that is described beside it: {what}") from error
        return network.eval()


def describe(network: Network) -> dict[str, Any]:
    """Settings and brief of a network, as JSON can hold them."""
    brief = {**network.brief._asdict(), "guide": {str(side): k for side, k in network.brief.guide.items()}}
    kind = type(network.config).registry.kind
    return {"kind": kind, "ggdr": __version__, "brief": brief, "config": to_json(network.config)}


def build(description: Any, where: Path) -> Network:
    """The network of a description, freshly initialised; ValueError, naming `where`, if it is none."""
    if not isinstance(description, dict) or not {"kind", "brief", "config"} <= description.keys():
        raise ValueError(f"{where} does not describe a network; it needs kind, brief and config.")
    if (kind := description["kind"]) not in KINDS:
        raise ValueError(f"{where} describes a {kind!r}; known are {' and '.join(KINDS)}.")
    return from_json(KINDS[kind], description["config"], "config").build(read_brief(description["brief"], where))


def read_brief(brief: Any, where: Path) -> Brief:
    """The brief of a description; ValueError, naming `where`, if it is none."""
    hint = f"{where} has a brief {brief!r}; it needs a height and a width, and may have channels, labels and a guide,"
    hint += " in whole numbers."
    if not isinstance(brief, dict) or not {"height", "width"} <= brief.keys() <= {*Brief._fields}:
        raise ValueError(hint)
    try:
        guide = {int(side): channels for side, channels in brief.get("guide", {}).items()}
    except (AttributeError, ValueError) as error:
        raise ValueError(hint) from error
    numbers = [*guide.values(), *(value for name, value in brief.items() if name != "guide")]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise ValueError(hint)
    return Brief(**{**brief, "guide": guide})


def save_model(network: Network, folder: Path) -> None:
    """Make `folder` hold a network's description and weights, and nothing else; OSError if the disk refuses."""
    checkpoint.write(folder, {"model": network.state_dict()}, {"config.json": describe(network)})


def load_model(folder: str | Path) -> Network:
    """The network that `save_model` wrote, in eval mode; ValueError if the folder does not hold one."""
    return saved_at(Path(folder)).load()


def saved_at(folder: Path) -> Saved:
    """The network in a folder of its own; ValueError if there is none."""
    return Saved(description_at(folder / "config.json"), folder / "model.safetensors")


def description_at(file: Path) -> dict[str, Any]:
    """A JSON object; ValueError if it is missing, torn, or something else."""
    try:
        found = json.loads(file.read_text())
    except (OSError, ValueError, RecursionError) as error:
        raise ValueError(
            f"{file.parent} holds no model: {error}; give a folder with config.json and model.safetensors."
        ) from error
    if not isinstance(found, dict):
        raise ValueError(f"{file} holds no JSON object but {str(found)[:40]}; save or download the model again.")
    return found


def find_saved(path: str | Path) -> dict[str, Saved]:
    """The networks at `path`: a run's folder, a checkpoint's, a model's, or a single network's.

    "generator" is the running mean; "generator_live", where it is there, the weights that were training. ValueError,
    with what is possible, if there is none.
    """
    path = Path(path)
    if path.is_file():
        raise ValueError(
            f"{str(path)!r} is a file; networks are read from folders: a published checkpoint becomes one by"
            f" `ggdr convert {path} FOLDER`."
        )
    if (last := checkpoint.latest(path)) is not None:
        path = last
    elif (path / "model").is_dir():
        path = path / "model"
    if (path / "networks.json").is_file():
        return in_checkpoint(path)
    if (path / "config.json").is_file():
        saved = saved_at(path)
        return {str(saved.description.get("kind")): saved}
    found = {file.parent.name: saved_at(file.parent) for file in sorted(path.glob("[!.]*/config.json"))}
    if not found:
        raise ValueError(
            f"{str(path)!r} holds no model; give the folder of a run, of a checkpoint, of a converted or saved model."
        )
    return found


def in_checkpoint(folder: Path) -> dict[str, Saved]:
    """The networks of a checkpoint."""
    found = {}
    for name, description in description_at(folder / "networks.json").items():
        mean = folder / f"{name}_ema.safetensors"
        file = folder / f"{name}.safetensors"
        found[name] = Saved(description, mean if mean.is_file() else file)
        if mean.is_file():
            found[name + LIVE] = Saved(description, file)
    return found
