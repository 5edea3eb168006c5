"""A Run: a recipe's parts, alive: players, phases, data and counters, and how they are saved and taken back."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import fields, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.distributed
from torch import Tensor

from ggdr.callbacks.built_in import callbacks_of
from ggdr.data.base import Batch, Content, Images
from ggdr.data.loader import batches
from ggdr.errors import UserError, at
from ggdr.layers.spectral import iterate_each_pass
from ggdr.layers.stages import keep_float32_below
from ggdr.ops.device import default_num_workers, setup_device, weight_memory_format
from ggdr.ops.pixel_classes import class_pixels
from ggdr.ops.pixels import network_input
from ggdr.ops.precision import without_tf32
from ggdr.ops.threads import Threads
from ggdr.play.duel import StepContext
from ggdr.play.phase import Phase, phases
from ggdr.play.stats import Stats
from ggdr.play.term import Adaptive, Turn
from ggdr.play.view import Reals, View, check_label_names
from ggdr.processes import together
from ggdr.progress import Bar
from ggdr.recipe import Recipe
from ggdr.recipe.fitting import drop, fit
from ggdr.registry import Capability
from ggdr.saving import checkpoint
from ggdr.schedules.base import Schedule
from ggdr.seeding import seed_of
from ggdr.training import saved_run
from ggdr.training.averaging import share
from ggdr.training.compiling import as_written
from ggdr.training.ema import Written, running_mean
from ggdr.training.player import Player
from ggdr.training.stopping import Stop
from ggdr.transfer.freeze import describe_frozen, freeze
from ggdr.transfer.start import sources, start_networks
from ggdr.transfer.table import table

if TYPE_CHECKING:
    from accelerate import Accelerator


class Run:
    """All that a run is while it runs."""

    def __init__(self, recipe: Recipe, out: Path, accelerator: Accelerator):
        """Build every part; UserError if the parts, the data or the number of processes do not go together."""
        self.out, self.accelerator = out, accelerator
        self.device, self.processes = accelerator.device, accelerator.num_processes
        self.threads = Threads(adapt=self.device.type == "cpu" and self.processes == 1)
        with at("data"), Bar(f"looking at {recipe.data.name}"):
            self.images = recipe.data.open()
        self.recipe, self.domains, self.extra, self.reasons, self.sizes = fit(recipe, self.images.domains)
        self.spec = self.images.spec
        check_pairs(recipe, self.images)
        setup_device(self.device, self.recipe.tf32)
        self.micro_batch_size = micro_batch_size(self.recipe, self.processes)
        self.step = self.images_seen = self.rollbacks = 0
        self.stats, self.stop = Stats(recipe.loss.undecided), Stop(accelerator)
        self.notes: list[str] = [*self.images.notes]
        self.terms, self.augment = self.recipe.terms(), self.recipe.augment
        self.phases = phases(self.terms, recipe.n_critic, recipe.game.fresh_reals, recipe.turns)
        self.callbacks = callbacks_of(self.recipe)
        self.build_networks()
        self.adaptive: dict[str, Adaptive] = {**self.terms, "augment": self.augment, "game": self.recipe.game}
        for name, part in self.adaptive.items():
            with at(self.recipe.path(name)):
                part.begin(self.device)
        self.images_per_step = self.recipe.batch_size * self.recipe.n_critic
        self.batches_per_step = self.recipe.n_critic + self.recipe.game.fresh_reals
        if self.recipe.game.fresh_reals:
            read = self.recipe.batch_size * self.batches_per_step
            self.notes.append(f"fresh_reals: a step reads {read} reals, and counts {self.images_per_step} of them")
        self.counted = torch.tensor(float(self.images_per_step), device=self.device)
        self.notes += self.threads.look(once=self.recipe.compile)

    def build_networks(self) -> None:
        """Players with weights that are the same on every process."""
        self.seed("weights")
        recipe = self.recipe
        self.networks = recipe.game.build_networks(recipe.generator, recipe.discriminator, self.domains, self.extra)
        networks = self.networks.named()
        for network in networks.values():
            network.to(self.device, memory_format=weight_memory_format(self.device)).train()
        if recipe.bf16_stages is not None:  # before the running means, which are copies
            for network in networks.values():
                keep_float32_below(network, self.spec.height >> (recipe.bf16_stages - 1))
        for network in self.networks.frozen.values():
            network.eval().requires_grad_(False)
        self.start_weights()
        if self.processes > 1:
            everything = (*networks.values(), *self.ema.mean.values())
            for tensor in chain.from_iterable((*net.parameters(), *net.buffers()) for net in everything):
                with together():
                    torch.distributed.broadcast(tensor.data, 0)
        if recipe.power_iteration == "pass":
            for network in networks.values():
                iterate_each_pass(network)
        if recipe.compile:
            for network in networks.values():
                network.compile_in_place()
        self.buffers = [b for network in networks.values() for b in network.buffers() if b.is_floating_point()]
        self.written = Written(self.buffers)
        self.players = self.build_players()

    def build_players(self) -> dict[Turn, Player]:
        """Turn -> who learns on it, for those turns on which a network does."""
        optimizers = {turn: self.recipe.optimizers[turn] for turn in self.networks.learning}
        lazy = {turn: [p.strength for p in self.phases if p.turn == turn and p.every > 1] for turn in optimizers}
        self.notes += [
            f"{turn}_optimizer: {settings.name} has no betas: its rate and decays are not corrected for lazy phases"
            for turn, settings in optimizers.items()
            if lazy[turn] and not settings.corrected()
        ]
        every = chain.from_iterable(network.parameters() for network in self.networks.named().values())
        frozen = {parameter for parameter in every if not parameter.requires_grad}
        return {
            turn: Player(self.networks.learning[turn], settings, lazy[turn], self.processes, frozen)
            for turn, settings in optimizers.items()
        }

    def start_weights(self) -> None:
        """What the recipe's `init_from` has goes into networks and running means; then `freeze_d` is seen to."""
        recipe, networks = self.recipe, self.networks.named()
        resumes = checkpoint.latest(self.out) is not None  # from where all weights will come
        found = sources(recipe.init_from, networks) if recipe.init_from and not resumes else {}
        starts = start_networks(found, networks)
        self.ema = running_mean(self.networks.averaged(), recipe)
        means = start_networks(found, self.ema.mean, mean=True)
        if recipe.init_from:
            self.notes += [f"init_from: not read, {self.out} has a checkpoint"] if resumes else table(starts, means)
        taken = {begun.name: begun.taken for begun in starts}
        for name, network in self.networks.learning.get("d", {}).items():
            if frozen := freeze(network, recipe.freeze_d):
                self.notes.append(
                    describe_frozen(name, network, recipe.freeze_d, frozen, None if resumes else taken[name])
                )

    def seed(self, *what: Any) -> None:
        """Seed torch for one purpose: every draw is a function of the recipe's seed and of `what` alone."""
        torch.manual_seed(seed_of(self.recipe.seed, *what))

    @property
    def kimg(self) -> float:
        """Thousands of reals shown so far."""
        return self.images_seen / 1000

    @property
    def done(self) -> bool:
        """Whether the recipe's number of images has been shown."""
        return self.images_seen >= self.recipe.total_kimg * 1000

    def reals(self) -> Generator[list[dict[str, Reals]]]:
        """Yield, for each step from here on, the process's part of its global batches: D's `n_critic`, then G's.

        `close` ends the processes that read them: at the end of Python they would be waited for, and ignore its signal.
        """
        local = batches(
            self.images,
            seed=self.recipe.seed,
            start=self.images_seen // self.recipe.n_critic * self.batches_per_step,
            batch_size=self.recipe.batch_size,
            rank=self.accelerator.process_index,
            world=self.processes,
            num_workers=default_num_workers(self.device)
            if self.recipe.num_workers is None
            else self.recipe.num_workers,
        )
        while True:
            yield [self.to_device(next(local)) for _ in range(self.batches_per_step)]

    def to_device(self, batch: Mapping[str, Batch]) -> dict[str, Reals]:
        """What networks see of each domain."""
        return {name: self.reals_of(domain, self.domains[name].classes) for name, domain in batch.items()}

    def reals_of(self, batch: Batch, classes: int) -> Reals:
        """uint8 travels; it becomes float in [-1, 1], or one-hot of `classes`, where it is used."""
        images, labels = batch
        if self.device.type == "cuda":  # workers' are pinned; then the copy waits for nothing, and nothing for it
            images, labels = images.pin_memory(), None if labels is None else labels.pin_memory()
        seen = network_input(images.to(self.device, non_blocking=True), classes)
        return Reals(seen, None if labels is None else labels.to(self.device, non_blocking=True))

    def micro_batches(self, batch: Mapping[str, Reals]) -> list[tuple[int, dict[str, Reals]]]:
        """The parts of a batch that pass the networks at once, each with its place in the global batch."""
        domains = {name: split(reals, self.micro_batch_size) for name, reals in batch.items()}
        count = len(next(iter(domains.values())))
        first = self.accelerator.process_index * count
        return [(first + part, {name: parts[part] for name, parts in domains.items()}) for part in range(count)]

    def model(self) -> dict[str, Any]:
        """The networks that a run is for, by name: the running means, and those that never learn."""
        return {**self.networks.frozen, **self.ema.mean}

    def views(self) -> dict[str, View]:
        """What the model makes, as it is now: the running means' views, whose truth is known where images are pairs."""
        views = self.recipe.game.views(self.model(), [*self.domains])
        return {
            name: view if view.source is None else replace(view, paired=view.paired or self.shown.paired)
            for name, view in views.items()
        }

    @cached_property
    def shown(self) -> Images:
        """The images that views look at: what the data holds out, or itself."""
        held_out = self.recipe.data.held_out()
        if held_out is None:
            return self.images
        images = held_out.open()
        for network in self.ema.mean.values():
            check_label_names(network.spec, [*images.domains.values()], "the images that the data holds out")
        return images

    def batch_at(self, places: Sequence[int], images: Images) -> dict[str, Reals]:
        """What lies at these places of each domain, in the order of the run's seed."""
        return self.to_device(images.domain_batches(list(places), self.recipe.seed))

    def seen_by(self, view: View, places: range) -> dict[str, Reals]:
        """What a view is to make images of, at these places; of one that makes them of noise, labels alone are read."""
        if view.source is not None:
            return self.batch_at(places, self.shown)
        labels = None
        if self.spec.labels:
            labels = self.images.domain_batches(list(places), self.recipe.seed)[view.target].labels
            labels = None if labels is None else labels.to(self.device)
        return {view.target: Reals(torch.empty(len(places), 0, device=self.device), labels)}

    def restart_optimizers(self) -> None:
        """Where the game says so, all players' optimizers begin again before this step."""
        before, now = (self.images_seen - self.images_per_step) / 1000, self.images_seen / 1000
        if self.step and self.recipe.game.restarts(before, now, self.spec):
            for player in self.players.values():
                player.restart()

    def context(self, phase: Phase, batch: Mapping[str, Reals]) -> StepContext:
        """What a phase asks of its duels at this step, on its share of a batch."""
        penalty = as_written if self.recipe.compile else nullcontext
        autocast = penalty if phase.float32 else self.accelerator.autocast
        return StepContext(
            phase.turn,
            phase.requires,
            phase.resolutions,
            self.images_seen / 1000,
            self.augment,
            autocast,
            phase.every == 1,
            self.class_pixels(batch) if Capability.LABEL_MAP in phase.requires else None,
        )

    def class_pixels(self, batch: Mapping[str, Reals]) -> Tensor:
        """The pixels of each class [K] in all processes' label maps, by the number of micro-batches."""
        label_map = self.recipe.game.label_map(self.networks, next(iter(batch.values())))
        assert label_map is not None
        pixels = class_pixels(label_map)
        if self.processes > 1:
            with together():
                torch.distributed.all_reduce(pixels)
        return pixels * (self.micro_batch_size / self.recipe.batch_size)

    def exact(self, phase: Phase) -> AbstractContextManager:
        """Context of a phase's passes, there and back: what differentiates a gradient has all bits of float32."""
        return without_tf32() if phase.float32 else nullcontext()

    def scheduled(self) -> dict[str, float]:
        """What settings that have a schedule are now, by the name under which they are logged: `lr/g`, `weight/r1`."""
        recipe = self.recipe
        owners: dict[str, Any] = {f"/{turn}": player.settings for turn, player in self.players.items()} | {"": recipe}
        owners |= {f"/{name}": part for name, part in self.adaptive.items()}
        return {
            f"{field.name}{place}": value.at(self.kimg)
            for place, owner in owners.items()
            for field in fields(owner)
            if isinstance(value := vars(owner)[field.name], Schedule)
        }

    def share_buffers(self) -> None:
        """Running statistics that a process gathers from its own images become the first process's on all.

        Constants stay where they are: all processes write to the same buffers in a step, or to none.
        """
        if self.processes > 1:
            share([self.buffers[place] for place in self.written.since(self.buffers)])
            self.written = Written(self.buffers)  # sharing has written to them, too

    def save(self, unhealthy: Sequence[str] = ()) -> Path:
        """Write a checkpoint and drop old ones; to be called by one process. `unhealthy`: why it is no good one."""
        return saved_run.save_run(self, unhealthy)

    def load(self, folder: Path, allow_changes: bool = False) -> list[str]:
        """Take back what a checkpoint holds; return what the recipe changed. UserError if it is another run's.

        `allow_changes`: take back what fits, also where the promise of an exact continuation is broken.
        """
        return saved_run.load_run(self, folder, allow_changes)

    @cached_property
    def content(self) -> Content:
        """Which images there are, as they were when they were opened."""
        return self.images.content()

    def slow_down(self, rollbacks: int) -> None:
        """All players learn as slowly as they are to after this many rollbacks."""
        self.rollbacks = rollbacks
        for player in self.players.values():
            player.lr_scale = self.recipe.rollback_lr**rollbacks


def check_pairs(recipe: Recipe, images: Images) -> None:
    """UserError if the game, or a term, needs what lies at one place of all domains to belong together, and it does
    not."""
    learning = {f"game {recipe.game.name!r}": "--game unpaired"} if recipe.game.pairs else {}
    for term in recipe.terms().values():
        if Capability.LABEL_MAP in term.requires:
            learning[f"{term.registry.kind} {term.name!r}"] = drop(recipe, term)
    for who, instead in learning.items() if not images.paired else ():
        raise UserError(
            f"{who} learns from pairs, and in data {recipe.data.name!r} what lies at one place of"
            f" {' and '.join(images.domains)} does not belong together: take --data pairs, or {instead}."
        )


def split(reals: Reals, size: int) -> list[Reals]:
    """The parts of a domain's reals, `size` images each."""
    images = reals.images.split(size)
    labels = [None] * len(images) if reals.labels is None else reals.labels.split(size)
    return [Reals(*part) for part in zip(images, labels, strict=True)]


def micro_batch_size(recipe: Recipe, processes: int) -> int:
    """Images that pass the networks at once; UserError if the batch cannot be shared out evenly."""
    share = recipe.batch_size // processes
    size = recipe.micro_batch_size or max(share, 1)
    if recipe.batch_size % processes or share % size:
        raise UserError(
            f"a batch of {recipe.batch_size} does not split into {processes} process{'es' * (processes > 1)} and"
            f" micro-batches of {size}; set --batch-size to a multiple of {processes * size}."
        )
    for part in (*recipe.terms().values(), recipe.game):
        if size < part.least:
            raise UserError(
                f"{part.registry.kind} {part.name!r} reads the images of a micro-batch together and needs"
                f" {part.least} of them, and here there {'is' if size == 1 else 'are'} {size}: set --micro-batch-size"
                f" to {part.least} or more, and --batch-size to a multiple of {processes * part.least}."
            )
    return size
