"""`ggdr completion SHELL`: what makes the Tab key complete verbs, recipes, flags and the names of parts.

bash: ggdr completion bash > ~/.local/share/bash-completion/completions/ggdr

zsh: ggdr completion zsh > ~/.zfunc/_ggdr (with `fpath+=~/.zfunc` before `compinit` in ~/.zshrc)

fish: ggdr completion fish > ~/.config/fish/completions/ggdr.fish

Then open another terminal. In this one alone: source <(ggdr completion bash).
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

import tyro

from ggdr.cli import VERBS
from ggdr.errors import UserError
from ggdr.flags.command_line import TAB, FlagsAsked, parsed
from ggdr.flags.parts import held_at, taken_at, words_at
from ggdr.recipe.built_in import built_in
from ggdr.registry import REGISTRIES, discover

SCRIPTS = {
    "bash": """_ggdr() {
  local IFS=$'\\n'
  COMPREPLY=($(compgen -W "$("$1" completion words "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)" -- "$2"))
}
complete -o bashdefault -o default -F _ggdr ggdr""",
    "zsh": """#compdef ggdr
_ggdr() {
  local -a found
  found=(${(f)"$("${words[1]}" completion words "${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( ${#found} )); then compadd -a found; else _files; fi
}
if [[ "${funcstack[1]}" = _ggdr ]]; then _ggdr "$@"; else compdef _ggdr ggdr; fi""",
    "fish": """function __ggdr_words
  set -l found (ggdr completion words (commandline -opc)[2..] (commandline -ct) 2>/dev/null)
  if test -n "$found"; printf '%s\\n' $found; else; __fish_complete_path (commandline -ct); end
end
complete -c ggdr -f -a '(__ggdr_words)'""",
}
"""shell -> what it reads once; at each Tab it asks `ggdr completion words` with the words up to the cursor"""
WITH_RECIPE = {"train", "compare", "sweep"}
"""verbs that take the name of a recipe first"""


@dataclass(frozen=True)
class Completion:
    """Print what a shell reads to complete the words of `ggdr`."""

    shell: Annotated[Literal["bash", "zsh", "fish"], tyro.conf.Positional]
    """the shell that you type in"""


def main(argv: list[str]) -> int:
    """Print the script for a shell; for such a script, after `words`, what the last word may be, a line each."""
    if argv[:1] == ["words"]:
        print("\n".join(completions(argv[1:])))
    else:
        print(SCRIPTS[parsed(Completion, argv, "ggdr completion", __doc__).shell])
    return 0


def completions(words: Sequence[str]) -> list[str]:
    """What the last of the words after `ggdr` may become; none where only the shell knows, as of files."""
    *before, begun = [word for word in words if word != "="] or [""]  # bash makes three words of --flag=value
    if words[-1:] == ["="]:
        before, begun = [*before, begun], ""
    head, equals, value = begun.partition("=")
    if begun.startswith("-") and equals:
        return [f"{head}={name}" for name in completions([*before, head, value])]
    return [name for name in after(before, begun) if name.startswith(begun)]


def after(before: list[str], begun: str) -> list[str]:
    """What may stand behind the words `before`, of which `begun` is typed."""
    if not before:
        return [*VERBS, "--help", "--version"]
    verb, *rest = before
    if verb not in VERBS:
        return []
    if begun.startswith("-"):
        asked = flags_asked(verb, rest)
        return list(dict.fromkeys(["--help", *(asked.known if asked else [])]))
    if rest and rest[-1].startswith("-"):
        if (verb, rest[-1]) == ("new", "--like"):
            return list(built_in())
        asked = flags_asked(verb, rest[:-1])
        return values_of(asked, rest[-1]) if asked else []
    return [] if rest else first_words(verb)


def first_words(verb: str) -> list[str]:
    """What may stand first behind a verb, where that is no file and no folder."""
    if verb in WITH_RECIPE:
        return list(built_in())
    return {"list": [*REGISTRIES, "recipes"], "data": ["check"], "completion": list(SCRIPTS)}.get(verb, [])


def flags_asked(verb: str, rest: list[str]) -> FlagsAsked | None:
    """The flags that a verb has behind these words, those of the parts that they name too; None: they do not fit."""
    try:
        importlib.import_module(f"ggdr.{VERBS[verb][0]}").main([*rest, TAB])
    except FlagsAsked as asked:
        return asked
    except (UserError, SystemExit):
        pass
    return None


def values_of(asked: FlagsAsked, flag: str) -> list[str]:
    """What may stand behind a flag: the names of the parts that go there, or one of a few words."""
    path = flag.removeprefix("--").replace("-", "_").split(".")
    for owner in asked.owners:
        if (registry := taken_at(owner, path)) is not None:
            discover()
            return sorted({*registry, *(["none"] if isinstance(held_at(owner, path[:-1]), dict) else [])})
    return [word for owner in asked.owners for word in words_at(owner, path)]
