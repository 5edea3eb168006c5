"""Seconds per 1000 images of each pass of StyleGAN2 with a GGDR decoder, and of a training step's two main phases.

    python benchmarks/networks.py [--resolutions 32 64] [--channels 64] [--batch-size 32] [--repeats 5] [--bf16]

Reports the fastest of the repeats: other work on the machine can only slow a pass down.
"""

import argparse
import time
from contextlib import nullcontext

import torch
from torch.nn import functional as F

from ggdr.networks.base import ExtraOutputs, ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.training.memory import retain_pages


def build(resolution: int, channels: int):
    """A generator and a U-Net discriminator of the same width at every resolution, float32."""
    width = {"channel_base": channels * resolution, "channel_max": channels}
    spec = ImageSpec(resolution, resolution)
    generator = StyleGAN2GeneratorConfig(**width, z_dim=channels, w_dim=channels, mapping_layers=2).build(spec)
    targets = {resolution // 4: generator.feature_channels[resolution // 4]}
    return (
        generator,
        UNetDiscriminatorConfig(encoder=StyleGAN2DiscriminatorConfig(**width)).build(spec, ExtraOutputs(targets)),
        targets,
    )


def fastest(repeats: int, *passes) -> list[float]:
    """Seconds of each of a chain of passes, the next of which takes the one before's result."""
    best = [float("inf")] * len(passes)
    for _ in range(repeats):
        result = None
        for index, run in enumerate(passes):
            start = time.perf_counter()
            result = run(result)
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            best[index] = min(best[index], time.perf_counter() - start)
    return best


def learning(player, other) -> None:
    """Let only one player's weights take gradient."""
    player.requires_grad_(True).zero_grad()
    other.requires_grad_(False)


def generator_phase(g, d, z) -> None:
    """G's main phase, without the optimizer's step."""
    learning(g, d)
    F.softplus(-d(g(z).image).logits).mean().backward()


def discriminator_phase(g, d, z, real, targets) -> None:
    """D's main phase with GGDR, without the optimizer's step."""
    learning(d, g)
    with torch.no_grad():
        fake = g(z, resolutions=tuple(targets))
    on_fake, on_real = d(fake.image, resolutions=tuple(targets)), d(real)
    loss = F.softplus(on_fake.logits).mean() + F.softplus(-on_real.logits).mean()
    for resolution in targets:
        loss = loss + 10 * (1 - F.cosine_similarity(on_fake.features[resolution], fake.features[resolution]).mean())
    loss.backward()


def measure(resolution: int, channels: int, batch: int, repeats: int, autocast) -> dict[str, float]:
    """Seconds of each pass on one batch."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    g, d, targets = build(resolution, channels)
    g, d = g.to(device), d.to(device)
    z, real = torch.randn(batch, g.z_dim, device=device), torch.randn(batch, 3, resolution, resolution, device=device)

    def run(function, *given):
        with autocast(device):
            return function(*given)

    learning(g, d)
    g_passes = fastest(repeats, lambda _: run(g, z).image, lambda image: image.backward(torch.ones_like(image)))
    learning(d, g)
    d_passes = fastest(repeats, lambda _: run(d, real).logits, lambda logits: logits.sum().backward())
    phases = fastest(
        repeats, lambda _: run(generator_phase, g, d, z), lambda _: run(discriminator_phase, g, d, z, real, targets)
    )
    names = ("G forward", "G backward", "D forward", "D backward", "G main", "D main + GGDR")
    seconds = dict(zip(names, g_passes + d_passes + phases, strict=True))
    return seconds | {"step": sum(phases)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--resolutions", type=int, nargs="+", default=[32, 64])
    parser.add_argument("--channels", type=int, default=64)
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--bf16", action="store_true")
    args = parser.parse_args()
    retain_pages()  # as the trainer does

    def autocast(device):
        return torch.autocast(device, torch.bfloat16) if args.bf16 else nullcontext()

    for resolution in args.resolutions:
        seconds = measure(resolution, args.channels, args.batch, args.repeats, autocast)
        print(
            f"{resolution} px, {args.channels} channels, batch {args.batch}, {torch.get_num_threads()} threads: s/kimg"
        )
        for name, value in seconds.items():
            print(f"  {name:14s} {value / args.batch * 1000:7.2f}")


if __name__ == "__main__":
    main()
