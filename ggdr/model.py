"""A network on disk: `config.json`, which says what it is, and `model.safetensors`; no code, no pickle."""

from __future__ import annotations

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from ggdr import __version__
from ggdr.checkpoint import write
from ggdr.network import Network
from ggdr.networks.base import Brief, DiscriminatorConfig, GeneratorConfig
from ggdr.recipe_files import from_json, to_json

KINDS = {"generator": GeneratorConfig, "discriminator": DiscriminatorConfig}


def save_model(network: Network, folder: Path) -> None:
    """Make `folder` hold a network's settings, brief and weights, and nothing else; OSError if the disk refuses."""
    brief = {**network.brief._asdict(), "guide": {str(side): k for side, k in network.brief.guide.items()}}
    kind = type(network.config).registry.kind
    config = {"kind": kind, "ggdr": __version__, "brief": brief, "config": to_json(network.config)}
    write(folder, {"model": network.state_dict()}, {"config.json": config})


def load_model(folder: str | Path) -> Network:
    """The network that `save_model` wrote, in eval mode; ValueError if the folder does not hold one."""
    folder = Path(folder)
    try:
        config = json.loads((folder / "config.json").read_text())
        weights = load_file(folder / "model.safetensors")
    except (OSError, json.JSONDecodeError, SafetensorError) as error:
        raise ValueError(
            f"{folder} holds no model: {error}; give a folder with config.json and model.safetensors."
        ) from error
    if not isinstance(config, dict) or config.get("kind") not in KINDS or not {"brief", "config"} <= config.keys():
        raise ValueError(f"{folder / 'config.json'} does not describe a network; it needs kind, brief and config.")
    guide = {int(side): k for side, k in config["brief"].pop("guide").items()}
    brief = Brief(**config["brief"], guide=guide)
    network = from_json(KINDS[config["kind"]], config["config"], "config").build(brief)
    try:
        network.load_state_dict(weights)
    except RuntimeError as error:
        what = str(error).splitlines()[-1].strip()
        raise ValueError(f"{folder}: config.json and model.safetensors are not of one model: {what}") from error
    return network.eval()
