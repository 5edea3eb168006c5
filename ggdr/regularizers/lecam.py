"""LeCam regularization, for few images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from ggdr.lazy import F, Tensor, torch
from ggdr.play.duel import Duel
from ggdr.play.term import Regularizer, State
from ggdr.registry import Capability, regularizers


@regularizers.register("lecam", paper="2104.03310")
@dataclass(frozen=True, kw_only=True)
class LeCam(Regularizer):
    """LeCam regularization: each logit is drawn to the running mean of the other kind's (Tseng et al. 2021).

    The running means, the anchors, start at 0 and follow once a step, over the whole batch. As the paper writes it a
    logit on either side of its anchor is drawn back; `one_sided` is the published code's form.
    """

    weight: float = 0.3
    """lambda; where logits grow large, it wants to be far smaller"""
    decay: float = 0.99
    """share of the anchors that stays at each step, 0 to 1"""
    one_sided: bool = False
    """only reals' logits above the fakes' anchor, and fakes' below the reals', are drawn back"""
    requires: ClassVar = frozenset({Capability.IMAGES})
    reads_logits: ClassVar = True

    def start(self, device: torch.device) -> State:
        return {"real": torch.zeros([], device=device), "fake": torch.zeros([], device=device)}

    def d_loss(self, duel: Duel) -> Tensor:
        real, fake = duel.on_real.logits - self.state["fake"], duel.on_fake.logits - self.state["real"]
        if self.one_sided:
            real, fake = F.relu(real), F.relu(-fake)
        return real.square().mean() + fake.square().mean()

    def after_step(self, stats: Mapping[str, Tensor]) -> State:
        if "logits/real" not in stats or "logits/fake" not in stats:
            return {}
        return {kind: stats[f"logits/{kind}"].lerp(anchor, self.decay) for kind, anchor in self.state.items()}
