"""Health: plain advice from the logged numbers when a run goes wrong in one of the ways that GANs do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

HALF_LIFE_KIMG = 10.0
"""half-life of the running means that advice is based on"""
QUIET_KIMG = 5.0
"""what gradients do before this is not judged: everything moves fast then"""
EXPLODED = math.log(50)
"""log of the factor by which gradients outgrow their running mean when they explode"""

# What a healthy run would show: running means start there, so that a few odd values do not ring the bell.
HEALTHY = {"signs/real": 0.5, "signs/fake": -0.5, "right": 1.0, "variety": 1.0, "augment/p": 0.0}

ADVICE = {
    "ahead": "D tells nearly all reals from fakes (signs {signs/real:+.2f}, {signs/fake:+.2f}): G learns little. "
    "Add augmentation (ada), raise the weight of r1, or add data.",
    "lost": "D ranks reals above fakes no better than a coin: it has collapsed or cannot keep up. "
    "Lower the weight of r1, lower G's learning rate, or give D more channels.",
    "collapsed": "images of a batch are all but the same, with {variety:.3f} of the reals' variety: G has collapsed. "
    "Go back to an earlier checkpoint with lower learning rates or a larger weight of r1; --rollbacks 3 does so.",
    "saturated": "the augmentation's p stays at {augment/p:.2f}: above 0.8 augmentations can show in the images. "
    "Add data, mirror it, use smaller networks, or set an upper bound on p.",
    "nonfinite/g": "G's gradients were not finite and its update was skipped. If this goes on, lower the learning rate "
    "or train in fp32.",
    "nonfinite/d": "D's gradients were not finite and its update was skipped. If this goes on, lower the learning rate "
    "or train in fp32.",
    "grad/g": "G's gradients have grown to many times their usual norm. If images get worse, go back to an earlier "
    "checkpoint with a lower learning rate for G.",
    "grad/d": "D's gradients have grown to many times their usual norm. If images get worse, go back to an earlier "
    "checkpoint with a lower learning rate for D or a higher weight of r1.",
}

SIGNS: dict[str, Callable[[Mapping[str, float]], bool]] = {
    "ahead": lambda mean: mean["signs/real"] > 0.95 and mean["signs/fake"] < -0.95,
    "lost": lambda mean: mean["right"] < 0.6,
    "collapsed": lambda mean: mean["variety"] < 0.05,
    "saturated": lambda mean: mean["augment/p"] > 0.8,
}


FATAL = {"lost": "D has collapsed or cannot keep up", "collapsed": "G has collapsed to one image"}
"""signs from which a run seldom recovers by itself"""


class Health:
    """What one run has shown so far, smoothed, and what has been said about it: each advice is given once."""

    def __init__(self, ranks: bool = True) -> None:
        """`ranks`: whether a healthy D gives reals the higher logits, as the loss says; else no order is unhealthy."""
        self.ranks = ranks
        self.mean = dict(HEALTHY)
        self.kimg: float | None = None
        self.said: set[str] = set()
        self.unhealthy: list[str] = []  # what of the fatal is so now

    def advice(self, stats: Mapping[str, float]) -> list[str]:
        """Sentences for the user, mostly none, from one log line; `stats` holds `kimg` and whatever else was logged."""
        kimg = stats["kimg"]
        passed = 0.0 if self.kimg is None else max(kimg - self.kimg, 0.0)
        self.kimg = kimg
        found = [key for key in ("nonfinite/g", "nonfinite/d") if stats.get(key, 0) > 0]
        found += [key for key in ("grad/g", "grad/d") if kimg > QUIET_KIMG and self.exploded(key, stats, passed)]
        self.follow(stats, passed)
        found += [key for key, unhealthy in SIGNS.items() if unhealthy(self.mean)]
        self.unhealthy = [text for key, text in FATAL.items() if key in found]
        news = [key for key in found if key not in self.said]
        self.said.update(news)
        return [f"Health: {ADVICE[key].format_map(self.mean)}" for key in news]

    def follow(self, stats: Mapping[str, float], passed: float) -> None:
        """Move the running means by what was logged after `passed` kimg more."""
        seen = {key: stats[key] for key in HEALTHY if finite(stats, key)}
        if self.ranks and finite(stats, "logits/real") and finite(stats, "logits/fake"):
            seen["right"] = float(stats["logits/real"] > stats["logits/fake"])
        if finite(stats, "spread/fake") and stats.get("spread/real", 0) > 0:
            seen["variety"] = stats["spread/fake"] / stats["spread/real"]
        for key, value in seen.items():
            self.mean[key] = smooth(self.mean[key], value, passed, HALF_LIFE_KIMG)

    def exploded(self, key: str, stats: Mapping[str, float], passed: float) -> bool:
        """Whether this gradient norm, lightly smoothed, is far above its running mean; both are means of logarithms."""
        if not finite(stats, key) or stats[key] <= 0:
            return False
        now, usual = math.log(stats[key]), f"{key} usual"
        self.mean[key] = smooth(self.mean.get(key, now), now, passed, HALF_LIFE_KIMG / 10)
        self.mean[usual] = smooth(self.mean.get(usual, now), now, passed, HALF_LIFE_KIMG * 10)
        return self.mean[key] - self.mean[usual] > EXPLODED


def finite(stats: Mapping[str, float], key: str) -> bool:
    """Whether `key` was logged with a number."""
    return key in stats and math.isfinite(stats[key])


def smooth(mean: float, value: float, passed: float, half_life: float) -> float:
    """The running mean after `passed` kimg of `value`."""
    keep = 0.5 ** (passed / half_life)
    return keep * mean + (1 - keep) * value
