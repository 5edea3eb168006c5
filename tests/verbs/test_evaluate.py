"""`ggdr evaluate`: tables, records, caches and refusals, for everything that can be measured."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import tiny
import torch
from ddpm import pipeline
from evaluations import empty_cache_in, tiny_run_in
from launching import LAUNCH, launch
from PIL import Image
from places import ROOT, SUPPORT

from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.errors import UserError
from ggdr.evaluation.flags import parse
from ggdr.evaluation.record import record_folder
from ggdr.features.digits import Digits as DigitsExtractor
from ggdr.formatting import format_interval, significant
from ggdr.networks.base import ImageSpec
from ggdr.saving.model import save_model
from ggdr.verbs.evaluate import main


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run that was trained for a few steps on 64 digits of 16 px."""
    return tiny_run_in(tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """A cache that holds nothing but the digits classifier; records of images lie beside it."""
    return empty_cache_in(tmp_path, monkeypatch)


def pictures(path: Path, images: torch.Tensor) -> Path:
    """A folder of gray PNGs."""
    path.mkdir(parents=True)
    for number, image in enumerate(images):
        Image.fromarray(image[0].numpy()).save(path / f"{number:03}.png")
    return path


@pytest.fixture(scope="module")
def digits(tmp_path_factory) -> Path:
    """150 digits of 16 px as files."""
    return pictures(tmp_path_factory.mktemp("files") / "digits", Digits(size=16).open().at(list(range(150)), 0).images)


def record(folder: Path) -> dict:
    """The newest record of what lies in a folder."""
    return json.loads(max(record_folder(str(folder)).glob("*.json")).read_text())


def measured(folder: Path, *argv: str) -> dict:
    """The record of an evaluation."""
    assert main([str(folder), *argv]) == 0
    return record(folder)


def means(found: dict) -> dict:
    """Metric -> value -> mean."""
    return {name: {key: v["mean"] for key, v in each["values"].items()} for name, each in found["metrics"].items()}


def complaint(*argv: str | Path) -> str:
    """The one line that a command ends with."""
    with pytest.raises(UserError) as raised:
        main([str(word) for word in argv])
    assert "\n" not in raised.value.in_flags()
    return raised.value.in_flags()


def test_a_run_is_measured_against_its_own_data_by_metrics_that_need_no_download(run, capsys):
    found = measured(run, "--images", "40", "--repeats", "2")
    assert found["data"]["settings"] == {
        "type": "digits", "size": 16, "margin": 1, "labels": False, "subset": 64,
            "hold_out": 0, "split": "train",
    }  # fmt: skip
    assert {"fid", "kid", "precision_recall", "swd"} <= found["metrics"].keys()
    shown = capsys.readouterr()
    assert f"record: {max((run / 'metrics').glob('*.json'))}" in shown.out
    (line,) = [line for line in shown.out.splitlines() if line.startswith("fid ")]
    fid = found["metrics"]["fid"]["values"]["distance"]
    low, high = fid["interval"]
    assert line.split() == ["fid", significant(fid["mean"]), *format_interval(low, high).split(), "lower", "40,", "40",
                            "digits"]  # fmt: skip
    assert fid["repeats"][0] != fid["repeats"][1] and low < fid["mean"] < high
    assert "kid, which has no such bias" in shown.err and "too few to fit the covariance of 64 features" in shown.err


def test_the_record_says_all_that_the_values_depend_on(run):
    argv = ["--metrics", "kid", "swd", "--images", "70", "--repeats", "2", "--seed", "5", "--truncation-psi", "0.7"]
    found = measured(run, *argv, "--metrics.swd.images", "20", "--batch-size", "8", "--metrics.kid.subset", "30")
    source, kid, swd = found["source"], found["metrics"]["kid"], found["metrics"]["swd"]
    assert found["command"].startswith(f"ggdr evaluate {run} --metrics kid swd --images 70")
    assert (source["kind"], source["seed"], source["batch_size"], source["shape"]) == (
        "generator", 5, 8, [1, 16, 16]
    )  # fmt: skip
    assert source["truncation"] == {"psi": 0.7, "cutoff": None} and source["noise"] == "random"
    assert "127.5" in source["quantisation"] and source["progress"]["images_seen"] == 64
    assert found["repeats"] == 2 and "Student's 95 %" in found["interval"] and found["precision"].startswith("float32")
    assert (kid["real"]["number"], kid["fake"]["number"]) == (64, 70)  # there are no more reals
    assert (swd["real"]["number"], swd["fake"]["number"]) == (20, 20)
    assert kid["settings"]["subset"] == 30 and kid["settings"]["extractor"]["type"] == "digits"
    network = DigitsExtractor().load(torch.device("cpu"))
    assert kid["features"] == {"width": 64, "weights": network.weights_hash, "protocol": network.protocol}
    assert kid["real"]["content"] != swd["real"]["content"] and len(kid["real"]["content"]) == 64
    assert any("all 64 real images are taken, fewer than the 70 asked for" in text for text in found["warnings"])
    assert {"ggdr", "torch", "numpy"} <= found["versions"].keys() and found["date"].endswith("+00:00")
    assert found["device"] == "cpu" and found["processes"] == 1 and found["seconds"] > 0


def test_the_same_command_gives_the_same_values_and_another_seed_others(run):
    flags = ["--metrics", "fid", "swd", "--images", "30", "--repeats", "2"]
    first, again = (measured(run, *flags)["metrics"] for _ in range(2))
    other = measured(run, *flags, "--seed", "1000")["metrics"]
    assert first == again
    assert not set(first["fid"]["values"]["distance"]["repeats"]) & set(other["fid"]["values"]["distance"]["repeats"])


def test_run_checkpoint_and_model_give_the_same_values_each_with_its_record(run):
    last = max((run / "checkpoints").iterdir())
    flags = ["--metrics", "swd", "--images", "20", "--repeats", "1"]
    values = [means(measured(path, *flags)) for path in (run, last, run / "model", run / "model" / "generator")]
    assert all(value == values[0] for value in values)


def test_a_folder_of_images_is_measured_once_without_an_interval(digits, capsys):
    found = measured(digits, "--data", "digits", "--data.size", "16", "--metrics", "fid", "swd", "--images", "150")
    assert found["source"]["kind"] == "images" and found["repeats"] == 1 and found["interval"] is None
    distance = found["metrics"]["fid"]["values"]["distance"]
    assert distance["interval"] is None and len(distance["repeats"]) == 1
    shown = capsys.readouterr().out
    assert "measured once: no interval" in shown and "(images) against 1,797 real images" in shown
    again = measured(digits, "--data", str(digits), "--metrics", "fid", "--extractor", "digits", "--repeats", "4")
    assert again["metrics"]["fid"]["values"]["distance"]["mean"] < 1e-6  # the set itself
    assert "--repeats makes no difference" in " ".join(again["warnings"])


def test_a_zip_is_measured_and_its_record_lies_beside_it(digits, tmp_path):
    archive = shutil.make_archive(str(tmp_path / "digits"), "zip", digits)
    assert main([archive, "--data", str(digits), "--metrics", "swd"]) == 0
    assert means(record(Path(archive)))["swd"]["mean"] == 0


def test_a_diffusion_pipeline_is_measured_by_the_same_code(digits, tmp_path, capfd):
    path = pipeline(tmp_path / "ddpm")
    flags = ["--data", str(digits), "--metrics", "fid", "--extractor", "digits", "--images", "10", "--steps", "3"]
    found = measured(path, *flags, "--repeats", "2")
    assert (found["source"]["kind"], found["source"]["class"]) == ("pipeline", "DDPMPipeline")
    assert found["source"]["steps"] == 3 and "255" in found["source"]["quantisation"]
    assert found["metrics"]["fid"]["values"]["distance"]["std"] > 0
    assert "Loading pipeline" not in capfd.readouterr().err


def test_a_conditional_generator_wears_the_labels_of_the_data(tmp_path):
    torch.manual_seed(0)
    save_model(tiny.STYLEGAN2.build(ImageSpec(16, 16, 1, 10)), tmp_path / "model")
    flags = ["--data", "digits", "--data.size", "16", "--metrics", "swd", "--images", "20", "--repeats", "1"]
    assert "labels of width 10, and the data has none" in complaint(tmp_path / "model", *flags)
    found = measured(tmp_path / "model", *flags, "--data.labels")
    assert found["source"]["network"]["spec"]["labels"] == 10 and found["data"]["settings"]["labels"] is True


def test_features_of_real_images_are_kept_and_their_use_is_announced(digits, run, cache, capsys):
    flags = ["--data", str(digits), "--metrics", "fid", "kid", "--extractor", "digits", "--images", "60"]
    first = means(measured(run, *flags, "--repeats", "1"))
    assert "from the cache" not in capsys.readouterr().out
    (file,) = (cache / "features").iterdir()
    second = means(measured(run, *flags, "--repeats", "1"))
    assert f"features of 60 real images by digits from the cache, {file}" in capsys.readouterr().out
    assert first == second == means(measured(run, *flags, "--repeats", "1", "--no-cache"))
    assert "from the cache" not in capsys.readouterr().out


def test_a_cache_does_not_outlive_a_change_of_the_data(digits, run, cache, tmp_path, capsys):
    own = shutil.copytree(digits, tmp_path / "own")
    flags = ["--data", str(own), "--metrics", "fid", "--extractor", "digits", "--repeats", "1"]
    before = measured(run, *flags)
    with Image.open(own / "007.png") as image:
        Image.eval(image, lambda value: 255 - value).save(own / "007.png")
    after = measured(run, *flags)
    assert "from the cache" not in capsys.readouterr().out and len(list((cache / "features").iterdir())) == 2
    assert before["metrics"]["fid"]["real"]["content"] != after["metrics"]["fid"]["real"]["content"]
    assert means(before) != means(after) == means(measured(run, *flags, "--no-cache"))


def test_records_are_numbered_or_go_where_asked_and_nothing_is_overwritten(run, tmp_path):
    flags = ["--metrics", "swd", "--images", "8", "--repeats", "1"]
    before = set((run / "metrics").glob("*.json"))
    assert main([str(run), *flags]) == main([str(run), *flags]) == 0
    assert len(set((run / "metrics").glob("*.json")) - before) == 2
    out = tmp_path / "deep" / "record.json"
    assert main([str(run), *flags, "--out", str(out)]) == 0
    written = out.read_text()
    assert "is there already, and records are never overwritten" in complaint(run, *flags, "--out", out)
    assert out.read_text() == written


def test_files_that_cannot_be_read_are_named(digits, run, tmp_path, capsys):
    own = shutil.copytree(digits, tmp_path / "own")
    (own / "100.png").write_bytes((own / "100.png").read_bytes()[:60])
    found = measured(run, "--data", str(own), "--metrics", "swd", "--images", "150", "--repeats", "1")
    assert any("1 of the real images cannot be read, others stand in: '100.png'" in w for w in found["warnings"])
    assert "ggdr: warning: 1 of the real images" in capsys.readouterr().err


@pytest.mark.slow
def test_two_processes_measure_what_one_does(run, tmp_path, cache):
    flags = ["--metrics", "fid", "precision_recall", "swd", "--images", "150", "--repeats", "2", "--data.subset", "140"]
    found = []
    for count, start in ((1, [sys.executable]), (2, [*LAUNCH, "--multi_gpu", "--num_processes", "2"])):
        for turn in range(2):  # the second time from the cache
            out = tmp_path / f"{count}-{turn}.json"
            command = [*start, "-m", "ggdr", "evaluate", str(run), *flags, "--out", str(out)]
            done = launch(command, ACCELERATE_USE_CPU="true", GGDR_CACHE=str(cache))
            assert done.returncode == 0, done.stderr[-2000:]
            assert done.stdout.count("record: ") == 1 and ("from the cache" in done.stdout) == (turn + count > 1)
            found.append(json.loads(out.read_text()))
        if count == 1:
            one = found[0]
    shutil.rmtree(cache / "features")
    out = tmp_path / "fresh.json"
    done = launch(command[:-1] + [str(out)], ACCELERATE_USE_CPU="true", GGDR_CACHE=str(cache))
    assert done.returncode == 0 and "from the cache" not in done.stdout
    found.append(json.loads(out.read_text()))
    assert [each["processes"] for each in found] == [1, 1, 2, 2, 2]
    for other in found[1:]:
        assert other["metrics"]["fid"]["real"] == one["metrics"]["fid"]["real"]
        for name, values in means(one).items():
            assert means(other)[name] == pytest.approx(values, rel=1e-6)


def test_metrics_that_nobody_named_are_left_out_where_their_weights_are_missing(digits, run, monkeypatch, tmp_path):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hf"))
    found = measured(run, "--data", str(digits), "--images", "20", "--repeats", "1")
    assert "swd" in found["metrics"] and "fid" not in found["metrics"]
    assert any(text.startswith("fid is left out: the weights of ") for text in found["warnings"])
    said = complaint(run, "--data", digits, "--images", "20", "--metrics", "fid", "swd")
    assert "are not on this machine" in said and "--metrics.fid.extractor digits" in said and "swd" in said


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ([], "nothing to measure; type: ggdr evaluate runs/digits"),
        (["nowhere"], "there is no 'nowhere' here; give the folder of a run"),
        (["RUN", "--metrics", "fit"], "unknown metric 'fit'. Did you mean 'fid'"),
        (["RUN", "--metrics"], "--metrics takes names of metrics"),
        (["RUN", "--extractor", "digit"], "unknown feature extractor 'digit'. Did you mean 'digits'"),
        (["RUN", "--metrics", "swd", "--extractor", "digits"], "swd cannot read features by 'digits'"),
        (["RUN", "--metrics", "fd_dinov2", "--extractor", "digits"], "fd_dinov2 cannot read features by 'digits'"),
        (["RUN", "--metrics", "fd_dinov2", "--metrics.fd_dinov2.extractor", "digits"], "nothing but dinov2 goes there"),
        (["RUN", "--data", "digits", "images"], "real images come from one source; give one"),
        (["RUN", "--data", "no/where/at/all"], "no file or folder 'no/where/at/all'"),
        (["RUN", "--data.size", "32"], "16 px with 1 channel, the real ones of 32 x 32 px with 1; add --data.size 16"),
        (["RUN", "--batch-size", "65"], "--batch-size 65 is out of range; give a number from 1 to 64"),
        (["RUN", "--repeats", "0"], "--repeats 0 is out of range"),
        (["RUN", "--seed", "-1"], "--seed -1 is out of range"),
        (["RUN", "--device", "cuda:99"], "--device cuda:99 is not possible here"),
        (["DIGITS"], "no real images to compare "),
        (["DIGITS", "--data", "RGB", "--data.size", "16", "--data.channels", "1", "--metrics", "ppl"], "leave it out"),
        (["DIGITS", "--data", "RGB"], "the real ones of 8 x 8 px with 3; add --data.size 16 --data.channels 1"),
    ],
)  # fmt: skip
def test_what_cannot_be_measured_is_refused_in_one_sentence(argv, said, run, digits, tmp_path):
    pictures(tmp_path / "rgb", torch.zeros(3, 1, 8, 8, dtype=torch.uint8))
    for file in (tmp_path / "rgb").iterdir():
        Image.open(file).convert("RGB").save(file)
    places = {"RUN": run, "DIGITS": digits, "RGB": tmp_path / "rgb"}
    before = set(run.rglob("*")) | set(digits.rglob("*"))
    assert said in complaint(*(places.get(word, word) for word in argv))
    assert set(run.rglob("*")) | set(digits.rglob("*")) == before


def test_a_slip_in_the_name_of_a_run_is_told_with_the_name_that_is_meant(run, monkeypatch):
    monkeypatch.chdir(run.parent.parent)
    near, typo = f"{run.parent.name}/{run.name}", f"{run.parent.name}/{run.name}x"
    said = complaint(typo)
    assert said.startswith(f"there is no '{typo}' here (did you mean '{near}'?); give the folder of a run")
    assert f"(did you mean '{run}'?)" in complaint(f"{run}x")
    said = complaint("org/typo")
    assert said.startswith("there is no run, model or folder 'org/typo' here; for a Hub") and "--data SOURCE" in said


def test_shared_flags_go_to_every_metric_and_its_own_prevail():
    flags = "--data digits --metrics fid kid swd --images 50 --metrics.kid.images 20 --extractor.batch_size 7"
    command = parse([str(SUPPORT), *flags.split()], "ggdr evaluate")
    assert [metric.images for metric in command.metrics.values()] == [50, 20, 50]
    assert [command.metrics[name].extractor for name in ("fid", "kid")] == [DigitsExtractor(batch_size=7)] * 2
    flags += " --metrics.fid.extractor inception"
    chosen = parse([str(SUPPORT), *flags.replace("--extractor.batch_size 7", "").split()], "ggdr evaluate").metrics
    assert [chosen[name].extractor.name for name in ("fid", "kid")] == ["inception", "digits"]


def test_metrics_that_draw_for_themselves_draw_anew_in_each_repeat(run, capsys):
    flags = ["--metrics", "ppl", "--images", "12", "--repeats", "2"]
    values = [
        measured(run, *flags, *more)["metrics"]["ppl"]["values"]["mean"]["repeats"]
        for more in ([], ["--seed", "7"], ["--metrics.ppl.seed", "7"], ["--truncation-psi", "0.5"])
    ]
    assert len({*values[0], *values[1], *values[2]}) == 6 and values[3] == values[0]
    assert "ppl: of the whole latent space; --truncation-psi makes no difference." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "flags", "said"),
    [
        ({"ACCELERATE_MIXED_PRECISION": "bf16"}, [], "launched with --mixed_precision bf16; metrics are float32"),
        ({"WORLD_SIZE": "2"}, ["--device", "cpu"], "choose their devices themselves; leave --device cpu out"),
        ({"WORLD_SIZE": "2", "RANK": "0"}, [], "2 processes were launched that cannot find each other"),
    ],
)
def test_a_launch_that_does_not_fit_is_refused(run, monkeypatch, environment, flags, said):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert said in complaint(run, "--metrics", "swd", *flags)


def test_a_metric_that_is_named_after_its_features_keeps_them():
    chosen = parse([str(SUPPORT), "--data", "digits", "--metrics", "fid", "fd_dinov2"], "ggdr evaluate").metrics
    assert [metric.extractor.name for metric in chosen.values()] == ["digits", "dinov2"]


def test_data_without_an_extractor_of_its_own_leaves_metrics_theirs(digits):
    command = parse([str(digits), "--data", str(digits), "--metrics", "fid"], "ggdr evaluate")
    assert command.metrics["fid"].extractor.name == "inception"
    assert command.data == ImageFiles(source=str(digits)) and command.read == replace(command.data)


def test_help_shows_every_flag_and_never_imports_torch():
    code = "import sys, ggdr.verbs.evaluate as verb\ntry: verb.main(['--help'])\nfinally: print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "False"
    assert all(
        flag in done.stdout for flag in ("--repeats", "--metrics.fid.images", "--extractor digits", "--truncation-psi")
    )
