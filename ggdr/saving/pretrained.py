"""Saved networks by name: a folder here, or a repository of the Hub, of which JSON and safetensors alone are read."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple, TypeVar

from ggdr import __version__
from ggdr.documents import is_hub_id, or_hub_id, suggest_similar
from ggdr.errors import UserError
from ggdr.networks.base.module import Discriminator, Generator, Network
from ggdr.saving.model import PROGRAM, SavedNetwork, find_saved, is_ours, read_description, save_model

Of = TypeVar("Of", bound=Network)
OWN = ["pipeline", "GANPipeline"]
"""file and class of the pipelines that are saved here, as diffusers looks for them"""
INDEX = "model_index.json"
"""what says which networks belong to a pipeline"""
DESCRIPTIONS = [INDEX, "config.json", "*/config.json"]
ABSENT = [None, None]
"""what it says of a network that is not there"""
__all__ = ["Hub", "Pair", "find", "load_generator", "load_one", "load_pair", "save_model"]
PARTS = ("generator", "discriminator")


def write_index(folder: Path, parts: Collection[str]) -> None:
    """Say which of PARTS a folder holds, and give diffusers the lines of code that it loads a pipeline and each by."""
    about = {"_class_name": OWN, "_ggdr_version": __version__}
    index = about | {part: ["model", part.capitalize()] if part in parts else ABSENT for part in PARTS}
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n")
    for program in (folder / "pipeline.py", *(folder / part / "model.py" for part in parts)):
        program.write_text(PROGRAM)


def check_index(folder: Path) -> None:
    """UserError if a folder holds a pipeline, or a program, which is not ours, and would be replaced."""
    file, program = folder / INDEX, folder / "pipeline.py"
    if file.is_file() and read_description(file).get("_class_name") != OWN:
        raise UserError(f"{file} is of another pipeline, which would be replaced; give another folder.")
    if program.exists() and not is_ours(program):
        raise UserError(f"{program} is a program of yours, which would be replaced; give another folder.")


class Hub(NamedTuple):
    """How a repository of the Hub is to be read."""

    revision: str | None = None
    """branch, tag or commit; None: the main branch"""
    token: str | bool | None = None
    """token of an account that may read it; None: the one that is logged in, False: none"""
    local_files_only: bool = False
    """take what was downloaded before, do not ask the Hub"""


class Pair(NamedTuple):
    """A generator, and the discriminator it played against if that was saved with it; both in eval mode."""

    generator: Generator
    """the running mean"""
    discriminator: Discriminator | None


def load_pair(name: str | Path, hub: Hub | None = None) -> Pair:
    """Both networks at `name`: a folder (of a run, a checkpoint, a model) or a Hub repository "org/name".

    UserError if there is no such place, or it holds no generator that can be read.
    """
    found = find(name, PARTS, hub or Hub())
    judge = found.get("discriminator")
    return Pair(loaded(found["generator"], Generator), judge and loaded(judge, Discriminator))


def load_generator(name: str | Path, hub: Hub | None = None) -> Generator:
    """The generator at `name`, as `load_pair`; of a Hub repository nothing else is downloaded."""
    return load_one(name, Generator, hub)


def load_one(name: str | Path, kind: type[Of], hub: Hub | None = None) -> Of:
    """The network of a base class, Generator, Discriminator or Translator, at `name`; nothing else is downloaded.

    UserError if there is no such network.
    """
    part = "discriminator" if issubclass(kind, Discriminator) else "generator"
    return loaded(find(name, (part,), hub or Hub())[part], kind)


def find(name: str | Path, parts: tuple[str, ...], hub: Hub) -> dict[str, SavedNetwork]:
    """The networks of these names at `name`, those that are there; UserError without the first of them."""
    here = Path(name).expanduser()
    found = in_folder(here, hub) if here.exists() else on_hub(str(name), parts, hub)
    if parts[0] not in found:
        there = ", ".join(map(repr, found))
        raise UserError(f"{str(name)!r} holds {there} and no {parts[0]}; give the folder above, or another.")
    return found


def in_folder(folder: Path, hub: Hub) -> dict[str, SavedNetwork]:
    """The networks that a folder says it holds."""
    if hub.revision:
        raise UserError(f"{str(folder)!r} is a folder here, which has no revision {hub.revision!r}; leave it out.")
    found = find_saved(folder)
    index = read_description(folder / INDEX) if (folder / INDEX).is_file() else {}
    for part in PARTS:
        if index.get(part) == ABSENT:
            found.pop(part, None)  # left there by a save before this one
        elif part in index and part not in found:
            raise UserError(f"{folder} lacks its {part}, which {INDEX} names; save or download the model again.")
    return found


def on_hub(name: str, parts: tuple[str, ...], hub: Hub) -> dict[str, SavedNetwork]:
    """The networks of a Hub repository; the weights of `parts` are downloaded, once, and nothing else is."""
    if not is_hub_id(name, hub.revision):
        raise UserError(
            f"there is no folder {name!r} here{suggest_similar(Path(name))}; give the folder of a run, of a checkpoint"
            f" or of a model, {or_hub_id(name)}."
        )
    folder = download(name, DESCRIPTIONS, hub)
    if not any(folder.glob("**/config.json")):
        raise UserError(f"the Hub repository {name!r} holds no model of ggdr: it has no generator/config.json.")
    found = in_folder(folder, Hub())
    files = [str(found[part].file.relative_to(folder)) for part in parts if part in found]
    if files:  # of the commit that the descriptions are from
        download(name, files, hub._replace(revision=folder.name))
    return found


def download(name: str, files: list[str], hub: Hub) -> Path:
    """The folder where these files of a repository lie, as far as it has them; UserError if it cannot be read."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(
            name, revision=hub.revision, allow_patterns=files, token=hub.token, local_files_only=hub.local_files_only
        ))  # fmt: skip
    except Exception as error:  # what a failing network raises depends on the client's version
        raise UserError(
            f"there is no folder {name!r} here{suggest_similar(Path(name))}, and {trouble(error, name, hub)}"
        ) from error


def trouble(error: Exception, name: str, hub: Hub) -> str:
    """Why a repository cannot be read, and what to do about it."""
    from huggingface_hub.errors import (
        GatedRepoError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    if isinstance(error, GatedRepoError):
        return f"the Hub repository {name!r} is gated: ask for access on its page, then type: hf auth login."
    if isinstance(error, RepositoryNotFoundError):
        return f"no Hub repository {name!r} for this account; fix the name, or, if it is private, type: hf auth login."
    if isinstance(error, RevisionNotFoundError):
        return f"the Hub repository {name!r} has no revision {hub.revision!r}; name a branch, a tag or a commit of it."
    if isinstance(error, LocalEntryNotFoundError):
        return f"the Hub cannot be reached and {name!r} was not downloaded before; go online, or give a folder."
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return f"the Hub repository {name!r} cannot be read: {reason}; try again, or give a folder."


def loaded(saved: SavedNetwork, kind: type[Of]) -> Of:
    """The network; UserError if it cannot be read or is of another kind."""
    try:
        network = saved.load()
    except UserError as error:
        raise UserError(blame(saved, error)) from error
    if not isinstance(network, kind):
        raise UserError(f"{saved.file.parent} holds no {kind.__name__.lower()}; save or download the model again.")
    return network


def blame(saved: SavedNetwork, error: UserError) -> str:
    """Why a network cannot be read: the version that wrote it, if that is another one."""
    version = saved.description.get("ggdr") if isinstance(saved.description, dict) else None
    if version in (None, __version__):
        return str(error)
    reason = str(error).rstrip(".")
    return f"{saved.file.parent} is of ggdr {version}, this is {__version__}: install that one ({reason})."
