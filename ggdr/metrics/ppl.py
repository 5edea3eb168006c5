"""Perceptual path length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ggdr.errors import UserError, above_zero, setting
from ggdr.features.base import Embedder, Extractor
from ggdr.features.lpips import LPIPS
from ggdr.lazy import F, Tensor, torch
from ggdr.metrics.base import Metric
from ggdr.registry import Capability, metrics
from ggdr.seeding import seed_of

if TYPE_CHECKING:
    from ggdr.metrics.data import EvalData
    from ggdr.networks.base.module import Generator

EXTREMES = (0.01, 0.99)
"""quantiles beyond which path lengths are left out, as in the published measure"""


@metrics.register("ppl", paper="1812.04948")
@dataclass(frozen=True, kw_only=True)
class PPL(Metric):
    """Perceptual path length: how abruptly images change between latent codes, lower is smoother (Karras et al. 2019).

    Mean of |change of the features|^2 / epsilon^2 over short steps (eq. 2 and 3). With LPIPS, whose squared feature
    distance is the perceptual distance, it is the published measure; with other features it is another one.
    """

    images: int = 2048
    """number of paths; the literature takes 50,000 or more"""
    extractor: Extractor = LPIPS()
    """feature extractor; it must provide `smooth`, since images are compared before they are rounded"""
    space: Literal["w", "z"] = "w"
    """where paths run: straight between style codes (w), or along great circles between latent codes (z)"""
    sampling: Literal["end", "full"] = "end"
    """place of the step on its path: at the start (end), as in StyleGAN2, or anywhere (full)"""
    epsilon: float = 1e-4
    """length of the step, as a share of the path"""
    seed: int = 0
    """seed of the latent codes"""
    reliable_images: ClassVar = 1000
    requires: ClassVar = frozenset({Capability.GENERATOR})
    against: ClassVar = frozenset[str]()

    def __post_init__(self) -> None:
        above_zero(self, "images", "epsilon")
        if Capability.SMOOTH not in self.extractor.provides:
            raise UserError(
                f"ppl compares images before they are rounded, which feature extractor {self.extractor.name!r} cannot;"
                " take lpips, vgg16, dinov2, timm or digits."
            )

    def prepare(self, data: EvalData) -> None:
        """Load the extractor; UserError if that fails, there is no generator, or it has no such space."""
        self.check_generator(data)
        super().prepare(data)

    def check_generator(self, data: EvalData) -> Generator:
        """Return the generator; UserError if there is none, or it has no such space."""
        if data.generator is None:
            raise UserError(
                "ppl walks in the latent space of a generator; images alone, and what is made of images, have none:"
                " leave it out."
            )
        config = data.generator.config
        if self.space == "w" and Capability.WS not in config.provides:
            raise UserError(f"generator {config.name!r} has no style codes for ppl; set {setting('space')} to z.")
        return data.generator

    def measure(self, data: EvalData) -> dict[str, float]:
        """Return the `mean` length of `images` paths, without the shortest and the longest 1 %."""
        from ggdr.features.cache import cut
        from ggdr.ops.precision import without_tf32

        generator, network = self.check_generator(data), data.fake.embedder(self.extractor)
        processes, chunks = data.fake.processes, cut(0, self.images)
        with torch.no_grad(), without_tf32():
            lengths = {
                chunk: self.lengths(generator, network, chunk, data.labels(chunk), data.seed)
                for chunk in processes.shard(chunks)
            }
        return {"mean": trimmed_mean(processes.gather(lengths, chunks))}

    def lengths(
        self, generator: Generator, network: Embedder, places: range, labels: Tensor | None, seed: int = 0
    ) -> Tensor:
        """Return the lengths [n] of the paths at these places, float64 on the host; labels [n, L]."""
        from ggdr.ops.device import in_float64

        if generator.spec.labels and labels is None:
            raise UserError(f"ppl of generator {generator.config.name!r} needs its labels; give data that has them.")
        rng = torch.Generator().manual_seed(seed_of(self.seed, seed, places.start))
        device = generator.device
        ends = torch.randn(2, len(places), generator.z_dim, generator=rng)
        share = torch.rand(len(places), generator=rng) * (self.sampling == "full")
        found = []
        for part in torch.arange(len(places)).split(max(1, self.extractor.batch_size // 2)):
            part_labels = None if labels is None else labels[part].to(device)
            steps = torch.stack([share[part], share[part] + self.epsilon]).to(device)
            before, after = self.images_at(generator, ends[:, part].to(device), steps, part_labels)
            difference = in_float64(network(to_bytes(after)).rows - network(to_bytes(before)).rows)
            found.append(difference.square().sum(dim=1).cpu() / self.epsilon**2)
        return torch.cat(found)

    def images_at(self, generator: Generator, ends: Tensor, steps: Tensor, labels: Tensor | None) -> list[Tensor]:
        """Make images [N, C, H, W] at both steps [2, N] of the paths between latent codes ends [2, N, z_dim]."""
        if self.space == "w":
            start, stop = (generator.styles(z, labels) for z in ends)
            return [generator.synthesize(start.lerp(stop, step[:, None, None])) for step in steps]
        still: dict[str, Any] = {"noise": "const"} if Capability.NOISE in generator.config.provides else {}
        return [generator(great_circle(ends[0], ends[1], step[:, None]), labels, **still).image for step in steps]


def great_circle(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Interpolate on the sphere from a to b [N, D] by share [N, 1]: latent codes [N, D] of length D^0.5."""
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    cosine = (a * b).sum(dim=1, keepdim=True)
    aside, angle = F.normalize(b - cosine * a, dim=1), share * cosine.clamp(-1, 1).acos()
    return (a * angle.cos() + aside * angle.sin()) * a.shape[1] ** 0.5


def to_bytes(images: Tensor) -> Tensor:
    """Scale images from [-1, 1] to [0, 255] without rounding or clamping: a step changes less than one level."""
    return (images.float() + 1) * 127.5


def trimmed_mean(lengths: Tensor) -> float:
    """Return the mean of lengths [N] between the quantiles EXTREMES, which are the nearest values outwards."""
    low, high = (
        torch.quantile(lengths, share, interpolation=way)
        for share, way in zip(EXTREMES, ("lower", "higher"), strict=True)
    )
    return float(lengths[(lengths >= low) & (lengths <= high)].mean())
