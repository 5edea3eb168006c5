"""Networks on disk: a description in JSON, weights in safetensors; no code, no pickle."""

from __future__ import annotations

import dataclasses
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from ggdr import __version__
from ggdr.documents import (
    Header,
    check_model_place,
    no_model,
    one_line,
    printable,
    read_header,
    read_object,
    read_tensors,
)
from ggdr.errors import UserError
from ggdr.networks.base import (
    DiscriminatorConfig,
    EncoderConfig,
    ExtraOutputs,
    GeneratorConfig,
    Head,
    ImageSpec,
    ProjectorConfig,
    TranslatorConfig,
)
from ggdr.networks.base.module import Network
from ggdr.networks.size import MOST_PX
from ggdr.recipe.files import from_json, to_json
from ggdr.registry import REGISTRIES, Part, discover, origin
from ggdr.saving import checkpoint

KINDS: dict[str, type[GeneratorConfig | DiscriminatorConfig | TranslatorConfig | EncoderConfig | ProjectorConfig]] = {
    "generator": GeneratorConfig,
    "discriminator": DiscriminatorConfig,
    "translator": TranslatorConfig,
    "encoder": EncoderConfig,
    "projector": ProjectorConfig,
}
"""what a description can be of, and the settings of such"""
TEXT_ENCODERS = ("", "words")
"""how label vectors are made of texts"""
TRAINING_ALONE = frozenset({"projector"})
"""kinds of network that serve training alone: they are in checkpoints, and in no model that is served or shared"""
ROLES = {"translator": "generator"}
"""a network's kind -> what it is called where it lies alone, if that is another word"""
NAME = r"\w[\w.-]{0,99}"
"""what names of networks look like: they are names of files beside the description, never paths"""
MOST = 2**24
"""largest whole number among a network's settings: no width comes near it, and a list of that many layers is no harm"""
SPARE, PER_TENSOR = 1000, 16
"""tensors, and numbers in them, that a network may make beside those in its file, and for each of them"""
MAKERS = frozenset({torch.empty, torch.zeros, torch.ones, torch.full, torch.rand, torch.randn})
"""what layers make their tensors with"""
FILES = ("config.json", "model.safetensors")
"""what the folder of a saved network holds"""
CODE = "from ggdr import Discriminator, GANPipeline, Generator"
PROGRAM = f'''"""DiffusionPipeline.from_pretrained(..., trust_remote_code=True) loads the model by this."""

{CODE}

__all__ = ["Discriminator", "GANPipeline", "Generator"]
'''
"""what diffusers needs beside each network, as model.py, and beside the index of a pipeline, as pipeline.py"""
ALWAYS = ("height", "width", "channels", "labels")
"""what a description says of the images even where it is 0"""
LIVE = "_live"
"""end of the name of a network as the optimizer left it, where its running mean is saved beside it"""


class SavedNetwork(NamedTuple):
    """A network on disk: what it is, and where its weights are."""

    description: dict[str, Any]
    """what `describe` gave"""
    file: Path
    """its weights"""

    def weights(self) -> dict[str, Tensor]:
        """The weights, on the host; UserError if the file is missing or torn, or holds what is not finite."""
        try:
            tensors = read_tensors(self.file)
        except (OSError, UserError) as error:
            raise UserError(unreadable_message(self.file, error)) from error
        broken = [name for name, tensor in tensors.items() if not tensor.float().isfinite().all()]
        if broken:
            raise UserError(
                f"{broken[0]} in {self.file}, one of {len(broken)} such, has values that are not finite; give an"
                " earlier checkpoint."
            )
        return tensors

    def fresh(self) -> Network:
        """The network, freshly initialised; UserError if it cannot be built, or is far larger than its file.

        It is held against the file's header while it is built, so that no description makes us take more memory, or
        longer, than the weights beside it are worth.
        """
        try:
            there = read_header(self.file)
        except (OSError, UserError) as error:
            raise UserError(unreadable_message(self.file, error)) from error
        with MemoryBounds(there):
            return build(self.description, self.file.parent)

    def load(self) -> Network:
        """The network, in eval mode; UserError if description and weights do not go together."""
        network = self.fresh()
        if why := mismatch(network.state_dict(), read_header(self.file)):
            raise UserError(f"{self.file} does not hold the network that is described beside it: {why}.")
        network.load_state_dict(self.weights())
        return network.eval()


def unreadable_message(file: Path, error: Exception) -> str:
    """What to say of weights that cannot be read."""
    return f"cannot read {file}: {one_line(error)}; save or download the model again."


class MemoryBounds(TorchFunctionMode):
    """Tensors and their numbers are counted before memory is taken; UserError if a file holds by far fewer."""

    def __init__(self, there: dict[str, Header]):
        super().__init__()
        self.tensors = SPARE + PER_TENSOR * len(there)
        self.numbers = SPARE + PER_TENSOR * sum(math.prod(header.shape) for header in there.values())

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carry out the function, after counting what it makes."""
        if func in MAKERS:
            size = (kwargs or {}).get("size", args)
            self.count(math.prod(size[0] if size and isinstance(size[0], list | tuple) else size))
        return func(*args, **(kwargs or {}))

    def count(self, numbers: int) -> None:
        """Count a tensor of `numbers` numbers."""
        self.tensors, self.numbers = self.tensors - 1, self.numbers - numbers
        if self.tensors < 0 or self.numbers < 0:
            raise UserError("it asks for far more than its weights hold")


def mismatch(wanted: dict[str, Tensor], there: dict[str, Header]) -> str:
    """Say how a file differs from what a network is made of; nothing if it does not."""
    if lacking := [name for name in wanted if name not in there]:
        return f"it lacks {lacking[0]!r} and {len(lacking) - 1} more" if lacking[1:] else f"it lacks {lacking[0]!r}"
    if surplus := [name for name in there if name not in wanted]:
        return f"{one_line(surplus[0], 80)!r}, one of {len(surplus)} such, has no place in it"
    for name, tensor in wanted.items():
        if there[name].shape != tensor.shape:
            return f"its {name!r} is {list(there[name].shape)} where {list(tensor.shape)} is due"
        if there[name].floating != tensor.is_floating_point():
            return f"its {name!r} is of another type than {tensor.dtype}"
    return ""


def describe(network: Network) -> dict[str, Any]:
    """Settings of a network and what it was built for, as JSON can hold them."""
    config = network.config.described()
    kind = next(kind for kind, base in KINDS.items() if isinstance(config, base))
    found = {"kind": kind, "ggdr": __version__, "spec": spec_as_json(network.spec), "config": to_json(config)}
    if network.source is not None:
        found["source"] = spec_as_json(network.source)
    if network.extra is not None:
        channels = {str(resolution): channels for resolution, channels in network.extra.target_channels.items()}
        heads = {name: head._asdict() for name, head in network.extra.heads.items()}
        found["extra"] = {"target_channels": channels, "heads": heads}
        if classes := network.extra.class_logits:
            found["extra"]["class_logits"] = classes
    others = {part.name: where for part in nested_parts(config) if (where := origin(type(part)))}
    return found | ({"plug_ins": others} if others else {})


def spec_as_json(spec: ImageSpec) -> dict[str, Any]:
    """What the images are, as JSON can hold it; what is not known of their labels is left out."""
    return {name: value for name, value in spec._asdict().items() if value or name in ALWAYS}


def nested_parts(settings: Any) -> Iterator[Part]:
    """The parts among settings, at any depth, the outer ones first."""
    if isinstance(settings, Part):
        yield settings
    if dataclasses.is_dataclass(settings):
        inner = [getattr(settings, field.name) for field in dataclasses.fields(settings)]
    else:
        inner = [*settings.values()] if isinstance(settings, dict) else []
        inner = [*settings] if isinstance(settings, list | tuple) else inner
    for each in inner:
        yield from nested_parts(each)


def build(description: Any, where: Path) -> Network:
    """The network of a description, freshly initialised; UserError, naming `where`, if it is none."""
    if not isinstance(description, dict) or not {"kind", "spec", "config"} <= description.keys():
        raise UserError(f"{where} does not describe a network; it needs kind, spec and config.")
    kind = description["kind"]
    if not isinstance(kind, str) or kind not in KINDS:
        raise UserError(f"{where} describes a {one_line(kind, 40)!r}; known are {', '.join(KINDS)}.")
    spec = read_spec(description["spec"], where)
    also: list[Any] = [read_spec(description["source"], where)] if "source" in description else []  # a translator's
    also += [read_extra(description["extra"], where)] if "extra" in description else []  # a discriminator's
    if (largest := max(integer_sizes(description["config"]), default=0)) > MOST:
        raise UserError(f"{where} describes a network with a setting of {one_line(largest, 40)}; {MOST:,} is the most.")
    check_plug_ins(description.get("plug_ins", {}), where)
    try:
        config: Any = from_json(KINDS[kind], description["config"], "config")
        if not isinstance(config, KINDS[kind]):
            raise UserError(f"{config.name!r} is no {kind}")
        if isinstance(config, TranslatorConfig) and "source" not in description:
            raise UserError("a translator needs source, the spec of the images that it takes")
        return config.described().build(spec, *also)
    except Exception as error:  # what settings that cannot be raise depends on the layer they reach
        raise UserError(f"{where} describes a network that cannot be built: {one_line(error).rstrip('.')}.") from error


def check_plug_ins(named: Any, where: Path) -> None:
    """UserError, with what to type, if a part is unknown here of which the description says where it comes from."""
    if not isinstance(named, dict):
        return
    discover()
    for name, origins in named.items():
        if any(name in registry for registry in REGISTRIES.values()) or not isinstance(origins, dict):
            continue
        package, file = (printable(str(origins.get(key, "")))[:100] for key in ("package", "file"))
        ways = f"the file {file!r}; add --use and the path of that file (in Python: ggdr.registry.use)"
        if re.fullmatch(NAME, package):
            ways = f"the package {package!r}; if you trust it, type: pip install {package}"
        raise UserError(f"{where} describes a {one_line(name, 60)!r}, which is not part of ggdr but of {ways}.")


def integer_sizes(settings: Any) -> Iterator[int]:
    """The sizes of all whole numbers among a network's settings."""
    if isinstance(settings, int):
        yield abs(settings)
    elif isinstance(settings, dict | list):
        for inner in settings.values() if isinstance(settings, dict) else settings:
            yield from integer_sizes(inner)


def read_spec(spec: Any, where: Path) -> ImageSpec:
    """The images a description is for; UserError, naming `where`, if they are none."""
    hint = f"{where} has a spec {one_line(spec, 200)}; it needs a height and a width from 1 to {MOST_PX:,}, and may"
    hint += " have channels (1 or more) and labels, in whole numbers."
    if not isinstance(spec, dict) or not {"height", "width"} <= spec.keys() <= {*ImageSpec._fields}:
        raise UserError(hint)
    others = {"label_names", "label_ranges", "text_encoder", "continuous"}
    whole = all(type(value) is int and value >= 0 for name, value in spec.items() if name not in others)
    if not whole or type(spec.get("continuous", False)) is not bool:
        raise UserError(hint)
    names, ranges = read_label_spec(spec, where)
    if (encoder := spec.get("text_encoder", "")) not in TEXT_ENCODERS or bool(encoder) > bool(names and ranges):
        raise UserError(
            f"{where} says that texts become labels by {one_line(encoder, 40)}; known is 'words', beside the names and"
            " ranges of the labels: a newer ggdr may know more."
        )
    found = ImageSpec(**{**spec, "label_names": names, "label_ranges": ranges})
    if not (1 <= found.height <= MOST_PX and 1 <= found.width <= MOST_PX and found.channels):
        raise UserError(hint)
    return found


def read_extra(extra: Any, where: Path) -> ExtraOutputs:
    """What a description asks of a discriminator beside its logit; UserError, naming `where`, if it is no such."""
    hint = f"{where} has extra outputs {one_line(extra, 200)}; they can be target_channels, heads and class_logits, in"
    hint += " whole numbers."
    if not isinstance(extra, dict) or not extra.keys() <= {*ExtraOutputs._fields}:
        raise UserError(hint)
    try:
        targets = {int(resolution): channels for resolution, channels in extra.get("target_channels", {}).items()}
        heads = {name: Head(**head) for name, head in extra.get("heads", {}).items()}
    except (AttributeError, TypeError, ValueError) as error:
        raise UserError(hint) from error
    classes = extra.get("class_logits", 0)
    numbers = [
        classes,
        *targets.values(),
        *(number for head in heads.values() for number in (head.outputs, head.hidden)),
    ]
    if not all(type(number) is int and number >= 0 for number in numbers):
        raise UserError(hint)
    return ExtraOutputs(targets, heads, classes)


def read_label_spec(spec: dict[str, Any], where: Path) -> tuple[tuple[str, ...], tuple[tuple[float, float], ...]]:
    """Names and ranges of the label vector's entries; UserError, naming `where`, if they are no such, or too few."""
    names, ranges = spec.get("label_names", []), spec.get("label_ranges", [])
    fits = isinstance(names, list) and all(isinstance(name, str) for name in names)
    fits &= isinstance(ranges, list) and all(map(is_range, ranges))
    if not fits or {len(names), len(ranges)} - {0, spec.get("labels", 0)}:
        raise UserError(
            f"{where} has a spec with label_names {one_line(names, 80)} and label_ranges {one_line(ranges, 80)}; each"
            " has an entry for each of its labels, or none: a name, and a least and a greatest value."
        )
    return tuple(names), tuple((float(low), float(high)) for low, high in ranges)


def is_range(pair: Any) -> bool:
    """Whether it is a pair of finite numbers, the smaller first."""
    if not isinstance(pair, list) or len(pair) != 2 or not all(type(value) in (int, float) for value in pair):
        return False
    return all(map(math.isfinite, pair)) and pair[0] <= pair[1]


def save_model(network: Network, folder: Path) -> None:
    """Make `folder` hold a network's description and weights, and nothing else but a model.py of ours that is there.

    OSError if the disk refuses, UserError if there is something else in it, which would be lost.
    """
    kept = {"model.py": PROGRAM} if is_ours(folder / "model.py") else {}
    there = (path.name for path in folder.iterdir()) if folder.is_dir() else ()
    if others := sorted(set(there) - {*FILES, *kept}):
        raise UserError(f"{folder} holds {others[0]}, which is no part of a saved network; give another folder.")
    checkpoint.write_folder(folder, {"model": network.state_dict()}, {"config.json": describe(network), **kept})


def save_new(out: Path, networks: Mapping[str, Network], source: Mapping[str, Any], index: str = "") -> None:
    """Make the folder `out` with each network in its folder, and where they come from in source.json.

    It is made whole or not at all; OSError if the disk refuses. `index`: text of model_index.json; empty: none.
    """
    out = out.absolute()
    aside = out.with_name(f".writing-{out.name}-{os.getpid()}")
    shutil.rmtree(aside, ignore_errors=True)
    try:
        aside.mkdir(parents=True)
        for name, network in networks.items():
            save_model(network, aside / name)
        checkpoint.write_json(aside / "source.json", source)
        if index:
            (aside / "model_index.json").write_text(index, encoding="utf-8")
        checkpoint.flush(aside)
        aside.rename(out)
        checkpoint.flush(out.parent)
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def is_ours(program: Path) -> bool:
    """Whether there is a program, and it is what some ggdr wrote for diffusers."""
    return program.is_file() and CODE in program.read_text(errors="replace", encoding="utf-8")


def load_model(folder: str | Path) -> Network:
    """The network that `save_model` wrote, in eval mode; UserError if the folder does not hold one."""
    return saved_network(Path(folder)).load()


def saved_network(folder: Path) -> SavedNetwork:
    """The network in its folder; UserError if there is none."""
    return SavedNetwork(read_description(folder / "config.json"), folder / "model.safetensors")


def read_description(file: Path) -> dict[str, Any]:
    """A JSON object; UserError if it is missing, torn, or something else."""
    try:
        return read_object(file)
    except (OSError, UserError) as error:
        raise UserError(
            f"{file.parent} holds no model that can be read: {file.name}: {one_line(error)}; give a folder with"
            " config.json and model.safetensors."
        ) from error


def find_saved(path: str | Path) -> dict[str, SavedNetwork]:
    """The networks at `path`: a run's folder, a checkpoint's, a model's, or a single network's.

    "generator" is the running mean; "generator_live", where it is there, the weights that were training. UserError,
    with what is possible, if there is none.
    """
    path = Path(path)
    if path.is_file():
        check_model_place(path)
    path = locate(path)
    if (path / "networks.json").is_file():
        return networks_in_checkpoint(path)
    if (path / "config.json").is_file():
        saved = saved_network(path)
        kind = str(saved.description.get("kind"))
        return {ROLES.get(kind, kind): saved}
    found = {file.parent.name: saved_network(file.parent) for file in sorted(path.glob("[!.]*/config.json"))}
    if not found:
        raise UserError(no_model(path))
    return found


def locate(path: Path) -> Path:
    """Where networks lie: in a run's newest checkpoint, in its folder `model`, or at the path itself."""
    if (last := checkpoint.latest(path)) is not None:
        return last
    return path / "model" if (path / "model").is_dir() else path


def networks_in_checkpoint(folder: Path) -> dict[str, SavedNetwork]:
    """The networks of a checkpoint."""
    found = {}
    for name, description in read_description(folder / "networks.json").items():
        if not re.fullmatch(NAME, name):
            raise UserError(
                f"{folder / 'networks.json'} calls a network {one_line(name, 40)!r}, which is no name of a file here;"
                " save or download the model again."
            )
        mean = folder / f"{name}_ema.safetensors"
        file = folder / f"{name}.safetensors"
        found[name] = SavedNetwork(description, mean if mean.is_file() else file)
        if mean.is_file():
            found[name + LIVE] = SavedNetwork(description, file)
    return found
