"""What a person types wrongly: one sentence says what was meant, and both ways to name a source work everywhere."""

from __future__ import annotations

import importlib
import shlex
from dataclasses import fields
from inspect import signature
from pathlib import Path

import pytest
from data_sources import folder, noise
from places import ROOT

from ggdr import Pipeline
from ggdr.cli import VERBS
from ggdr.evaluation import evaluate
from ggdr.evaluation.flags import parse as parse_evaluate
from ggdr.flags.command_line import suggestion
from ggdr.flags.recipe import parse
from ggdr.verbs.datacheck import main as data
from ggdr.verbs.push import main as push

DIGITS = "recipes/digits.py"
LEAST = {"generate": "m", "mix": "m", "video": "m", "edit": "m", "project": "m p", "explore": "m", "push": "m a/b"}
LEAST |= {
    "export": "m o.onnx",
    "convert": "a b",
    "features": "m",
    "encode": "m",
    "list": "",
    "data": "check",
    "train": DIGITS,
}


@pytest.fixture
def pictures(tmp_path, monkeypatch) -> str:
    """A folder of pictures, from where the recipes are seen too."""
    (tmp_path / "recipes").symlink_to(ROOT / "recipes")
    monkeypatch.chdir(tmp_path)
    folder(tmp_path / "pics", {f"{place}.png": noise(place, 16, 24) for place in range(4)})
    return "pics"


def train(line: str):
    return parse(shlex.split(line), "ggdr train")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (f"{DIGITS} --generater dcgan", "has no flag --generater. Did you mean --generator?"),
        (f"{DIGITS} --no-ggdr", "Type --regularizers.ggdr none to leave it out."),
        (
            f"{DIGITS} --data.source pics",
            "The data set 'digits' has none; images, stream, super_resolution, vectors, domains and pairs have one:"
            " add --data images.",
        ),
        (f"{DIGITS} --data pics", "'pics' is a place, .* type: --data images --data.source pics"),
        (f"{DIGITS} --size 64", "Did you mean --data.size?"),
        (f"{DIGITS} --regularizers.ggdr.resolution 8", "Did you mean --regularizers.ggdr.resolutions?"),
        (f"{DIGITS} --regularizers ggdr", "Add the part first: --regularizers.NAME NAME; `ggdr list regularizers`"),
        (f"{DIGITS} --regularizers.r2.weight 3", "Add the part first: --regularizers.r2 NAME"),
        (f"{DIGITS} --hub-license mit", "Did you mean --hub-licence?"),
        (f"{DIGITS} --kimg=100", "no flag --kimg. Type --total-kimg N."),
        (
            f"{DIGITS} --regularizers.ada ada",
            "registered as augmentation, .*, since it changes .*; type: --augment ada",
        ),
        (f"{DIGITS} --loss r1", "'r1' is registered as regularizer, not as loss; type: --regularizers.r1 r1"),
        (f"{DIGITS} --discriminator.encoder hinge", "registered as loss, not as discriminator; type: --loss hinge"),
        (f"{DIGITS} --lr 0.1", "Type --g-optimizer.lr N --d-optimizer.lr N."),
        (f"{DIGITS} 64", "has no place for '64'"),
        (f"{DIGITS} --compile False", r"has no place for 'False'\. Type --no-compile alone\."),
        (f"{DIGITS} --data.labels true", r"has no place for 'true'\. Type --data\.labels alone\."),
        (f"{DIGITS} --qqqq 1", r"no flag --qqqq. --help-all lists what it takes"),
        ("--dry-run", "no recipe given; type: ggdr train digits --out runs/digits"),
        (f"--use my.py {DIGITS}", f"the recipe goes before the flags; type: ggdr train {DIGITS} --use my.py"),
        ("recipes/digit.py", r"not there \(did you mean 'recipes/digits.py'\?\)"),
        ("digit", r"no recipe of ggdr is called 'digit', and no file\. Did you mean 'digits'\? `ggdr list recipes`"),
        (
            "elsewhere/digits.py",
            r"'elsewhere/digits.py' is not there; ggdr brings a recipe of that name: type digits alone",
        ),
        ("--data digits", "no recipe given; type: ggdr train digits"),
        ("recipes", "'recipes' is a folder; give the path of a .py file"),
    ],
)
def test_train_says_what_was_meant(line, said, pictures):
    with pytest.raises(ValueError, match=said):
        train(line)


def test_a_slip_in_the_name_of_a_model_is_told_with_the_name_that_is_meant(pictures):
    Path("runs/digits").mkdir(parents=True)
    with pytest.raises(
        ValueError, match=r"no folder 'runs/digts' \(did you mean 'runs/digits'\?\); give that of a run"
    ):
        push(["runs/digts", "org/digits"])


@pytest.mark.parametrize(
    "line",
    [
        f"{recipe} {flags}".strip() if first else f"{flags} {recipe}"
        for recipe in (DIGITS, "digits")
        for first, flags in ((True, "--batch-size 8"), (False, "--batch-size 8"), (False, "--batch-size 8 --dry-run"))
    ],
)
def test_the_recipe_may_stand_behind_flags(line, pictures):
    command = train(line)
    assert (
        command.recipe.batch_size == 8 and command.out == Path("runs/digits") and command.dry_run == ("--dry" in line)
    )


@pytest.mark.parametrize("verb", LEAST)
def test_every_verb_names_a_flag_that_it_does_not_have(verb, monkeypatch):
    monkeypatch.chdir(ROOT)
    assert verb in VERBS
    module = importlib.import_module(f"ggdr.{VERBS[verb][0]}")
    with pytest.raises(ValueError, match=r"^`ggdr [^`]+` has no flag --uze. Did you mean --use\?|no flag --uze"):
        module.main([*LEAST[verb].split(), "--uze", "x"])


@pytest.mark.parametrize(
    "line",
    [
        "check pics --data.size 8",
        "check pics --size 8",
        "check --data.source pics --data.size 8",
        "check --source pics --size=8",
        "check --size 8 pics",
        "check --data images --data.source pics --data.size 8",
    ],
)
def test_check_takes_a_source_and_its_flags_in_every_form(line, pictures, capsys):
    assert data(line.split()) == 0
    shown = capsys.readouterr().out
    assert "folder pics" in shown and "--data images --data.source pics --data.size 8 --data.channels 3" in shown


def test_what_check_prints_is_taken_by_check_and_by_train(pictures, capsys):
    data(["check", "pics", "--mirror", "--size", "8", "16"])
    _, program, verb, recipe, *flags = shlex.split(capsys.readouterr().out.splitlines()[-1])
    read = train(shlex.join([recipe, *flags])).recipe.data
    flags = flags[: flags.index("--augment")]
    assert (program, verb, recipe) == ("ggdr", "train", "few")
    assert (read.source, read.size, read.channels, read.mirror) == ("pics", (8, 16), 3, True)
    assert data(["check", *flags]) == 0 and parse_evaluate([pictures, *flags], "ggdr evaluate").data == read


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check pics --sise 8", "has no flag --sise. Did you mean --data.size?"),
        ("pics", "type: ggdr data check pics."),
        ("chek pics", "`ggdr data chek` is no command; type: ggdr data check SOURCE"),
        ("check pics --data.source pics2", "two sources, 'pics' and 'pics2'; give one"),
    ],
)
def test_check_says_what_was_meant(line, said, pictures):
    with pytest.raises(ValueError, match=said):
        data(line.split())


def test_evaluate_reads_reals_from_a_source_as_train_does(pictures):
    command = parse_evaluate(["pics", "--data.source", "pics", "--data.size", "8", "--metrics", "swd"], "ggdr evaluate")
    assert (command.data.source, command.data.size) == ("pics", 8)
    with pytest.raises(ValueError, match="goes before the flags; type: ggdr evaluate pics --metrics swd"):
        parse_evaluate(["--metrics", "swd", "pics"], "ggdr evaluate")
    with pytest.raises(ValueError, match="no flag --metric. Did you mean --metrics?"):
        parse_evaluate(["pics", "--data", "pics", "--metric", "swd"], "ggdr evaluate")


def test_a_recipe_without_a_verb_is_told_the_verb(capsys, monkeypatch):
    from ggdr import cli

    monkeypatch.setattr("sys.argv", ["ggdr", DIGITS, "--dry-run"])
    with pytest.raises(SystemExit):
        cli.main()
    assert f"Type: ggdr train {DIGITS} --dry-run." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("verb", "line", "now"),
    [
        *((verb, "m --psi 0.7", "--truncation-psi") for verb in ("generate", "mix", "video", "edit")),
        ("generate", "m --psi=0 --seeds 1", "--truncation-psi"),
        ("generate", "m --cutoff 2", "--truncation-cutoff"),
        ("evaluate", "pics --data pics --psi 0.7", "--truncation-psi"),
        ("evaluate", "pics --data pics --features digits", "--extractor"),
        ("project", "m p --features lpips", "--extractor"),
        ("project", "m p --extractor timm --features.model resnet18", "--extractor.model"),
        (
            "train",
            "recipes/zoo/fastgan.py --regularizers.reconstruction.features lpips",
            "--regularizers.reconstruction.extractor",
        ),
    ],
)
def test_a_flag_that_was_renamed_is_refused_with_its_name_of_today(verb, line, now, pictures):
    with pytest.raises(ValueError) as refused:
        importlib.import_module(f"ggdr.{VERBS[verb][0]}").main(shlex.split(line))
    assert f". It is {now} now. " in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("verb", ["generate", "mix", "video", "edit", "evaluate"])
def test_flags_of_truncation_are_called_as_the_arguments_in_python(verb):
    module = importlib.import_module(f"ggdr.{VERBS[verb][0]}")
    flags = (
        importlib.import_module("ggdr.evaluation.flags").Command if verb == "evaluate" else vars(module)[verb.title()]
    )
    said = {name for name in (field.name for field in fields(flags)) if "psi" in name or "cutoff" in name}
    assert said and said <= signature(Pipeline.__call__).parameters.keys() & signature(evaluate).parameters.keys()


def test_suggestions_are_few_and_alike():
    known = ["--data.size", "--seed", "--use", "--g-optimizer.lr", "--d-optimizer.lr", "--generator.z-dim"]
    assert suggestion("--size", known) == "--data.size"
    assert suggestion("--lr", known) == "--g-optimizer.lr or --d-optimizer.lr"
    assert suggestion("--Seeds", known) == "--seed"
    assert suggestion("--generator_z_dim", known) == "--generator.z-dim"
    assert suggestion("--nothing-like-it", known) == suggestion("word", known) == ""


@pytest.mark.parametrize("verb", ["translate", "generate", "mix", "edit", "video", "export"])
def test_a_command_without_its_model_says_that_it_is_a_model(verb, capsys):
    with pytest.raises(SystemExit):
        importlib.import_module(f"ggdr.verbs.{verb}").main([])
    assert " MODEL " in capsys.readouterr().err
