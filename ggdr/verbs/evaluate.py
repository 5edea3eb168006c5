"""`ggdr evaluate WHAT`: measure a generator, a pipeline or a folder of images, and leave a record."""

from __future__ import annotations

import sys

from ggdr.cli import guarded
from ggdr.verbs.evaluate_flags import parse


def main(argv: list[str]) -> int:
    """Measure what `argv` asks for, print a table, write a record; UserError if it cannot be measured."""
    command = parse(argv, "ggdr evaluate")
    from ggdr.verbs.evaluation import evaluate  # torch is imported once the command is known to be one

    evaluate(command)
    return 0


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
