"""Codes: the style or latent codes that images are made from, to be moved, searched for and saved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ggdr.cache import write_whole
from ggdr.errors import DiskError, UserError
from ggdr.networks.base.module import Generator
from ggdr.registry import Capability
from ggdr.sampling import BATCH_SIZE, SamplingOptions, check_seeds, forward_arguments, seeded_latents

FORMAT = "ggdr codes"
NOISE, LABELS = "noise.", "labels"


class Codes(NamedTuple):
    """The codes of N images, as their generator takes them."""

    points: Tensor
    """Style codes [N, L, W] of a generator that provides "ws", latent codes [N, D] of any other."""
    labels: Tensor | None = None
    """Labels [N, C], where latent codes require them; else None."""
    noise: dict[str, Tensor] = {}
    """Noise maps by name, [N, 1, H, W] each; empty: the generator's own."""

    def rows(self, places: slice | list[int]) -> Codes:
        """Return the codes at these indices."""
        labels = None if self.labels is None else self.labels[places]
        return Codes(self.points[places], labels, {name: value[places] for name, value in self.noise.items()})

    def to_host(self) -> Codes:
        """Copy the codes to the host, without their autograd history."""
        labels = None if self.labels is None else self.labels.cpu()
        noise = {name: value.detach().cpu() for name, value in self.noise.items()}
        return Codes(self.points.detach().cpu(), labels, noise)

    def repeat(self, times: int) -> Codes:
        """Repeat each code this many times in a row."""
        return self.rows([place for place in range(len(self.points)) for _ in range(times)])


def interleave(codes: Sequence[Codes]) -> Codes:
    """Return the first code of each, then the second of each, and so on; all are equally many, and alike in kind."""
    points = torch.stack([each.points for each in codes], dim=1).flatten(0, 1)
    labels = [each.labels for each in codes if each.labels is not None]
    noise = {name: torch.stack([each.noise[name] for each in codes], dim=1).flatten(0, 1) for name in codes[0].noise}
    return Codes(points, torch.stack(labels, dim=1).flatten(0, 1) if labels else None, noise)


def concatenate(codes: Sequence[Codes]) -> Codes:
    """Return the codes of several batches, alike in kind, one after the other."""
    labels = [each.labels for each in codes if each.labels is not None]
    noise = {name: torch.cat([each.noise[name] for each in codes]) for name in codes[0].noise}
    return Codes(torch.cat([each.points for each in codes]), torch.cat(labels) if labels else None, noise)


def load_all(files: Sequence[Path], generator: Generator) -> Codes:
    """Read the codes in several files, one after the other; those that were saved without noise maps have the
    generator's.

    UserError as in `load_codes`.
    """
    found = [load_codes(file, generator) for file in files]
    if any(each.noise for each in found):
        own = {name: value.detach().cpu()[None, None] for name, value in generator.noise_maps().items()}
        found = [
            each._replace(noise={name: value.repeat(len(each.points), 1, 1, 1) for name, value in own.items()}
                          | each.noise)
            for each in found
        ]  # fmt: skip
    return concatenate(found)


def codes_of_seeds(
    generator: Generator, seeds: Sequence[int], labels: Tensor | None = None, view: SamplingOptions | None = None
) -> Codes:
    """Return the codes of seeds, from which `ggdr.sampling.draw` makes its images; labels [N, C].

    UserError if the generator does not take what `view` or `labels` set.
    """
    return codes_of_latents(generator, seeded_latents(check_seeds(seeds), generator.z_dim), labels, view)


@torch.no_grad()
def codes_of_latents(
    generator: Generator, z: Tensor, labels: Tensor | None = None, view: SamplingOptions | None = None
) -> Codes:
    """Return the codes of latent codes [N, z_dim] and labels [N, C]; UserError if the generator does not take
    `view`."""
    how = forward_arguments(generator.config, view or SamplingOptions())
    if Capability.WS not in generator.config.provides:
        return Codes(z, labels)
    device = generator.device
    truncation: dict[str, Any] = {name: how[name] for name in ("psi", "cutoff") if name in how}
    rows = None if labels is None else labels.to(device)
    return Codes(generator.styles(z.to(device), rows, **truncation).cpu())


@torch.no_grad()
def draw_codes(generator: Generator, codes: Codes, batch_size: int = BATCH_SIZE) -> Iterator[Tensor]:
    """Yield images [n, C, H, W] float32 about [-1, 1] on the generator's device, `batch_size` at a time, of all
    codes."""
    for first in range(0, len(codes.points), batch_size):
        yield images_of(generator, codes.rows(slice(first, first + batch_size)))


def images_of(generator: Generator, codes: Codes) -> Tensor:
    """Return images [N, C, H, W] of codes, differentiable with respect to them; the layers' noise is the same each
    time."""
    device = generator.device
    points, noise = codes.points.to(device), {name: value.to(device) for name, value in codes.noise.items()}
    if Capability.WS in generator.config.provides:
        return generator.synthesize(points, noise) if noise else generator.synthesize(points)
    return generator(points, None if codes.labels is None else codes.labels.to(device)).image


def save_codes(codes: Codes, generator: Generator, file: Path) -> None:
    """Write codes as safetensors, atomically; OSError if the disk refuses."""
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    state = {code_kind(generator): codes.points} | {NOISE + name: value for name, value in codes.noise.items()}
    state |= {} if codes.labels is None else {LABELS: codes.labels}
    state = {name: value.detach().cpu().contiguous() for name, value in state.items()}
    about = {"format": FORMAT, "generator": generator.config.name}
    try:
        write_whole(file, lambda aside: save_file(state, aside, about))
    except SafetensorError as error:
        raise DiskError(str(error)) from error


def load_codes(file: Path, generator: Generator) -> Codes:
    """Read the codes in a file to the host; UserError if it holds none, or another generator's."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    if not file.is_file():
        raise UserError(f"there is no file {str(file)!r}; give the .safetensors that `ggdr project` wrote.")
    try:
        state = load(file.read_bytes())
    except SafetensorError as error:
        raise UserError(f"{str(file)!r} is no .safetensors file; give one that `ggdr project` wrote.") from error
    kind = code_kind(generator)
    if kind not in state:
        raise UserError(f"{str(file)!r} holds no codes {kind!r}, which this generator takes; project with this model.")
    noise = {name.removeprefix(NOISE): value for name, value in state.items() if name.startswith(NOISE)}
    codes = Codes(state[kind], state.get(LABELS), noise)
    check_codes(codes, generator, file)
    return codes


def check_codes(codes: Codes, generator: Generator, file: Path) -> None:
    """Raise UserError if the codes are those of a generator of another shape."""
    own = codes_of_seeds(generator, [0], torch.zeros(1, generator.spec.labels) if generator.spec.labels else None)
    maps = {name: value.shape for name, value in generator.noise_maps().items()} if has_noise_maps(generator) else {}
    strange = {name for name, value in codes.noise.items() if maps.get(name) != value.shape[2:]}
    wide = [None if each.labels is None else each.labels.shape[1:] for each in (codes, own)]
    if codes.points.shape[1:] != own.points.shape[1:] or strange or wide[0] != wide[1]:
        raise UserError(
            f"{str(file)!r} holds codes of shape {list(codes.points.shape)} of another generator; this one takes"
            f" {['N', *own.points.shape[1:]]}: project with this model.".replace("'", "")
        )


def code_kind(generator: Generator) -> str:
    """Return what the generator's codes are called: "ws" or "z"."""
    return "ws" if Capability.WS in generator.config.provides else "z"


def has_noise_maps(generator: Generator) -> bool:
    """Whether the generator takes noise maps."""
    return Capability.NOISE_MAPS in generator.config.provides
