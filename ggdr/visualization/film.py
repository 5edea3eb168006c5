"""Frames as a video: mp4 by FFmpeg (PyAV), gif and webp by Pillow; written whole or not at all."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ggdr.cache import write_whole
from ggdr.errors import UserError
from ggdr.folders import FILMS, SHEET
from ggdr.latent.codes import Codes, draw_codes, interleave
from ggdr.lazy import F, Tensor, optional, torch
from ggdr.networks.base.module import Generator
from ggdr.sampling import BATCH_SIZE
from ggdr.sampling.grid import grid_columns, make_grid, to_uint8

if TYPE_CHECKING:
    import PIL.Image

CODECS = ("libx264", "libopenh264", "h264", "mpeg4")
"""Codecs in order of preference; the first that FFmpeg has is taken."""
SIDE_PX = 256
"""Smallest longer side of a film, pixels; smaller images are enlarged."""


def save_film(frames: Iterable[Tensor], path: Path, fps: float = 30.0) -> int:
    """Write frames uint8 [H, W, 1, 3 or 4] of one size as PATH.mp4, .gif or .webp, and return their number.

    gif and webp repeat for ever; mp4 has no transparency, and its sides are made even by repeating an edge. UserError
    if there is no frame, or no such format.
    """
    write = {".mp4": write_mp4, ".gif": write_animation, ".webp": write_animation}.get(path.suffix.lower())
    if write is None:
        raise UserError(f"{path} is no film; give a name that ends in {', '.join(FILMS)}.")
    if not 0 < fps <= 240:
        raise UserError(f"{fps} frames a second; give a number above 0, at most 240.")
    start = next(pictures := iter(frames), None)
    if start is None:
        raise ValueError("a film is made of frames; given none.")
    counts: list[int] = []
    write_whole(path, lambda aside: counts.append(write(chain([start], pictures), aside, fps)))
    return counts[0]


def walk_frames(
    generator: Generator, walks: Sequence[Iterable[Codes]], batch_size: int = BATCH_SIZE, scale: int | None = None
) -> Iterator[Tensor]:
    """Yield each moment of walks of one length, side by side, as a frame uint8 [H, W, C] on the host.

    `walks`: the codes of each, in parts of one size. `batch_size`: images that are made at once, about. `scale`: whole
    factor of enlargement; None: to SIDE_PX at least.
    """
    spec, count = generator.spec, len(walks)
    columns = grid_columns(count, spec.height, spec.width)
    side = max(columns * spec.width, math.ceil(count / columns) * spec.height)
    factor = scale or math.ceil(SIDE_PX / side)
    moments = map(interleave, zip(*walks, strict=True))  # all walks' first codes, all walks' second ...
    for part in moments:
        for images in draw_codes(generator, part, max(batch_size // count, 1) * count):
            yield from (make_grid(moment, columns, factor) for moment in to_uint8(images).cpu().split(count))


def enlarge(frames: Iterable[Tensor]) -> Iterator[Tensor]:
    """Convert images uint8 [C, H, W] to frames of at least SIDE_PX."""
    for frame in frames:
        yield make_grid(frame[None], 1, math.ceil(SIDE_PX / max(frame.shape[1:])))


def shrink(images: Tensor, side_px: int) -> Tensor:
    """Reduce images [N, C, H, W] uint8 so that the longer side is at most `side_px`."""
    scale = min(1.0, side_px / max(images.shape[2:]))
    size = [max(1, round(scale * side)) for side in images.shape[2:]]
    return images if scale == 1 else F.interpolate(images.float(), size, mode="area").round().to(torch.uint8)


def write_mp4(frames: Iterator[Tensor], path: Path, fps: float) -> int:
    """Write H.264 where FFmpeg has it, in a pixel format that every player shows."""
    with optional("video", "an .mp4 needs"):
        import av

    codec = next(name for name in CODECS if name in av.codecs_available)
    pixels, count = (pad_to_even(to_rgb(frame)) for frame in frames), 0
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1001))
        assert isinstance(stream, av.VideoStream)
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18"} if codec == "libx264" else {}
        first = next(pixels)
        stream.height, stream.width = first.shape[:2]
        for each in chain([first], pixels):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(each, format="rgb24")))
            count += 1
        container.mux(stream.encode())
    return count


def write_animation(frames: Iterator[Tensor], path: Path, fps: float) -> int:
    """Write an animation by Pillow; gif counts hundredths of a second, webp thousandths."""
    images = [frame_to_pil(frame) for frame in frames]
    kind = path.suffix.removeprefix(".").lower()
    more: dict[str, Any] = {"comment": SHEET.encode()}
    if kind == "webp":
        more = {"lossless": False, "quality": 90, "exif": software_exif(SHEET)}
    images[0].save(
        path, format=kind, save_all=True, append_images=images[1:], duration=round(1000 / fps), loop=0, **more
    )
    return len(images)


def software_exif(software: str) -> PIL.Image.Exif:
    """Return the EXIF data that names the software."""
    from PIL import ExifTags, Image

    about = Image.Exif()
    about[ExifTags.Base.Software] = software
    return about


def frame_to_pil(frame: Tensor) -> PIL.Image.Image:
    """Convert a frame to a PIL image."""
    from PIL import Image

    return Image.fromarray(frame.squeeze(2).cpu().numpy())


def to_rgb(frame: Tensor) -> np.ndarray:
    """Convert a frame to an array [H, W, 3], with transparent parts on white."""
    if frame.shape[2] == 4:
        share = frame[..., 3:].float() / 255
        frame = (frame[..., :3] * share + 255 * (1 - share)).round().to(torch.uint8)
    return frame.expand(-1, -1, 3).cpu().numpy()


def pad_to_even(pixels: np.ndarray) -> np.ndarray:
    """Pad pixels [H, W, 3] to even height and width, as mp4's chroma subsampling requires."""
    return np.ascontiguousarray(np.pad(pixels, ((0, pixels.shape[0] % 2), (0, pixels.shape[1] % 2), (0, 0)), "edge"))
