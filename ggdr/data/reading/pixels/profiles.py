"""Colour profiles: what a photograph's numbers mean, so that all images of a set mean the same by theirs, sRGB."""

from __future__ import annotations

import io
import warnings
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

NEAR = 2
"""levels of 255 that a profile may differ from sRGB, and images be left as they are"""
BROKEN = "broken"
"""what is told of a profile that cannot be read"""
SPACES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
"""colour space of a profile -> mode of Pillow that it can be applied to"""


class Profile:
    """What an embedded colour profile does to images."""

    def __init__(self, data: bytes):
        """Any exception of Pillow's if it cannot be read, or is of no device that images come from."""
        profile = ImageCms.ImageCmsProfile(io.BytesIO(data))
        self.name = " ".join(ImageCms.getProfileDescription(profile).split()) or "without a name"
        self.mode = SPACES[profile.profile.xcolor_space.strip()]
        self.transform = ImageCms.buildTransform(
            profile,
            ImageCms.createProfile("sRGB"),
            self.mode,
            "RGB",
            ImageCms.Intent.RELATIVE_COLORIMETRIC,
            ImageCms.Flags.BLACKPOINTCOMPENSATION,
        )
        self.is_srgb = self.mode != "CMYK" and self._difference() <= NEAR

    def _difference(self) -> int:
        """The most that it moves a colour, of 255."""
        steps = np.arange(0, 256, 17, dtype=np.uint8)
        cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(16, -1, 3)
        probe = Image.fromarray(cube if self.mode == "RGB" else np.arange(256, dtype=np.uint8)[None])
        moved = np.asarray(self.apply(probe)).astype(int)
        return int(np.abs(moved - np.asarray(probe.convert("RGB"))).max())

    def apply(self, image: Image.Image) -> Image.Image:
        """An image of `mode` as RGB."""
        converted = ImageCms.applyTransform(image, self.transform)
        assert converted is not None  # only in place gives none
        return converted


@lru_cache(16)
def parse_profile(data: bytes) -> Profile | None:
    """An embedded profile; None if it is broken."""
    try:
        return Profile(data)
    except Exception:  # what a broken profile raises depends on where it is broken
        return None


def usable_profile(image: Image.Image) -> Profile | None:
    """The profile embedded in an image that can be applied to it; None: it is broken, or of another kind of image."""
    profile = parse_profile(image.info["icc_profile"])
    return profile if profile and (profile.mode == "CMYK") == (image.mode == "CMYK") else None


def describe_profile(image: Image.Image) -> str:
    """The name of an image's profile, "broken" if it cannot be used; empty: it has none, or sRGB's."""
    if not image.info.get("icc_profile"):
        return ""
    profile = usable_profile(image)
    return BROKEN if profile is None else "" if profile.is_srgb else profile.name


def to_srgb(image: Image.Image) -> Image.Image:
    """The image in sRGB, gray ones as RGB, transparency kept; as it is where no profile can be used.

    Only images of 8 bits: deeper values are measurements, and stay what they are.
    """
    if not image.info.get("icc_profile") or image.mode not in ("L", "LA", "RGB", "RGBA", "P", "CMYK"):
        return image
    if (profile := usable_profile(image)) is None:
        warnings.warn("an image's colour profile cannot be used; it is taken to be sRGB.", stacklevel=2)
        return image
    if profile.is_srgb:
        return image
    transparent = image.has_transparency_data
    coloured = image if image.mode == "CMYK" else image.convert("RGBA" if transparent else "RGB")
    converted = profile.apply(coloured if image.mode == "CMYK" else coloured.convert("RGB").convert(profile.mode))
    if transparent:
        converted.putalpha(coloured.getchannel("A"))
    return converted
