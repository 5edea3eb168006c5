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
"""quantiles beyond which distances are left out, as they are where the measure was published"""


@metrics.register("ppl", paper="1812.04948")
@dataclass(frozen=True, kw_only=True)
class PPL(Metric):
    """Perceptual path length: how abruptly images change between latent codes, lower is smoother (Karras et al. 2019).

    Mean of |change of the features|^2 / epsilon^2 over short steps (eq. 2 and 3). With LPIPS, whose squared feature
    distance is the perceptual distance, it is the published measure; with other features it is another one.
    """

    images: int = 2048
    """how many paths; the literature takes 50,000 or more"""
    extractor: Extractor = LPIPS()
    """what turns images into features; one that provides `smooth`, since images are compared before they are rounded"""
    space: Literal["w", "z"] = "w"
    """paths of style codes, straight, or of latent codes, along great circles"""
    sampling: Literal["end", "full"] = "end"
    """where a path is looked at: at its start, as StyleGAN2 does, or anywhere along it"""
    epsilon: float = 1e-4
    """the step, as a share of the path"""
    seed: int = 0
    """seed of the latent codes"""
    least: ClassVar = 1000
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
        """Also UserError without a generator, or with one that has no such space."""
        self.walked(data)
        super().prepare(data)

    def walked(self, data: EvalData) -> Generator:
        """The generator; UserError if there is none, or it has no such space."""
        if data.generator is None:
            raise UserError("ppl walks in the latent space of a generator; images alone have none: leave it out.")
        config = data.generator.config
        if self.space == "w" and Capability.WS not in config.provides:
            raise UserError(f"generator {config.name!r} has no style codes for ppl; set {setting('space')} to z.")
        return data.generator

    def measure(self, data: EvalData) -> dict[str, float]:
        """`mean` of the lengths of `images` paths, but for the shortest and the longest."""
        from ggdr.features.cache import cut
        from ggdr.ops.precision import without_tf32

        generator, network = self.walked(data), data.fake.embedder(self.extractor)
        processes, chunks = data.fake.processes, cut(0, self.images)
        with torch.no_grad(), without_tf32():
            lengths = {
                chunk: self.lengths(generator, network, chunk, data.labels(chunk), data.seed)
                for chunk in processes.shard(chunks)
            }
        return {"mean": usual_mean(processes.gather(lengths, chunks))}

    def lengths(
        self, generator: Generator, network: Embedder, places: range, labels: Tensor | None, seed: int = 0
    ) -> Tensor:
        """The lengths [n] of the paths of these places, float64 on the host; labels [n, L]."""
        if generator.spec.labels and labels is None:
            raise UserError(f"ppl of generator {generator.config.name!r} needs its labels; give data that has them.")
        dice = torch.Generator().manual_seed(seed_of(self.seed, seed, places.start))
        device = generator.device
        ends = torch.randn(2, len(places), generator.z_dim, generator=dice)
        share = torch.rand(len(places), generator=dice) * (self.sampling == "full")
        found = []
        for part in torch.arange(len(places)).split(max(1, self.extractor.batch_size // 2)):
            worn = None if labels is None else labels[part].to(device)
            steps = torch.stack([share[part], share[part] + self.epsilon]).to(device)
            before, after = self.images_at(generator, ends[:, part].to(device), steps, worn)
            change = (network(to_bytes(after)).rows - network(to_bytes(before)).rows).double()
            found.append(change.square().sum(dim=1).cpu() / self.epsilon**2)
        return torch.cat(found)

    def images_at(self, generator: Generator, ends: Tensor, steps: Tensor, labels: Tensor | None) -> list[Tensor]:
        """Images [N, C, H, W] at both steps [2, N] of the paths between latent codes ends [2, N, z_dim]."""
        if self.space == "w":
            start, stop = (generator.styles(z, labels) for z in ends)
            return [generator.synthesize(start.lerp(stop, step[:, None, None])) for step in steps]
        still: dict[str, Any] = {"noise": "const"} if Capability.NOISE in generator.config.provides else {}
        return [generator(great_circle(ends[0], ends[1], step[:, None]), labels, **still).image for step in steps]


def great_circle(a: Tensor, b: Tensor, share: Tensor) -> Tensor:
    """Latent codes [N, D] on the way from the direction of a to that of b [N, D], by share [N, 1]; of length D^0.5."""
    a, b = F.normalize(a, dim=1), F.normalize(b, dim=1)
    cosine = (a * b).sum(dim=1, keepdim=True)
    aside, angle = F.normalize(b - cosine * a, dim=1), share * cosine.clamp(-1, 1).acos()
    return (a * angle.cos() + aside * angle.sin()) * a.shape[1] ** 0.5


def to_bytes(images: Tensor) -> Tensor:
    """Images in [-1, 1] in the range of bytes, neither rounded nor clamped: the step is smaller than one."""
    return (images.float() + 1) * 127.5


def usual_mean(lengths: Tensor) -> float:
    """Mean of lengths [N] within the quantiles EXTREMES, both of which are taken from the values, outwards."""
    low, high = (
        torch.quantile(lengths, share, interpolation=way)
        for share, way in zip(EXTREMES, ("lower", "higher"), strict=True)
    )
    return float(lengths[(lengths >= low) & (lengths <= high)].mean())
