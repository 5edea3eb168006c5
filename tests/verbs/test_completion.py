"""`ggdr completion`: what Tab makes of words, asked of the shells themselves where they are."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest
from places import ROOT

from ggdr.cli import VERBS
from ggdr.recipe.built_in import built_in
from ggdr.verbs.completion import SCRIPTS, completions


def test_verbs_recipes_kinds_and_shells_are_completed():
    assert completions(["tr"]) == ["train", "translate"] and {*VERBS} < {*completions([""])}
    assert completions(["train", "ffhq"]) == [name for name in built_in() if name.startswith("ffhq")]
    assert completions(["new", "mine.py", "--like", "digits_d"]) == ["digits_dcgan"]
    assert completions(["list", "re"]) == ["regularizers", "recipes"] and completions(["data", ""]) == ["check"]
    assert completions(["completion", ""]) == list(SCRIPTS)


def test_files_and_what_does_not_fit_are_left_to_the_shell():
    assert completions(["generate", ""]) == completions(["generate", "runs/digits", "--out", ""]) == []
    assert completions(["trian", ""]) == completions(["train", "digits", "nothing", ""]) == []
    assert completions(["train", "no_such_recipe", "--"]) == ["--help"]


@pytest.mark.parametrize("verb", sorted(VERBS.keys() - {"data"}))
def test_every_verb_has_its_flags_completed(verb, capsys):
    first = {"train": ["digits"], "evaluate": ["runs/digits"]}.get(verb, [])
    assert "--help" in completions([verb, *first, "--h"])
    assert len(completions([verb, *first, "--"])) > (verb not in ("completion", "convert"))
    assert capsys.readouterr() == ("", "")


def test_flags_of_a_part_that_a_flag_before_names_are_completed():
    assert completions(["train", "digits", "--augment."]) == []
    assert "--augment.p-max" in completions(["train", "digits", "--augment", "ada", "--augment."])
    assert "--out" in completions(["train", "digits", "--dry-run", "--"])
    flags = completions(["evaluate", "runs/digits", "--"])
    assert "--data.size" in flags and len(flags) == len({*flags})
    assert "--data.source" in completions(["data", "check", "--data"])


def test_names_of_parts_and_the_few_words_of_a_flag_are_completed():
    assert completions(["train", "digits", "--augment", "ad"]) == ["ada"]
    assert completions(["train", "digits", "--augment=ad"]) == ["--augment=ada"]
    assert completions(["train", "digits", "--augment", "=", "ad"]) == ["ada"]  # as bash cuts it
    assert "ada" in completions(["train", "digits", "--augment", "="])
    assert completions(["train", "digits", "--discriminator.encoder", "dcg"]) == ["dcgan"]
    assert completions(["train", "digits", "--regularizers.mine", "r2"]) == ["r2", "r2_approximate"]
    assert completions(["train", "digits", "--regularizers.mine", "no"]) == ["none"]
    assert completions(["train", "digits", "--game", "no"]) == []
    assert completions(["train", "digits", "--precision", ""]) == ["fp32", "bf16"]
    assert completions(["generate", "runs/digits", "--noise", "c"]) == ["const"]


def test_nothing_is_read_but_names_to_complete_a_word():
    program = (
        "import sys; from ggdr.verbs.completion import completions\n"
        "for words in (['tr'], ['train', 'dig'], ['train', 'digits', '--'], ['train', 'digits', '--augment', '']):\n"
        "    assert completions(words)\n"
        "print({'torch', 'numpy'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


@pytest.fixture
def shell(tmp_path):
    """Run a line of a shell that has ggdr, and return what it prints."""
    command = tmp_path / "ggdr"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} -m ggdr "$@"\n')
    command.chmod(0o755)
    environment = os.environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}

    def run(name: str, script: str) -> list[str]:
        if shutil.which(name) is None:
            pytest.skip(f"no {name} here")
        done = subprocess.run([name, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert done.returncode == 0 and not done.stderr, done.stderr
        return done.stdout.splitlines()

    return run


def test_bash_completes_words_and_values_after_an_equals_sign(shell):
    typed = (
        "COMP_WORDS=({}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); _ggdr ggdr '{}' x; printf '%s\\n' ${{COMPREPLY[@]}}"
    )
    lines = {"ggdr train digits_d": "digits_d", "ggdr train digits --augment = ad": "ad"}
    asked = "\n".join(typed.format(line, last) for line, last in lines.items())
    assert shell("bash", f"source <(ggdr completion bash)\n{asked}") == ["digits_dcgan", "ada"]
    assert shell("bash", "source <(ggdr completion bash); complete -p ggdr") == [
        "complete -o bashdefault -o default -F _ggdr ggdr"
    ]


def test_zsh_hands_over_what_is_found(shell):
    script = """
    compdef() {{ :; }}; compadd() {{ print -l -- ${{(P)2}}; }}; _files() {{ print files; }}
    source <(ggdr completion zsh)
    words=(ggdr train digits_d); CURRENT=3; _ggdr
    words=(ggdr generate ''); CURRENT=3; _ggdr
    """.replace("{{", "{").replace("}}", "}")
    assert shell("zsh", script) == ["digits_dcgan", "files"]


def test_fish_completes_words_and_files(shell, tmp_path):
    (tmp_path / "pictures").mkdir()
    script = 'ggdr completion fish | source; complete -C "ggdr train digits_d"; complete -C "ggdr generate pict"'
    assert shell("fish", script) == ["digits_dcgan", "pictures/"]
