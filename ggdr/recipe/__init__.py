"""A Recipe: all that defines a run, as a frozen dataclass of dataclasses, bound to `recipe` in a Python file."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Annotated, Literal

import tyro

from ggdr.augment.base import Augmentation
from ggdr.augment.none import NoAugmentation
from ggdr.changes import Mark, MayChange
from ggdr.data.base import DataSet
from ggdr.errors import UserError, above_zero, check_licence, not_negative, setting
from ggdr.games.standard import StandardGame
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.base import Metric
from ggdr.networks.base import DiscriminatorConfig, GeneratorConfig, TranslatorConfig
from ggdr.ops.power_function import check_sigma_rel
from ggdr.optimizers.adam import Adam
from ggdr.play.callback import Callback
from ggdr.play.game import Game
from ggdr.play.optimizer import Optimizer
from ggdr.play.term import Loss, Regularizer, Term, Turn
from ggdr.ranges import Choice
from ggdr.recipe.about import About
from ggdr.recipe.kinds import check_kinds
from ggdr.registry import Part
from ggdr.schedules.base import Scheduled, reached
from ggdr.trackers.accelerate import TensorBoard
from ggdr.trackers.base import Tracker


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Parts and numbers of a run. Sizes, channels and label width come from the data set.

    `MayChange`: a run that is resumed may have another value; other fields make it another run.
    """

    data: DataSet
    """where real images come from"""
    generator: GeneratorConfig | TranslatorConfig
    """makes images, of noise or of other images"""
    discriminator: DiscriminatorConfig
    """judges them"""
    loss: Loss = field(default_factory=NonSaturating)
    """the adversarial loss of both players"""
    regularizers: dict[str, Regularizer] = field(default_factory=dict)
    """further terms, by any name"""
    augment: Augmentation = field(default_factory=NoAugmentation)
    """done to whatever the discriminator sees"""
    game: Game = field(default_factory=StandardGame)
    """who plays"""
    metrics: MayChange[dict[str, Metric]] = field(default_factory=dict)
    """measured every `metric_kimg`, by any name"""
    trackers: MayChange[dict[str, Tracker]] = field(default_factory=lambda: {"tensorboard": TensorBoard()})
    """where numbers and grids go besides the run's folder"""
    callbacks: MayChange[dict[str, Callback]] = field(default_factory=dict)
    """what else happens while the run trains, by any name, beside log lines, grids, checkpoints, pushes and metrics"""

    g_optimizer: Optimizer = field(default_factory=Adam)
    """the generator's optimizer"""
    d_optimizer: Optimizer = field(default_factory=Adam)
    """the discriminator's optimizer"""
    e_optimizer: Optimizer | None = None
    """the optimizer of what learns on a third turn, in games that have one; None: as the generator's"""
    batch_size: int = 32
    """reals of one step of D, over all processes"""
    micro_batch_size: int | None = None
    """images that pass the networks at once, in one process; None: the process's whole share of the batch"""
    n_critic: Annotated[int, Choice(1, 5, paper="1711.10337")] = 1
    """main turns of D, on fresh reals, for one of G"""
    total_kimg: MayChange[float] = 25000.0
    """length of the run, thousands of reals shown to D"""
    ema_kimg: Scheduled = 10.0
    """half-life of the running mean of G's weights, thousands of reals; 0: no mean"""
    ema_rampup: float | None = 0.05
    """the half-life is at most this share of the reals shown so far; None, or with `init_from`: no such limit"""
    ema_sigma_rel: float | None = None
    """width of the running mean as a share of the run, instead of `ema_kimg` and `ema_rampup`: weights count as t^gamma
    (arXiv 2312.02696), 0 to 0.2886; None: those two hold"""
    precision: Literal["fp32", "bf16"] = "fp32"
    """what networks compute in; penalties, losses, weights and D's last layers are float32 in any case"""
    bf16_stages: int | None = None
    """how many stages of each network, the highest resolutions, compute in bf16 if that is the precision; the others
    keep float32. None: all"""
    power_iteration: Literal["update", "pass"] = "update"
    """when spectral normalization takes its step: after each update, for all passes, micro-batches and processes that
    follow, or in each pass in training, as torch has it"""
    tf32: bool = False
    """on CUDA, convolutions and products of float32 keep 10 of 23 bits (TF32), not in penalties: faster, less exact"""
    compile: MayChange[bool] = False
    """torch.compile the networks, but for penalties; takes minutes at the start and needs a C++ compiler"""
    init_from: MayChange[str | None] = None
    """run, checkpoint, or saved model whose weights the networks start from, as far as they fit"""
    freeze_d: int = 0
    """blocks of D, from the image inwards, that learn nothing (Freeze-D, arXiv 2002.10964) but may be clipped"""
    seed: int = 0
    """seed of initial weights, latents, noise, augmentation and the order of the data"""
    num_workers: MayChange[int | None] = None
    """processes that read images, at most one a CPU core; 0: the trainer's own; None: 3 on CUDA, none elsewhere"""
    nonfinite_limit: MayChange[int] = 10
    """updates in a row that may be skipped for gradients that are not finite before the run counts as diverged"""
    rollbacks: MayChange[int] = 0
    """times a run that has diverged goes back to its last good checkpoint, slower each time; 0: it ends at once"""
    rollback_lr: MayChange[float] = 0.5
    """factor of both learning rates each time, 0 to 1"""

    log_kimg: MayChange[float] = 1.0
    """interval of log lines"""
    sample_kimg: MayChange[float] = 50.0
    """interval of sample grids; 0: none"""
    checkpoint_kimg: MayChange[float] = 200.0
    """interval of checkpoints; there is one at the end in any case"""
    metric_kimg: MayChange[float] = 200.0
    """interval of the metrics; 0: none"""
    keep_checkpoints: MayChange[int] = 2
    """checkpoints that stay, newest first; those made while the run was unhealthy do not count"""
    keep_best: MayChange[str] = ""
    """metric (or NAME/VALUE of one) whose best checkpoint stays too, as checkpoints/best; empty: none"""
    sample_images: MayChange[int] = 64
    """images in a sample grid"""

    hub_id: MayChange[str | None] = None
    """Hub repository, org/name, that the run is pushed to; None: to none"""
    hub_private: MayChange[bool] = False
    """whether only its owners see that repository, if it is made"""
    hub_licence: MayChange[str] = ""
    """licence of the weights, as the Hub writes it, such as cc-by-4.0; empty: the card says `unknown`"""
    hub_kimg: MayChange[float] = 1000.0
    """interval of pushes, in the background, each push takes its checkpoint; 0: at the end alone"""

    about: Annotated[About | None, tyro.conf.Suppress, Mark] = None
    """what model cards say of the images, and of the numbers to reach; left out of a recipe with another source"""

    def __post_init__(self) -> None:
        check_kinds(self)
        if self.about is not None and self.data.identity() not in self.about.sources:
            # Words about a set of images never go along with other images, however this recipe came about.
            object.__setattr__(self, "about", None)
        above_zero(
            self,
            "batch_size",
            "micro_batch_size",
            "bf16_stages",
            "n_critic",
            "total_kimg",
            "log_kimg",
            "checkpoint_kimg",
            "keep_checkpoints",
        )
        above_zero(self, "sample_images", "nonfinite_limit")
        not_negative(self, "seed", "num_workers", "ema_rampup", "sample_kimg", "metric_kimg", "freeze_d")
        not_negative(self, "hub_kimg", "rollbacks")
        check_licence(self.hub_licence)
        if self.bf16_stages is not None and self.precision != "bf16":
            raise UserError(
                f"{setting('bf16_stages')} is {self.bf16_stages}, and precision is {self.precision!r}: set precision to"
                " 'bf16', or leave bf16_stages out."
            )
        if not all(kimg >= 0 for kimg in reached(self.ema_kimg)):
            raise UserError(f"{setting('ema_kimg')} is {self.ema_kimg}; give 0 or more.")
        if self.ema_sigma_rel is not None:
            check_sigma_rel("ema_sigma_rel", self.ema_sigma_rel)
        if not 0 < self.rollback_lr <= 1:
            raise UserError(f"{setting('rollback_lr')} is {self.rollback_lr}; give a number above 0, at most 1.")
        if taken := {self.loss.name, "augment", "game"} & self.regularizers.keys():
            raise UserError(f"a regularizer is called {taken.pop()!r}, as another part is; give it another name.")
        if self.loss.every != 1:
            raise UserError(
                f"{setting('loss.every')} is {self.loss.every}; the adversarial loss runs at every step: set it to 1."
            )
        for name, term in self.regularizers.items():
            if term.every < 1:
                raise UserError(f"{setting(f'regularizers.{name}.every')} is {term.every}; give a whole number from 1.")

    def parts(self) -> list[Part]:
        """What plays: networks, loss, regularizers, augmentation and game, and the callbacks."""
        playing = [self.generator, self.discriminator, self.loss, *self.regularizers.values(), self.augment, self.game]
        return [*playing, *self.callbacks.values()]

    def flag(self, part: Part) -> str:
        """How a part of it is called on the command line, such as "--regularizers.r1"."""
        own = {field.name: getattr(self, field.name) for field in fields(self)}
        named: dict[str, Part] = {f"regularizers.{name}": term for name, term in self.regularizers.items()}
        named |= {f"callbacks.{name}": callback for name, callback in self.callbacks.items()}
        return next(f"--{name}" for name, value in {**own, **named}.items() if value is part)

    def terms(self) -> dict[str, Term]:
        """The loss, if there is one, and the regularizers, by the name under which they are logged."""
        adversarial: dict[str, Term] = {self.loss.name: self.loss} if self.loss.adversarial else {}
        return adversarial | self.regularizers

    def path(self, name: str) -> str:
        """Where a part that may have a state is in the recipe, by the name under which it is logged."""
        return {self.loss.name: "loss", "augment": "augment", "game": "game"}.get(name, f"regularizers.{name}")

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Whose turn it is, in the order of a step: the game's, without D's where nobody judges."""
        return tuple(turn for turn in self.game.turns if turn != "d" or self.discriminator.judges)

    @property
    def optimizers(self) -> dict[Turn, Optimizer]:
        """Turn -> the optimizer of whoever learns on it, for the turns that there are."""
        of_turns: dict[Turn, Optimizer] = {
            "g": self.g_optimizer,
            "d": self.d_optimizer,
            "e": self.e_optimizer or self.g_optimizer,
        }
        return {turn: optimizer for turn, optimizer in of_turns.items() if turn in self.turns}
