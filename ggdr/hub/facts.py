"""What a card can say of a model: read from the files of its run, or from a recipe; no weight is loaded."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ggdr.data.base import DataSet
from ggdr.documents import RECORD_FORMAT, file_hash, read_object_or_empty
from ggdr.errors import UserError
from ggdr.networks.base import GeneratorConfig, ImageSpec, TranslatorConfig
from ggdr.ops.shapes import shapes_only
from ggdr.play.view import View, Way
from ggdr.recipe import Recipe
from ggdr.recipe.about import About, Description, about_source
from ggdr.recipe.files import from_json, load_recipe, to_json
from ggdr.registry import Part, discover
from ggdr.saving import log_file
from ggdr.saving.model import LIVE, SavedNetwork, build, find_saved, read_description, read_spec
from ggdr.saving.pretrained import Hub, SavedModel, open_model

Record = Mapping[str, Any]
"""what `ggdr evaluate` leaves behind"""
GRID = re.compile(r".+-(\d+(?:\.\d+)?)kimg\.png")
"""names of grids of samples, VIEW-KIMG, which say how many thousands of images were seen when they were drawn"""


@dataclass(frozen=True, kw_only=True)
class Facts:
    """All that a card is made of."""

    title: str
    place: str
    """what `ggdr.from_pretrained` takes: a repository of the Hub, or a folder"""
    command: str
    """what trains it; empty: unknown"""
    shared: bool = False
    """whether it lies on the Hub, as what diffusers loads too"""
    recipe: Recipe | None = None
    networks: tuple[Part, ...] = ()
    """settings of the saved networks"""
    spec: ImageSpec | None = None
    """None: no network is saved"""
    sizes: dict[str, int] = field(default_factory=dict)
    """network -> number of weights"""
    progress: dict[str, Any] = field(default_factory=dict)
    """facts of the checkpoint: step, images seen, device; empty: unknown, or not trained"""
    log: tuple[log_file.Row, ...] = ()
    """what was logged up to there"""
    records: tuple[Record, ...] = ()
    """evaluations of these very weights, the oldest first"""
    ways: Mapping[str, Way] = field(default_factory=dict)
    """what a saved translator makes of what, by the names of its views; empty: images are made of noise"""
    targets: tuple[str, ...] = ()
    """the domain that each of them makes"""
    grids: tuple[str, ...] = ()
    """samples, paths relative to the card"""
    origin: dict[str, Any] = field(default_factory=dict)
    """what `ggdr convert` noted of a published checkpoint"""
    listing: str = ""
    """hash of the list of images (names, sizes, labels) in its checkpoints, 16 hex digits; empty: not known"""
    about: About | None = None
    """what is known of the images that it learns from, and of the paper's numbers on them; None: nothing"""

    @property
    def licence(self) -> str:
        """The licence of the weights that the recipe chooses; empty: none."""
        return self.recipe.hub_licence if self.recipe else ""

    @property
    def images(self) -> int | None:
        """How many images it learned from, without mirrored copies as far as that is known; None: not known."""
        found = self.progress.get("images", next((number for number, _ in self.reals if number), None))
        return found if isinstance(found, int) and found > 0 else None

    @property
    def content(self) -> str:
        """Hash of the pixels of all of them, if a record has it; empty: not known."""
        return next((content for _, content in self.reals if content), "")

    @property
    def reals(self) -> list[tuple[int | None, str]]:
        """What the records know of all reals, the newest first: their number, and the hash of their pixels."""
        return [real_images(record) for record in reversed(self.records)]

    @property
    def translates(self) -> bool:
        """Whether it makes images of images, not of noise."""
        makers = (self.recipe.generator,) if self.recipe else self.networks
        return any(isinstance(part, TranslatorConfig) for part in makers)

    @property
    def encodes(self) -> bool:
        """Whether what learned is an encoder, beside a generator that was trained before."""
        made = self.recipe.generator if self.recipe else None
        return isinstance(made, GeneratorConfig) and not made.makes

    @property
    def trained(self) -> bool:
        """Whether there are weights."""
        return self.spec is not None


def facts_of(folder: Path, repo_id: str | None, said: Description) -> Facts:
    """The facts of a run, a checkpoint or a saved model, and what a person `said` of its images.

    UserError if there is no model, or a part is not registered.
    """
    folder = folder.resolve()
    there = {name: saved for name, saved in find_saved(folder).items() if not name.endswith(LIVE)}
    found = dict(sorted(there.items(), key=lambda item: item[1] is not chief_of(there)))
    discover()
    with shapes_only():
        networks = {name: build(saved.description, saved.file.parent) for name, saved in found.items()}
    chief, run = chief_of(found), run_folder(folder)
    weights = chief.file.parent
    recipe_file = next((place / "recipe.json" for place in (weights, run) if (place / "recipe.json").is_file()), None)
    progress = read_object_or_empty(weights / "progress.json") or last_progress(run)
    records = records_in([run, folder, weights, run / "model", *run.glob("model/*"), *run.glob("checkpoints/*")])
    own = file_hash(chief.file)
    views = views_of(open_model(folder, Hub()), networks)
    name = (repo_id or run.name).rpartition("/")[2]
    recipe = from_json(Recipe, read_description(recipe_file)) if recipe_file else None
    identity, known = (recipe.data.identity(), recipe.about) if recipe else ("", None)
    return Facts(
        title=name,
        place=repo_id or f"path/to/{name}",
        shared=repo_id is not None,
        command=command_for(f"runs/{name}", "recipe.py", progress.get("processes", 1)) if recipe_file else "",
        recipe=recipe,
        networks=tuple(network.config for network in networks.values()),
        spec=read_spec(chief.description["spec"], weights),
        sizes={name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        progress=progress,
        log=tuple(
            row for row in log_file.read_rows(run / "metrics.jsonl") if (row["step"] or 0) <= progress.get("step", 0)
        ),
        records=tuple(record for record in records if record["source"].get("weights") == own),
        ways={name: view.way for name, view in views.items() if view.way is not None},
        targets=tuple(view.target for view in views.values()),
        grids=tuple(f"samples/{grid.name}" for grid in latest_grids(folder)),
        origin=read_object_or_empty(folder / "source.json"),
        listing=image_list_hash(run),
        about=about_source(identity, known, said),
    )


def facts_of_recipe(file: Path, records: Iterable[Path]) -> Facts:
    """The facts of a recipe's file, and of records of a model that it trained; UserError if they are of another."""
    discover()
    recipe = load_recipe(file)
    kept = tuple(load_record(recipe, place) for place in records)
    source = kept[-1]["source"] if kept else {}
    return Facts(
        title=file.stem,
        place=f"runs/{file.stem}",
        command=command_for(f"runs/{file.stem}", f"recipes/{file.name}", 1),
        recipe=recipe,
        progress=source.get("progress") or {},
        records=kept,
        about=recipe.about,
    )


def command_for(out: str, recipe: str, processes: int) -> str:
    """The command that trains a recipe's file."""
    start = "ggdr train" if processes == 1 else f"accelerate launch --num_processes {processes} -m ggdr.train"
    return f"{start} {recipe} --out {shlex.quote(out)}"


def chief_of(networks: Mapping[str, SavedNetwork]) -> SavedNetwork:
    """The network that a model is known by: what makes its images, of several the first; without such the first."""
    makers = [saved for saved in networks.values() if saved.description.get("kind") in ("generator", "translator")]
    return makers[0] if makers else next(iter(networks.values()))


def views_of(model: SavedModel, networks: Mapping[str, Any]) -> dict[str, View]:
    """What a translator's networks make together, none if they are of noise; UserError if they play no game."""
    if not model.translates:
        return {}
    game, domains = model.played()
    return game.views(networks, domains)


def run_folder(folder: Path) -> Path:
    """The run's folder that a folder belongs to: `checkpoints/STEP`, `model` and `model/generator` lie in one."""
    if folder.parent.name in ("checkpoints", "model"):
        return folder.parent.parent
    return folder.parent if folder.name == "model" else folder


def latest_grids(folder: Path) -> list[Path]:
    """The newest grids of samples of a run up to a checkpoint, one for each view, for `samples/` beside the card."""
    folder = folder.resolve()
    last = read_object_or_empty(folder / "progress.json").get("images_seen", math.inf) / 1000
    found = {file: GRID.fullmatch(file.name) for file in sorted((run_folder(folder) / "samples").glob("*kimg.png"))}
    drawn = {file: float(named[1]) for file, named in found.items() if named and float(named[1]) <= last}
    return [file for file, kimg in drawn.items() if kimg == max(drawn.values())]


def last_progress(run: Path) -> dict[str, Any]:
    """Where the run's newest checkpoint stands."""
    return read_object_or_empty(max(run.glob("checkpoints/[0-9]*/progress.json"), default=run / "progress.json"))


def image_list_hash(run: Path) -> str:
    """Hash of the list of images in a run's newest checkpoint; empty if it keeps none."""
    kept = max(run.glob("checkpoints/[0-9]*/data.safetensors"), default=None)
    return file_hash(kept) if kept is not None else ""


def records_in(folders: Iterable[Path]) -> list[Record]:
    """The records in the folders `metrics` in these, each once, the oldest first."""
    files = dict.fromkeys(file for folder in folders for file in sorted((folder / "metrics").glob("*.json")))
    records = [record for record in map(read_object_or_empty, files) if is_record(record)]
    return sorted(records, key=lambda record: str(record["date"]))


def load_record(recipe: Recipe, file: Path) -> Record:
    """The record in a file; UserError if it is none, or of another generator or other images than the recipe's."""
    found = read_object_or_empty(file)
    if not is_record(found):
        raise UserError(f"{file} is no record of a generator's images; make one by `ggdr evaluate RUN --out {file}`.")
    network = found["source"].get("network") or {}
    try:  # with the fields that are newer than the record at their defaults
        generator = from_json(GeneratorConfig | TranslatorConfig, network.get("config"))
        source = from_json(DataSet, found["data"].get("settings"))
    except UserError:
        generator = source = None
    if (to_json(generator), to_json(source)) != (to_json(recipe.generator), to_json(recipe.data)):
        raise UserError(
            f"{file} is of another generator or other images than the recipe's; measure again, or remove it."
        )
    return found


def is_record(found: Mapping[str, Any]) -> bool:
    """Whether it is a record of images that a generator or a translator made."""
    whole = {"data", "date", "metrics", "repeats", "source", "versions"} <= found.keys()
    source = found.get("source")
    return (
        whole
        and found.get("format") == RECORD_FORMAT
        and isinstance(source, dict)
        and source.get("kind") in ("generator", "translator")
    )


def real_images(record: Record) -> tuple[int | None, str]:
    """Number of the images that a record measured against, and the hash of all their pixels; empty: not known."""
    try:
        number, measured = record["data"]["images"], [entry["real"] for entry in record["metrics"].values()]
        if record["source"].get("kind") == "translator":  # they are of one domain, and may be held out from learning
            return None, ""
        whole = [real["content"] for real in measured if real["number"] == number]
        return (number if isinstance(number, int) else None), str(next(iter(whole), ""))
    except (AttributeError, KeyError, TypeError):  # edited by hand
        return None, ""


def last_logged(log: Iterable[log_file.Row], head: str = "") -> Iterator[tuple[str, float, float]]:
    """The last finite value under each key that begins with `head`: the rest of the key, value, kimg."""
    last: dict[str, tuple[float, float]] = {}
    for row in log:
        for key, value in row.items():
            if key.startswith(head) and value is not None:
                last[key.removeprefix(head)] = value, row["kimg"] or 0.0
    yield from ((key, value, kimg) for key, (value, kimg) in last.items())
