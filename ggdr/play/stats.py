"""Stats: what a step measured, averaged over micro-batches and processes without a word to the host."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from ggdr.lazy import Tensor, torch
from ggdr.processes import together
from ggdr.registry import Capability

if TYPE_CHECKING:
    from ggdr.play.duel import Duel


class Stats:
    """Tensors on the device, by name, until `reduce` turns them into means."""

    def __init__(self, undecided: float | None = 0.0) -> None:
        """`undecided`: the logit at which D takes an image for neither, as the loss has it; None: there is none."""
        self.undecided = undecided
        self.seen: dict[str, list[Tensor]] = defaultdict(list)

    def add(self, values: Mapping[str, Tensor]) -> None:
        """Take in one micro-batch's values, any shape."""
        for name, value in values.items():
            self.seen[name].append(value.detach().float())

    def watch(self, duels: Iterable[Duel]) -> None:
        """Take in what D's turn showed. Only passes that a term has read are looked at: nothing runs for the log.

        What is known of all duels together, and adaptive parts follow, is of images, where some duels are of codes.
        """
        duels = list(duels)
        no_images = not any(Capability.IMAGES in duel.provides for duel in duels)
        for duel in duels:
            self.add(duel.notes)
            if duel.turn == "d":
                self.shown(duel, counts=no_images or Capability.IMAGES in duel.provides)

    def shown(self, duel: Duel, *, counts: bool) -> None:
        """Take in what D was shown; `counts`: also among all duels, not under the duel's name alone."""
        if counts and "fake" in vars(duel):
            self.add({"spread/real": spread(duel.reals), "spread/fake": spread(duel.fake.image.detach())})
        for kind in ("real", "fake"):
            judged = vars(duel).get(f"on_{kind}")
            if judged is None:
                continue
            if counts:
                self.judged(kind, judged.logits.detach())
            if duel.name:
                self.add({f"logits/{kind}/{duel.name}": judged.logits.mean()})

    def judged(self, kind: str, logits: Tensor) -> None:
        """Take in D's logits of the images of one kind, "real" or "fake"."""
        self.add({f"logits/{kind}": logits.mean()})
        if self.undecided is not None:
            self.add({f"signs/{kind}": (logits - self.undecided).sign().mean()})

    def reduce(self, processes: int) -> dict[str, Tensor]:
        """The means by name, the same on every process: one all-reduce of one flat vector."""
        means = [torch.stack(values).mean(0) for values in self.seen.values()]
        flat = torch.cat([mean.flatten() for mean in means])
        if processes > 1:
            with together():
                torch.distributed.all_reduce(flat)
            flat /= processes
        parts = flat.split([mean.numel() for mean in means])
        reduced = {name: part.view_as(mean) for name, part, mean in zip(self.seen, parts, means, strict=True)}
        self.seen.clear()
        return reduced


class Window:
    """Means of scalars over the steps since they were last taken, summed up as they come: no step's are kept."""

    def __init__(self) -> None:
        self.sums: dict[str, Tensor] = {}
        self.steps: Counter[str] = Counter()

    def add(self, stats: Mapping[str, Tensor]) -> None:
        """Take in a step's scalars; what is no scalar is passed over."""
        scalars = {name: value.detach().reshape([]) for name, value in stats.items() if value.numel() == 1}
        known = [name for name in scalars if name in self.sums]
        if known:  # in one launch
            torch._foreach_add_([self.sums[name] for name in known], [scalars[name] for name in known])
        self.sums |= {name: value.clone() for name, value in scalars.items() if name not in self.sums}
        self.steps.update(list(scalars))

    def take(self) -> dict[str, Tensor]:
        """The means by name, in its order; the window is empty then."""
        means = {name: self.sums[name] / self.steps[name] for name in sorted(self.sums)}
        self.sums, self.steps = {}, Counter()
        return means


def spread(images: Tensor) -> Tensor:
    """How much the images [N, C, H, W] of a batch differ: each pixel's standard deviation over them, averaged."""
    return images.float().std(dim=0, correction=0).mean()
