"""Train the GAN of a recipe. Read this file first, top to bottom: the command, the call, the loop, the step."""

from __future__ import annotations

import operator
import sys
import warnings
from collections.abc import Iterable
from contextlib import ExitStack, closing
from functools import reduce
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from ggdr.cli import again, guarded
from ggdr.documents import check_model_place
from ggdr.errors import UserError, at
from ggdr.flags.recipe import Command, parse
from ggdr.progress import say_loading
from ggdr.recipe import Recipe
from ggdr.schedules.base import value_at

if TYPE_CHECKING:
    from accelerate import Accelerator
    from torch import Tensor

    from ggdr.play.phase import Phase
    from ggdr.play.view import Reals
    from ggdr.training.run import Run
    from ggdr.training.trained import Trained
    from ggdr.training.trainer import Trainer


def main(argv: list[str]) -> int:
    """`ggdr train RECIPE [--out DIR] [--dry-run] [flags]`; a run that a signal stops is no failure."""
    warnings.formatwarning = lambda message, *_, **__: f"ggdr: warning: {message}\n"
    command = parse(argv, "ggdr train")
    check_sources(command)
    say_loading(f"PyTorch, then {command.recipe.data.name}")
    from ggdr.training.launch import make_accelerator, propagate_failure  # torch, once it is known to be needed

    accelerator = make_accelerator(command.recipe.precision)
    with propagate_failure(accelerator, command.out):
        finished = start(command, accelerator)
    if not finished and accelerator.is_main_process:
        print(f"to go on, {again(argv)}")
    accelerator.end_training()  # not after an error: it may wait for processes that wait for this one
    return 0


def check_sources(command: Command) -> None:
    """UserError if the images, or a model to start from, are not where the recipe says: at once, before torch."""
    with at("data"):
        command.recipe.data.check_source()
    with at("game"):
        command.recipe.game.check_source()
    if command.recipe.init_from and not any(command.out.glob("checkpoints/[0-9]*")):  # a run that goes on reads none
        check_model_place(command.recipe.init_from)


def train(recipe: Recipe | str | Path, out: str | Path, *, allow_changes: bool = False) -> Trained:
    """Train as `ggdr train` does, from Python or a notebook: `ggdr.train(recipe, out="runs/digits").pipeline()`.

    `recipe`: a Recipe, the path of a file that binds one, or the name of one that comes with ggdr, such as "digits".
    `out`: the run's folder; the same call goes on from the last checkpoint there. `allow_changes`: also where settings
    have changed that make it another run. Ctrl-C, like every signal to stop, saves after the step and returns.
    UserError if the parts, the data and the folder do not go together.
    """
    if sys._getframe(1).f_globals.get("__name__") == "__mp_main__":
        raise UserError(
            "a process that reads images has begun this script again, as on Windows and macOS each does: put what the"
            ' script does under `if __name__ == "__main__":`.'
        )
    import torch

    from ggdr.recipe.files import load_recipe
    from ggdr.training.launch import make_accelerator, propagate_failure
    from ggdr.training.trained import Trained

    recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
    command = Command(recipe, Path(out).expanduser(), allow_changes=allow_changes)
    accelerator = make_accelerator(recipe.precision)
    threads = torch.get_num_threads()
    try:
        with propagate_failure(accelerator, command.out):
            return Trained(command.out, start(command, accelerator))
    finally:
        torch.set_num_threads(threads)  # a run takes as many as are free


def start(command: Command, accelerator: Accelerator) -> bool:
    """Build the run, then try it out or train it; whether it came to its end."""
    from ggdr.training.dry_run import dry_run
    from ggdr.training.run import Run
    from ggdr.training.trainer import Trainer

    run = Run(command.recipe, command.out, accelerator)
    run.notes += command.notes
    if command.dry_run:
        dry_run(run, train_step, play)
        return True
    with Trainer(run, command.allow_changes) as trainer:
        train_loop(trainer)
    return run.done


def train_loop(trainer: Trainer) -> None:
    """Go on from the last checkpoint, if there is one, until the run is done or a signal asks it to stop."""
    run = trainer.run
    trainer.resume()
    with ExitStack() as reading:
        reals = reading.enter_context(closing(run.reals()))
        while not (run.done or run.stop.due()):
            stats = train_step(run, next(reals))
            trainer.after_step(stats)  # callbacks/: log, samples, checkpoint, push, metrics, the recipe's own
            if trainer.recovery.diverged:
                trainer.roll_back()  # to the last good checkpoint, or to the end
                reading.close()
                reals = reading.enter_context(closing(run.reals()))
    trainer.finish()


def train_step(run: Run, batches: list[dict[str, Reals]]) -> dict[str, Tensor]:
    """Each due phase updates one player, on its share of the step's batches; then all else follows their weights."""
    run.restart_optimizers()  # where the game says so: Progressive GAN's do as it grows
    for part in run.adaptive.values():  # ADA's p, where it has a schedule
        part.before_step(run.kimg)
    for phase in run.phases:  # G, G every 4, D, D every 16
        if run.step % phase.every == 0:
            play(run, phase, batches)
    return follow(run)


def play(run: Run, phase: Phase, batches: list[dict[str, Reals]]) -> None:
    """One phase: the terms of one turn that are due make one update of its player, or `n_critic` of D's main phase."""
    player = run.players[phase.turn]
    for repeat, batch in enumerate(batches[phase.reals]):
        context = run.context(phase, batch)  # it holds autocast: mixed precision
        micro_batches = run.micro_batches(batch)
        # Only this player's weights take gradient: on D's turn no graph reaches G.
        with run.exact(phase), player.learning(len(micro_batches), run.kimg):
            for place, reals in micro_batches:
                run.seed(run.step, phase.name, repeat, place)  # every draw belongs to a place in the global batch
                # Who meets whom: one G and one D, or whatever networks the game has.
                duels = run.recipe.game.duels(run.networks, reals, context)
                losses = {name: term.total(duels) for name, term in phase.terms.items()}
                phase.check_gradients(losses)
                total = add(value_at(phase.terms[name].weight, run.kimg) * loss for name, loss in losses.items())
                # A loss is its micro-batch's mean: over their number, the gradients add up to the batch's.
                # A phase that runs at every N-th step is N times as strong.
                (total * phase.strength / len(micro_batches)).backward()
                run.stats.add({f"loss/{phase.turn}/{name}": loss for name, loss in losses.items()})
                run.stats.watch(duels)
        player.average_gradients()  # over processes; they have been travelling since the last backward pass began
        norm = player.clip_gradients()  # to the optimizer's clip_value and clip_norm; the norm is the one before
        player.set_hyperparameters(run.kimg)  # the learning rate, and what else has a schedule
        broken = ~norm.isfinite()
        player.step(skip=broken)  # decided on the device: the host waits for no number
        run.stats.add({f"grad/{phase.turn}": norm.nan_to_num(0.0, 0.0, 0.0), f"nonfinite/{phase.turn}": broken})
        for callback in run.callbacks.values():  # WGAN's clips D's weights
            callback.after_update(phase.turn, list(player.networks.values()))
        for network in player.networks.values():
            network.after_update(run.kimg)  # spectral normalization takes one power iteration


def follow(run: Run) -> dict[str, Tensor]:
    """What follows a step's updates: its statistics over all processes, the parts that learn from them, G's mean."""
    run.stats.add(run.networks.measure())
    run.stats.add({"stop": run.stop.vote()})  # a signal to one process is heard by all
    stats = run.stats.reduce(run.processes) | {"images": run.counted}  # one all-reduce for all numbers
    run.stop.count(stats)
    for part in run.adaptive.values():  # ADA's p (augment/ada.py), the mean path length
        part.learn(stats)
    run.networks.after_step(stats)  # the mean style code, running statistics of batch normalization
    run.share_buffers()  # what else networks keep of the images they saw: the first process's
    run.ema.update(run.images_per_step, run.images_seen)
    run.images_seen += run.images_per_step
    run.step += 1
    return stats


class CallableModule(ModuleType):
    """`ggdr.train` is this module, for `accelerate launch -m ggdr.train`, and is called as its function `train` is."""

    __call__ = staticmethod(train)


def add(losses: Iterable[Tensor]) -> Tensor:
    """The sum of losses."""
    return reduce(operator.add, losses)


sys.modules[__name__].__class__ = CallableModule  # the way that Python documents for a module with methods
if __name__ == "__main__":
    guarded(main, sys.argv[1:])
