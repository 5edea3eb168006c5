"""`ggdr explore MODEL`: a web page to play with a generator: seeds, psi, mixing, directions, and what is inside.

ggdr explore runs/digits

ggdr explore org/name --space my-space

A translator's page takes pictures: drop one, and see it as the other domain's, and back again.

A run's folder is watched while it trains: grids, losses, r_t and p, and the newest checkpoint.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from ggdr.errors import UserError
from ggdr.flags.command_line import parsed
from ggdr.lazy import available
from ggdr.verbs.model_flags import announce


@dataclass(frozen=True)
class Explore:
    """What to show, and where."""

    model: Annotated[str, tyro.conf.Positional]
    """folder of a run, of a checkpoint or of a model; or a Hub repository such as org/name"""
    port: int = 7860
    """port of the page; 0: any free one"""
    host: str = "127.0.0.1"
    """address that it listens at; 0.0.0.0 lets other machines in"""
    open: bool = True
    """open it in the browser"""
    space: Path | None = None
    """write a Space for this model of the Hub into a folder, and show nothing"""
    device: str = ""
    """cpu, cuda, cuda:1, mps; none: the accelerator if there is one"""
    revision: str | None = None
    """branch, tag or commit of a Hub repository"""
    use: tuple[str, ...] = ()
    """files that register parts of your own"""


def main(argv: list[str]) -> int:
    """Show the page that `argv` asks for until it is stopped; UserError if it cannot be shown."""
    command = parsed(Explore, argv, "ggdr explore", __doc__)
    available("explore", "the page needs", "gradio")
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # before it is imported: no word to anybody
    if command.space is not None:
        from ggdr.explorer.space import write_space

        print("\n".join(map(str, write_space(command.space, command.model))))
        return 0
    announce(command.model, command.revision)
    from ggdr.explorer.opening import CSS, page_of, theme
    from ggdr.registry import use
    from ggdr.saving.pretrained import Hub

    for file in command.use:
        use(file)
    page = page_of(command.model, Hub(command.revision), command.device, command.use)
    try:
        page.launch(
            server_name=command.host,
            server_port=command.port or None,
            inbrowser=command.open,
            share=False,
            theme=theme(),
            css=CSS,
            show_error=True,
        )
    except OSError as error:
        raise UserError(
            f"port {command.port} at {command.host} is taken; give another by --port, 0 for any."
        ) from error
    return 0
