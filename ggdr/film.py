"""Frames as a film that plays anywhere: mp4 or gif, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from ggdr.cache import write_whole
from ggdr.grid import shown_channels, to_pil
from ggdr.lazy import F, Tensor, torch

KINDS = (".mp4", ".gif")
LEAST_PX = 256
"""the longer side that frames are enlarged to at least"""


def save_film(frames: Tensor, file: Path, fps: int = 30) -> None:
    """Write frames [T, C, H, W] uint8 on the host; `file` ends in .mp4 or .gif. ValueError if it does not."""
    if file.suffix not in KINDS:
        raise ValueError(f"{file} is no film; give a name that ends in {' or '.join(KINDS)}.")
    shown = frames[:, : shown_channels(frames.shape[1])][:, :3]
    shown = shown.expand(-1, 3, -1, -1)
    scale = -(-LEAST_PX // max(shown.shape[2:]))
    shown = shown.repeat_interleave(scale, 2).repeat_interleave(scale, 3)
    write_whole(file, lambda aside: (write_mp4 if file.suffix == ".mp4" else write_gif)(shown, aside, fps))


def write_mp4(frames: Tensor, file: Path, fps: int) -> None:
    """H.264 of frames [T, 3, H, W] uint8, whose sides are made even, as it asks."""
    import av

    frames = F.pad(frames, (0, frames.shape[3] % 2, 0, frames.shape[2] % 2))
    with av.open(str(file), "w") as film:
        stream = film.add_stream("libx264", rate=fps, options={"crf": "18"})
        stream.height, stream.width, stream.pix_fmt = *frames.shape[2:], "yuv420p"
        for frame in frames.permute(0, 2, 3, 1):
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame.contiguous().numpy(), format="rgb24")))
        film.mux(stream.encode())


def write_gif(frames: Tensor, file: Path, fps: int) -> None:
    """An endless gif of frames [T, 3, H, W] uint8."""
    first, *others = to_pil(frames)
    first.save(file, save_all=True, append_images=others, duration=round(1000 / fps), loop=0)


def shrunk(images: Tensor, side_px: int) -> Tensor:
    """Images [N, C, H, W] uint8 whose longer side is `side_px` at most."""
    scale = min(1.0, side_px / max(images.shape[2:]))
    size = [max(1, round(scale * side)) for side in images.shape[2:]]
    return images if scale == 1 else F.interpolate(images.float(), size, mode="area").round().to(torch.uint8)
