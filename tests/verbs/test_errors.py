"""Bad input gets one clear sentence: what was given, what is possible, what to type next."""

from __future__ import annotations

import subprocess
import sys

import pytest
from complaints import complaint, ended
from places import OWN_GOLDEN, ROOT, TINY

from ggdr.registry import regularizers
from ggdr.train import main


def test_unknown_component(tmp_path):
    said = complaint(TINY, "--generator", "stylegan9")
    assert "unknown generator 'stylegan9'" in said and "Did you mean 'stylegan" in said and "--use FILE.py" in said


def test_recipe_file_without_recipe(tmp_path):
    (tmp_path / "nothing.py").write_text("x = 1\n")
    assert "binds no `recipe`; write `recipe = Recipe(...)`" in complaint(str(tmp_path / "nothing.py"))
    (tmp_path / "other.py").write_text("recipe = 3\n")
    assert "binds `recipe` to a int" in complaint(str(tmp_path / "other.py"))


def test_recipe_file_that_is_not_there():
    assert "'recipes/cats.py' is not there; give the path of a .py file" in complaint("recipes/cats.py")
    assert "is no Python file" in complaint(str(OWN_GOLDEN / "ops.json"))


def test_no_recipe_at_all():
    assert "no recipe given; type: ggdr train digits" in complaint()


def test_empty_folder(tmp_path):
    said = complaint(TINY, "--data", "images", "--data.source", str(tmp_path), "--out", str(tmp_path / "run"))
    assert f"folder '{tmp_path}' is empty; put images into it" in said
    assert not (tmp_path / "run").exists()


def test_folder_of_text_files(tmp_path):
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text("not an image")
    said = complaint(TINY, "--data", "images", "--data.source", str(tmp_path), "--out", str(tmp_path / "run"))
    assert "no images" in said and ".txt" in said


def test_size_that_the_network_cannot_make(tmp_path):
    said = complaint(TINY, "--data.size", "50", "--out", str(tmp_path))
    assert "50 x 50" in said and "48" in said and "by --data.size H W, to which images are resized" in said


def test_ggdr_on_a_discriminator_without_a_decoder(tmp_path):
    said = complaint(TINY, "--discriminator", "stylegan2", "--out", str(tmp_path))
    assert "regularizer 'ggdr' requires d_features" in said
    assert "--discriminator unet --discriminator.encoder stylegan2" in said and "--regularizers.ggdr none" in said


def test_path_length_on_a_generator_without_styles(tmp_path):
    said = complaint(TINY, "--generator", "dcgan", "--out", str(tmp_path))
    assert "regularizer 'path_length' requires ws; generator 'dcgan' provides g_features, input_matrices" in said
    assert "take --generator biggan or biggan_deep or gat or stylegan or stylegan2 or stylegan3" in said


def test_side_that_the_networks_do_not_have(tmp_path):
    said = complaint(TINY, "--regularizers.ggdr.resolutions", "64", "--out", str(tmp_path))
    assert "reads feature maps of resolution 64" in said and "has 4, 8, 16 for images of 16 x 16 px" in said
    dcgan = ["--generator", "dcgan", "--regularizers.path-length", "none"]
    said = complaint(TINY, *dcgan, "--regularizers.ggdr.resolutions", "16", "--out", str(tmp_path))
    assert "reads feature maps of resolution 16; generator 'dcgan' has 4, 8 for images of 16 x 16 px" in said


def test_dropping_what_is_not_there():
    assert "there is no 'r2' to drop; there are: r1, path_length, ggdr" in complaint(TINY, "--regularizers.r2", "none")
    assert "'samples' to drop; type --sample-kimg 0." in complaint(TINY, "--callbacks.samples", "none")
    assert "'metrics' to drop; type --metric-kimg 0." in complaint(TINY, "--callbacks.metrics", "none")
    assert "'log' to drop; every run has it, at intervals of --log-kimg N." in complaint(TINY, "--callbacks.log=none")
    assert "'fid' to drop; there is none at all: leave it out." in complaint(TINY, "--metrics.fid", "none")
    assert "To drop one, type --regularizers.r1 none." in complaint(TINY, "--regularizers", "none")


def test_part_without_a_name():
    assert "--generator takes the name of a part" in complaint(TINY, "--generator")


def test_number_out_of_range():
    assert "--batch-size is 0; give a number above 0" in complaint(TINY, "--batch-size", "0")


def test_launch_with_a_precision_that_the_recipe_does_not_have(monkeypatch):
    monkeypatch.setenv("ACCELERATE_MIXED_PRECISION", "bf16")
    assert "add --precision bf16" in complaint(TINY)


@pytest.mark.parametrize(
    "flag", ["--g-optimizer.lr", "--discriminator.encoder.mbstd-group", "--generator.z-dim", "--micro-batch-size"]
)
def test_number_out_of_range_of_a_part(flag, capsys):
    assert complaint(TINY, flag, "0") in (f"{flag} is {zero}; give a number above 0." for zero in ("0", "0.0"))
    assert capsys.readouterr().err == ""


def test_unknown_flags_are_answered_with_suggestions():
    assert "Did you mean --regularizers.ggdr.weight?" in complaint(TINY, "--regularizers.ggdr.wieght", "5")


def test_the_command_prints_one_line_and_exits_with_2(tmp_path):
    command = [sys.executable, "-m", "ggdr", "train", TINY, "--loss", "hing", "--out", str(tmp_path)]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2
    assert result.stderr.startswith("ggdr: error: unknown loss 'hing'. Did you mean 'hinge'?")
    assert result.stderr.count("\n") == 1 and "Traceback" not in result.stderr


def test_a_fault_in_someones_own_part_is_shown_where_it_is(tmp_path):
    own = tmp_path / "faulty.py"
    own.write_text(
        (ROOT / "ggdr/regularizers/r2.py")
        .read_text()
        .replace('"r2"', '"faulty"')
        .replace("        return ", "        a, b = duel.on_fake.logits.shape\n        return ")
    )
    flags = ["--use", str(own), "--regularizers.faulty", "faulty", "--out", str(tmp_path / "run")]
    try:
        result = ended(main, TINY, *flags)
    finally:
        regularizers.pop("faulty")
    assert result.returncode == 1 and "faulty.py" in result.stderr
    assert "a, b = duel.on_fake.logits.shape" in result.stderr


def test_an_out_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    command = [sys.executable, "-m", "ggdr", "train", TINY, "--out", str(tmp_path / "file")]
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert (
        result.returncode == 2
        and result.stderr == f"ggdr: error: --out {tmp_path / 'file'} is a file; give a folder.\n"
    )


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--loss.every", "2"], "--loss.every is 2"),
        (["--regularizers.r1.every", "0"], "--regularizers.r1.every is 0"),
        (["--micro-batch-size", "-4"], "--micro-batch-size is -4"),
        (["--seed", "-1"], "--seed is -1"),
        (["--regularizers.augment", "r2"], "a regularizer is called 'augment'"),
        (["--total-kimg", "nan"], "--total-kimg is nan"),
        (["--num-workers", "-1"], "--num-workers is -1; give 0 or more"),
        (["--use"], "--use takes the path of a Python file"),
    ],
)
def test_numbers_and_names_that_cannot_be(flags, said):
    assert said in complaint(TINY, *flags)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = (", "line 1: SyntaxError: "),
        ("import math\nimport nope", "line 2: ModuleNotFoundError: No module named 'nope'; fix it"),
        ("from ggdr.recipe import Recipe\nrecipe = Recipe(dat=1)", "line 2: TypeError: "),
    ],
)
def test_a_fault_in_a_recipe_is_named_with_its_line(text, said, tmp_path):
    (tmp_path / "faulty_recipe.py").write_text(text)
    assert f"{tmp_path / 'faulty_recipe.py'}, {said}" in complaint(str(tmp_path / "faulty_recipe.py"))


def test_a_part_called_like_one_of_ours_is_refused(tmp_path):
    (tmp_path / "again.py").write_text((ROOT / "ggdr/regularizers/r2.py").read_text())
    said = complaint(TINY, "--use", str(tmp_path / "again.py"), "--regularizers.r2", "r2")
    assert "regularizer 'r2' is taken by ggdr.regularizers.r2.R2; rename one" in said


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("def dloss(self, duel): ...", "has no loss; write d_loss"),
        ("def d_loss(self, duel): return duel.on_real.logits", "shape [4]"),
    ],
)
def test_a_term_without_a_loss_or_with_many(method, said, tmp_path, request):
    own = tmp_path / f"odd{len(method)}.py"
    own.write_text(
        "from dataclasses import dataclass\nfrom ggdr.registry import regularizers\n"
        "from ggdr.play.term import Regularizer\n"
        f"@regularizers.register('odd{len(method)}')\n@dataclass(frozen=True, kw_only=True)\nclass Odd(Regularizer):\n"
        f'    """Odd."""\n    {method}\n'
    )
    request.addfinalizer(lambda: regularizers.pop(f"odd{len(method)}"))
    flags = ["--use", str(own), "--regularizers.odd", f"odd{len(method)}", "--out", str(tmp_path / "run")]
    assert said in complaint(TINY, *flags)
