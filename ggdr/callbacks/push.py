"""Pushes to the Hugging Face Hub."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ggdr.errors import UserError, check_licence
from ggdr.play.callback import Callback
from ggdr.registry import callbacks

if TYPE_CHECKING:
    from ggdr.training.trainer import Trainer


@callbacks.register("push")
@dataclass(kw_only=True)
class PushToHub(Callback):
    """Push the run to a repository on the Hugging Face Hub, in the background, and once more at the end."""

    every_kimg: float = 1000.0
    """interval of pushes, each of a checkpoint made for it, thousands of reals; 0: at the end alone"""
    repo_id: str = ""
    """the repository, org/name"""
    private: bool = False
    """whether only its owners see the repository, if it is made"""
    licence: str = ""
    """licence of the weights, as the Hub writes it, such as cc-by-4.0; empty: the card says `unknown`"""

    def __post_init__(self) -> None:
        super().__post_init__()
        check_licence(self.licence)

    def prepare(self, trainer: Trainer) -> None:
        if not self.repo_id:
            raise UserError("callback 'push' has no repository to push to; give its repo_id, such as org/name.")

    def start(self, trainer: Trainer) -> None:
        """UserError if this account may not push there."""
        from ggdr.hub.repository import Repository, missing_words
        from ggdr.training.pusher import Pusher

        run, place = trainer.run, Repository(self.repo_id, self.private or None)
        self.pusher = trainer.by_main(lambda: Pusher(run.out, place, trainer.say))
        for line in missing_words(self.licence, run.recipe.about, "--hub-licence"):
            trainer.say(f"WARNING: {line}")

    def on_interval(self, trainer: Trainer) -> None:
        trainer.save()
        if self.pusher is not None:
            self.pusher.offer()

    def end(self, trainer: Trainer) -> None:
        if self.pusher is not None and trainer.run.done:
            self.pusher.finish()
