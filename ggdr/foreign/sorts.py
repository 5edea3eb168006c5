"""Explanations of files that hold none of our networks, in clauses whose subject is the file; by bytes, not by name."""

from __future__ import annotations

import json
import re
import zipfile
from typing import Any

from ggdr.foreign.stand_ins import Array, Module, Namespace
from ggdr.foreign.torch_files import Stored

AGAIN = "download it again"
PACKED = {
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!": "RAR",
}
"""Formats of compressed files by their first bytes."""
OTHERS = {
    b"\x89PNG": "a PNG image",
    b"\xff\xd8\xff": "a JPEG image",
    b"GIF8": "a GIF image",
    b"%PDF": "a PDF document",
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as Keras writes them",
    b"\x93NUMPY": "an array of NumPy",
    b"GGUF": "a GGUF file, a language model's",
    b"PK\x05\x06": "a zip archive of nothing",
}
"""Kinds of other files by their first bytes."""
MARKS = {
    "model.diffusion_model.": "Stable Diffusion",
    "down_blocks.": "a diffusion model",
    "layer1.0.conv1.": "a ResNet",
    "Mixed_7c.": "Inception v3",
    "transformer.h.": "a language model",
    "text_model.": "CLIP",
}
"""Programs by the prefixes of their weights' names."""
MOST_SHOWN = 4
LONGEST = 60
"""Largest number of characters of a name in a message."""
NEEDED = "needed are networks as G, D or G_ema, a generator alone, or weights as g, d, g_ema or genA2B"


def of_bytes(data: bytes) -> str:
    """Explain a file that begins as no pickle and no archive of torch.save does, and what to do with it."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    lower = head.lower()
    if not data:
        return f"it is empty, so the download has failed; {AGAIN}"
    if head.startswith(b"version https://git-lfs"):
        size = re.search(rb"size (\d{1,15})", head)
        of = f" to one of {int(size[1]):,} bytes" if size else ""
        return (
            f"it is a Git LFS pointer{of}, not the checkpoint itself; run `git lfs pull`, or download the file itself"
        )
    if lower.startswith((b"<!doctype html", b"<html", b"<head")) or b"<html" in lower[:1024]:
        title = re.search(rb"<title[^>]*>(.{1,80}?)</title>", head, re.IGNORECASE | re.DOTALL)
        named = f" ({text(title[1])!r})" if title else ""
        return f"it is a web page{named}, not a checkpoint; download the file that the page offers"
    if lower.startswith(b"<?xml"):
        return f"it is an XML document, as storage services send in the place of a file; {AGAIN}"
    if packed := next((name for start, name in PACKED.items() if data.startswith(start)), None):
        return f"it is compressed ({packed}); unpack it, and convert the checkpoint in it"
    if data[257:262] == b"ustar":
        return "it is a tar archive; unpack it, and convert the checkpoint in it"
    if other := next((what for start, what in OTHERS.items() if data.startswith(start)), None):
        return f"it is {other}; give a checkpoint"
    if names := tensors_of(data):
        return (
            f"it is a safetensors file of {list_names(names)}; checkpoints of PyTorch are read here, and the folder of"
            " a network that ggdr saved needs no conversion"
        )
    if re.fullmatch(rb"[\t\r\n\x20-\x7e]+", data[:256]):
        return f"it is a text that begins with {text(data[:40])!r}; give a checkpoint"
    return "it is neither a pickle nor a file of torch.save; download the checkpoint itself"


def text(data: bytes) -> str:
    """Show bytes as a short text in one line."""
    return " ".join(data.decode("utf-8", "replace").split())


def tensors_of(data: bytes) -> list[str]:
    """Return the names of the tensors of a safetensors file, complete or not; none for other files."""
    length = int.from_bytes(data[:8], "little")
    if data[8:9] != b"{" or not 2 <= length <= 100_000_000:
        return []
    try:
        header = json.loads(data[8 : 8 + length])
    except (ValueError, RecursionError):
        return ["a header that is damaged"]
    return [name for name in header if name != "__metadata__"]


def of_archive(archive: zipfile.ZipFile) -> str:
    """Explain a zip archive that torch.save did not write."""
    names = [name for name in archive.namelist() if not name.endswith("/")]
    if any("/code/" in f"/{name}" for name in names):
        return "it is a TorchScript program; nothing of it was run; give the checkpoint that it was made of"
    if any(name.endswith(".npy") for name in names):
        return f"it holds {list_names(names, 'array')} of NumPy, and no network"
    inner = [name for name in names if name.endswith((".pkl", ".pt", ".pth", ".ckpt"))]
    todo = f"unpack it, and convert {inner[0][:LONGEST]!a}" if inner else "give a checkpoint"
    return f"it is a zip file, but not one that torch.save wrote: it has {list_names(names, 'file')}; {todo}"


def of_content(content: Any) -> str:
    """Explain the content of a pickle or a file of torch.save that holds none of our networks."""
    if not isinstance(content, dict):
        return f"it holds {describe_value(content)}, and no network; {NEEDED}"
    if weights := [name for name, value in content.items() if isinstance(value, Stored)]:
        whose = next(
            (whose for start, whose in MARKS.items() if any(starts_with(name, start) for name in weights)), None
        )
        named = f", as {whose} has" if whose else ", of a network that is unknown here"
        return f"it holds {list_names(weights, 'weight')}{named}; {NEEDED}"
    shown = [f"{name!a:.60} ({describe_value(value)})" for name, value in list(content.items())[:MOST_SHOWN]]
    more = f" and {len(content) - MOST_SHOWN} more" if len(content) > MOST_SHOWN else ""
    return f"it holds {', '.join(shown) or 'nothing'}{more}; {NEEDED}"


def starts_with(name: Any, start: str) -> bool:
    """Whether a weight's name has this prefix, with or without the name of a wrapper around the network."""
    return type(name) is str and name.removeprefix("module.").startswith(start)


def describe_value(value: Any) -> str:
    """Describe a value in few words."""
    match value:
        case Stored():
            return f"one tensor {[*value.shape]}"
        case Array():
            return repr(value)
        case Module():
            return f"a network of the class {value.class_name[:LONGEST]!a}"
        case Namespace():
            return "settings"
        case dict():
            tensors = [name for name, inner in value.items() if isinstance(inner, Stored)]
            return f"a dict of {list_names(tensors or list(value), 'tensor' if tensors else 'value')}"
        case list() | tuple() | set() | frozenset():
            return f"a list of {len(value)} value{'' if len(value) == 1 else 's'}"
        case str() | bytes():
            return "a text"
        case int() | float():
            return "a number"
    return "nothing" if value is None else f"a {type(value).__name__}"


def list_names(names: list[Any], sort: str = "tensor") -> str:
    """Return how many names there are, with the first of them."""
    some = f" such as {names[0]!a:.60}" if names else ""
    return f"{len(names)} {sort}{'' if len(names) == 1 else 's'}{some}"
