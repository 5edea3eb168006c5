"""Weights of feature networks: found on this machine or fetched, read without running what is in them, and named."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ggdr.cache import write_whole
from ggdr.documents import file_sha256, read_tensors
from ggdr.errors import UserError, setting
from ggdr.lazy import Tensor, torch

if TYPE_CHECKING:
    from http.client import HTTPResponse

PATIENCE_SEC = 5.0
"""how long a server may take to answer"""


class NoWeights(UserError):
    """Weights are neither on this machine nor to be fetched."""


def fingerprint(state: Mapping[str, Tensor]) -> str:
    """Return the first 16 hex digits of a sha256 over all names, shapes and values, equal on every machine."""
    found = hashlib.sha256()
    for name, value in sorted(state.items()):
        data = value.detach().cpu().contiguous()
        found.update(f"{name} {data.dtype} {list(data.shape)}\n".encode())
        found.update(data.reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()[:16]


def read_weights(path: str | Path) -> dict[str, Tensor]:
    """Read name -> tensor from a .safetensors file, or a PyTorch file, of which nothing but tensors is read.

    UserError if there is no such file or it holds anything else.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise UserError(f"there are no weights at {str(path)!r}; give the path of a .safetensors, .pt or .pth file.")
    try:
        if path.suffix == ".safetensors":
            return read_tensors(path)
        found = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file may break the reader anywhere
        raise UserError(
            f"{str(path)!r} holds no weights that can be read safely; download it again, or save its tensors as"
            " .safetensors."
        ) from error
    if not isinstance(found, dict) or not all(isinstance(value, torch.Tensor) for value in found.values()):
        raise UserError(f"{str(path)!r} holds more than named tensors; save its state dict alone.")
    return dict(found)


def take_weights(network: torch.nn.Module, state: Mapping[str, Tensor], path: str | Path) -> None:
    """Load `state`, read from `path`; UserError if the names or shapes are another network's."""
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        detail = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UserError(f"{str(path)!r} holds the weights of another network: {detail}") from error


def hub_file(url: str, what: str, field: str = "weights") -> Path:
    """The file of `url` in the cache of torch.hub, fetched if it is not there and the server answers.

    A name that ends in -HASH is held against the file's sha256, as torch.hub has it. NoWeights, naming `what` it is,
    where to put it and the `field` that takes its path, if it can neither be found nor fetched; UserError if it is
    damaged.
    """
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        fetch(url, file, what, field)
    expected = file.stem.rpartition("-")[2]
    if is_hash(expected) and not file_sha256(file).startswith(expected):
        raise UserError(f"{file} is damaged (its sha256 does not begin with {expected}); delete it and try again.")
    return file


def is_hash(text: str) -> bool:
    """Return whether text is a hash as torch.hub puts it at the end of a file's name."""
    return len(text) >= 8 and set(text) <= set("0123456789abcdef")


def fetch(url: str, file: Path, what: str, field: str) -> None:
    """Download `url` to `file`, by one process of this machine; NoWeights that says what to do if that fails."""
    from filelock import FileLock

    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(file.with_name(f".{file.name}.lock")):
            if not file.is_file():
                write_whole(file, lambda aside: download(url, aside))
    except OSError as error:  # URLError and timeouts among them
        raise NoWeights(missing(what, url, f"put it at {file}, or ", field)) from error


def request(url: str, method: str = "GET") -> HTTPResponse:
    """What a server answers; OSError if it does not, within PATIENCE_SEC."""
    from urllib.request import Request, urlopen  # a tenth of the time that --help takes

    return urlopen(Request(url, method=method, headers={"User-Agent": "ggdr"}), timeout=PATIENCE_SEC)


def download(url: str, file: Path) -> None:
    """Download the bytes of `url` to a file; OSError if the server does not answer or breaks off."""
    with request(url) as answer, file.open("wb") as out:
        print(f"fetching {url}", flush=True)
        shutil.copyfileobj(answer, out)
        if (size := answer.headers["Content-Length"]) is not None and out.tell() != int(size):
            raise OSError(f"{url} broke off after {out.tell()} of {size} bytes")


def hf_file(repo: str, name: str, what: str) -> Path:
    """The file `name` of a Hub repository in its cache, fetched if it is not there and the Hub answers.

    NoWeights, soon and in one sentence, if it can neither be found nor fetched.
    """
    from huggingface_hub import constants, hf_hub_download, try_to_load_from_cache

    found = try_to_load_from_cache(repo, name)
    if isinstance(found, str):
        return Path(found)
    address = f"{constants.ENDPOINT}/{repo}/resolve/main/{name}"
    if constants.HF_HUB_OFFLINE or not answers(address):  # the Hub's client would try for most of a minute
        raise NoWeights(missing(what, address))
    try:
        return Path(hf_hub_download(repo, name))
    except OSError as error:  # so are all of its errors
        raise NoWeights(missing(what, address)) from error


def answers(url: str) -> bool:
    """Return whether a server has what `url` names."""
    try:
        with request(url, "HEAD"):
            return True
    except OSError:
        return False


def missing(what: str, url: str, place: str = "", field: str = "weights") -> str:
    """What to tell those who lack the file of `url`."""
    return (
        f"the weights of {what} are not on this machine and cannot be fetched: get {url} and {place}give its path by"
        f" {setting(field)} FILE."
    )
