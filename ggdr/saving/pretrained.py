"""Saved networks by name: a folder here, or a repository of the Hub, of which JSON and safetensors alone are read."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from ggdr import __version__
from ggdr.documents import check_model_place, one_line, printable, suggest_similar
from ggdr.errors import UserError
from ggdr.games.paired import PairedGame
from ggdr.networks.base.module import Discriminator, Generator, Network
from ggdr.play.game import Game
from ggdr.recipe.files import from_json, to_json
from ggdr.saving.model import PROGRAM, SavedNetwork, find_saved, is_ours, locate, read_description, save_model

Of = TypeVar("Of", bound=Network)
OWN = ["pipeline", "GANPipeline"]
"""file and class of the pipelines that are saved here, as diffusers looks for them"""
TRANSLATES = "TranslationPipeline"
"""class of those that diffusers does not load: its pipelines know no roles of networks that a game chooses"""
GAME, DOMAINS = "_game", "_domains"
"""where an index says which game its networks play, and between which domains"""
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
    (folder / INDEX).write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")
    for program in (folder / "pipeline.py", *(folder / part / "model.py" for part in parts)):
        program.write_text(PROGRAM, encoding="utf-8")


def translator_index(descriptions: Mapping[str, Mapping[str, Any]], game: Game, domains: Sequence[str]) -> str:
    """What says which networks there are, by role and base class, which game they play, and between which domains.

    Empty if none of them makes images of images: a generator is known by its name.
    """
    if not takes_images(descriptions.values()):
        return ""
    about = {"_class_name": TRANSLATES, "_ggdr_version": __version__, GAME: to_json(game), DOMAINS: [*domains]}
    roles = {role: ["ggdr", description["kind"].capitalize()] for role, description in descriptions.items()}
    return json.dumps(about | roles, indent=2) + "\n"


def takes_images(descriptions: Iterable[Mapping[str, Any]]) -> bool:
    """Whether one of these networks makes images of images."""
    return any("source" in description for description in descriptions)


def is_own(index: Mapping[str, Any]) -> bool:
    """Whether an index is of a pipeline of ggdr."""
    return index.get("_class_name") in (OWN, TRANSLATES)


def check_index(folder: Path) -> None:
    """UserError if a folder holds a pipeline, or a program, which is not ours, and would be replaced."""
    file, program = folder / INDEX, folder / "pipeline.py"
    if file.is_file() and not is_own(read_description(file)):
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
    return pair_of(open_model(name, hub or Hub()))


def pair_of(model: SavedModel) -> Pair:
    """Both networks of a saved model; UserError if it has no generator that can be read."""
    found = model.choose(PARTS)
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
    return loaded(find(name, (part,), hub or Hub(), kind)[part], kind)


def find(
    name: str | Path, parts: tuple[str, ...], hub: Hub, kind: type[Network] = Generator
) -> dict[str, SavedNetwork]:
    """The networks of these names at `name`, those that are there; UserError without the first of them.

    `kind`: the base class that the first of them is to be of; UserError, with what to type, where a generator is asked
    for and images are made of images.
    """
    return open_model(name, hub).choose(parts, kind)


class SavedModel(NamedTuple):
    """The networks of a run, a checkpoint or a model, none of them read yet."""

    name: str
    """what was asked for"""
    folder: Path
    """where they lie"""
    networks: dict[str, SavedNetwork]
    hub: Hub | None = None
    """how their weights are downloaded; None: they are here"""

    @property
    def translates(self) -> bool:
        """Whether images are made of images."""
        return takes_images(saved.description for saved in self.networks.values())

    def choose(self, roles: tuple[str, ...], kind: type[Network] = Generator) -> dict[str, SavedNetwork]:
        """The networks, of which these roles are here; UserError without the first of them, as `find` says."""
        if issubclass(kind, Generator) and self.translates:
            raise UserError(
                f"{self.name!r} makes images of images, not of noise: type `ggdr translate {self.name} IMAGES --out"
                f" FOLDER`, or in Python ggdr.from_pretrained({self.name!r})(images)."
            )
        if roles[0] not in self.networks:
            there = ", ".join(map(repr, self.networks))
            raise UserError(f"{self.name!r} holds {there} and no {roles[0]}; give the folder above, or another.")
        self.fetch(*roles)
        return self.networks

    def fetch(self, *roles: str) -> None:
        """Download the weights of these networks, as far as there are such and they are not here."""
        files = [str(self.networks[role].file.relative_to(self.folder)) for role in roles if role in self.networks]
        if self.hub is not None and files:
            download(self.name, files, self.hub)

    def load(self, role: str) -> Network:
        """A network, in eval mode; UserError if there is none, or it cannot be read."""
        if role not in self.networks:
            there = ", ".join(map(repr, self.networks))
            raise UserError(f"{self.name!r} holds {there} and no {role}; save or download the model again.")
        self.fetch(role)
        return loaded(self.networks[role], Network)

    def played(self) -> tuple[Game, tuple[str, ...]]:
        """The game that they play, and the names of the domains; UserError if what says so is no such.

        Where nothing says so, one translator makes the second of two domains of the first, as of pairs.
        """
        index = read_description(self.folder / INDEX) if (self.folder / INDEX).is_file() else {}
        game, domains = index.get(GAME), index.get(DOMAINS)
        if (self.folder / "networks.json").is_file():
            game = read_description(self.folder / "recipe.json").get("game")
            domains = read_description(self.folder / "progress.json").get("domains")
        if game is None and "generator" not in self.networks:
            raise UserError(
                f"nothing in {str(self.folder)!r} says which game {', '.join(map(repr, self.networks))} play: give the"
                f" folder of the run or of a checkpoint, or one with {INDEX}."
            )
        names = ["a", "b"] if domains is None else domains
        if not isinstance(names, list) or len(names) not in (1, 2) or not all(isinstance(n, str) for n in names):
            raise UserError(f"{self.folder} has the domains {one_line(names, 80)}; they are one or two names.")
        try:
            return PairedGame() if game is None else from_json(Game, game, "game"), tuple(map(printable, names))
        except UserError as error:
            raise UserError(f"{self.folder} describes no game: {one_line(error).rstrip('.')}.") from error


def open_model(name: str | Path, hub: Hub) -> SavedModel:
    """What a folder or a repository of the Hub holds; of the latter descriptions alone are downloaded.

    UserError if there is no such place, or it holds no network.
    """
    here = Path(name).expanduser()
    if here.exists():
        return SavedModel(str(name), locate(here), in_folder(here, hub))
    folder = described_on_hub(str(name), hub)
    # weights of the commit that the descriptions are from
    return SavedModel(str(name), folder, in_folder(folder, Hub()), hub._replace(revision=folder.name))


def in_folder(folder: Path, hub: Hub) -> dict[str, SavedNetwork]:
    """The networks that a folder says it holds."""
    if hub.revision:
        raise UserError(f"{str(folder)!r} is a folder here, which has no revision {hub.revision!r}; leave it out.")
    found = find_saved(folder)
    index = read_description(folder / INDEX) if (folder / INDEX).is_file() else {}
    for part in (*PARTS, *(key for key in index if GAME in index and not key.startswith("_"))):
        if index.get(part) == ABSENT:
            found.pop(part, None)  # left there by a save before this one
        elif part in index and part not in found:
            raise UserError(f"{folder} lacks its {part}, which {INDEX} names; save or download the model again.")
    return found


def described_on_hub(name: str, hub: Hub) -> Path:
    """The folder of a Hub repository's descriptions of networks, which is called by its commit."""
    check_model_place(name, hub.revision)
    folder = download(name, DESCRIPTIONS, hub)
    if not any(folder.glob("**/config.json")):
        raise UserError(f"the Hub repository {name!r} holds no model of ggdr: it has no generator/config.json.")
    return folder


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
