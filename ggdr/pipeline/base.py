"""What all pipelines do: they hold networks, move them, choose what is computed in, and are pushed to the Hub."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

import torch
from torch import Tensor

from ggdr.errors import UserError
from ggdr.networks.base.module import Network
from ggdr.progress import notebook_bar

if TYPE_CHECKING:
    from tqdm import tqdm

PRECISIONS = (torch.float32, torch.bfloat16, torch.float16)


class NetworksPipeline:
    """Networks in eval mode, not learning, that make images together."""

    precision: torch.dtype
    bar: bool

    def begin(self, precision: torch.dtype) -> None:
        """Stop the networks from learning; `precision`: what they compute in, until `to` says otherwise."""
        for network in self.networks().values():
            network.eval().requires_grad_(False)
        self.precision, self.bar = precision, True

    def networks(self) -> dict[str, Network]:
        """Those that are there, by role."""
        raise NotImplementedError

    def save_pretrained(self, save_directory: str | Path) -> None:
        """Write a folder for each network, float32, and an index.

        OSError if the disk refuses, UserError if something else is there that would be replaced.
        """
        raise NotImplementedError

    def __repr__(self) -> str:
        networks = ", ".join(f"{role}={network.config.name!r}" for role, network in self.networks().items())
        return f"{type(self).__name__}({networks}, device={str(self.device)!r}, dtype={self.dtype})"

    def push_to_hub(
        self,
        repo_id: str,
        *,
        commit_message: str | None = None,
        private: bool | None = None,
        token: str | bool | None = None,
    ) -> str:
        """Save to a Hub repository, made if it is not there, as one commit; its address. The card is left alone."""
        message = commit_message or f"Upload {type(self).__name__}"
        from huggingface_hub import HfApi

        api = HfApi(token=token)
        api.create_repo(repo_id, private=private, exist_ok=True)
        with tempfile.TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return api.upload_folder(repo_id=repo_id, folder_path=folder, commit_message=message)

    def to(
        self,
        *args: torch.device | str | int | torch.dtype | None,
        device: torch.device | str | int | None = None,
        dtype: torch.dtype | None = None,
    ) -> Self:
        """Move to a device, and compute in a dtype: `to("cuda")`, `to(torch.bfloat16)`, `to("cuda", torch.bfloat16)`.

        Weights stay float32, as in training, and are cast where convolutions take them (autocast), while the mapping
        and the images stay float32: nothing is lost on saving. float16 overflows in generators trained without clamp.
        """
        for given in args:
            if isinstance(given, torch.dtype):
                dtype = given
            else:
                device = device if given is None else given
        if dtype is not None and dtype not in PRECISIONS:
            raise UserError(f"{dtype} is not possible; give one of {', '.join(map(str, PRECISIONS))}.")
        self.precision = dtype or self.precision
        for network in () if device is None else self.networks().values():
            network.to(device)
        return self

    def compile(self) -> Self:
        """torch.compile the networks' passes; each batch size waits once. UserError where torch is too old."""
        for network in self.networks().values():
            network.compile_in_place()
        return self

    @property
    def dtype(self) -> torch.dtype:
        """What it computes in."""
        return self.precision

    @property
    def device(self) -> torch.device:
        """Where its networks are."""
        return next(iter(self.networks().values())).device

    def set_progress_bar_config(self, *, disable: bool = False) -> None:
        """Show no progress bars, or show them again."""
        self.bar = not disable

    def progress_bar(self, *, total: int) -> tqdm:
        """A bar of `total` steps, to be used by `with`, and updated."""
        return notebook_bar(total, self.bar)

    def shown(self, passes: Iterator[Tensor], total: int) -> Iterator[Tensor]:
        """The passes, with a progress bar; `set_progress_bar_config(disable=True)` takes it away."""
        with self.progress_bar(total=total) as bar:
            for images in passes:
                yield images
                bar.update(len(images))

    def computing(self) -> contextlib.AbstractContextManager[object]:
        """Autocast to its dtype; nothing in float32."""
        if self.precision == torch.float32:
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, self.precision)
