"""`ggdr evaluate WHAT`: measure a generator, a translator, a pipeline or a folder of images, and leave a record."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from ggdr.cli import guarded
from ggdr.errors import UserError, at
from ggdr.evaluation.flags import Command, parse
from ggdr.progress import say_loading

if TYPE_CHECKING:
    from ggdr.processes import Processes


def main(argv: list[str]) -> int:
    """Measure what `argv` asks for, print a table, write a record; UserError if it cannot be measured."""
    command = parse(argv, "ggdr evaluate")
    with at("data"):
        command.data.check_source()
    say_loading(command.read.source)
    from ggdr.training.launch import processes_for  # torch is imported once the command is known to be one

    check_out(command)
    with processes_for(command.device) as processes:
        evaluate(command, processes)
    return 0


def check_out(command: Command) -> None:
    """Raise UserError if the record could not be written, or would lie among somebody's images."""
    from ggdr.evaluation.record import check_new_record, check_writable, record_folder
    from ggdr.verbs.outputs import check_apart

    if command.out is not None:
        if command.out.suffix.lower() != ".json" or command.out.is_dir():
            raise UserError(f"--out {command.out} is no JSON file, as records are; give NAME.json.")
        check_new_record(command.out)
    folder = command.out.parent if command.out else record_folder(command.read.source)
    check_writable(folder)
    check_apart(next(place for place in (folder, *folder.parents) if place.is_dir()))


def evaluate(command: Command, processes: Processes) -> Path | None:
    """Measure, print warnings and the table, and return the file of the record; None on all processes but the first."""
    from ggdr.evaluation.progress import Progress

    progress = Progress(processes.rank == 0)
    evaluator = command.open(processes, progress)
    for warning in evaluator.warnings:
        progress.warn(warning)
    progress.say(evaluator.introduction())
    result = evaluator.run(command.seed, command.repeats, command.batch_size)
    for warning in result.warnings[len(evaluator.warnings) :]:
        progress.warn(warning)
    progress.say(str(result))
    if result.protocol["repeats"] == 1:
        progress.say("measured once: no interval")
    if processes.rank > 0:
        return None
    file = result.save(command.out, shlex.join(command.typed))
    progress.say(f"record: {file}")
    return file


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
