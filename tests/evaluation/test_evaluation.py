"""`ggdr.evaluate`: the library that the verb is made of, as it is used in a notebook."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from evaluations import empty_cache_in, tiny_run_in
from PIL import Image
from places import ROOT

import ggdr
from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.evaluation import evaluate
from ggdr.features.digits import Digits as DigitsExtractor
from ggdr.metrics.kid import KID
from ggdr.ops.precision import without_tf32
from ggdr.verbs.evaluate import main


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    """A run that was trained for a few steps on 64 digits of 16 px."""
    return tiny_run_in(tmp_path_factory.mktemp("runs"))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch) -> Path:
    """An empty folder, and a cache that holds nothing but the digits classifier."""
    empty_cache_in(tmp_path, monkeypatch)
    return tmp_path


def pictures(folder: Path, size: int = 16) -> Path:
    """A folder of 20 digits."""
    folder.mkdir()
    for place, image in enumerate(Digits(size=size).open().at(list(range(20)), 0).images):
        Image.fromarray(image[0].numpy()).save(folder / f"{place:02}.png")
    return folder


def test_a_result_comes_back_and_nothing_is_printed_or_written(run, here, capfd):
    before = set(run.rglob("*"))
    result = ggdr.evaluate(run, metrics=["fid", "swd"], images=40, repeats=2)
    low, high = result["fid"].interval
    assert low < result["fid"].mean < high and len(result["swd"].repeats) == 2
    assert result.protocol["metrics"]["fid"]["settings"]["extractor"]["type"] == "digits"  # the data's own
    assert result.protocol["source"]["progress"]["images_seen"] == 64 and result.protocol["repeats"] == 2
    assert any("too few to fit the covariance" in warning for warning in result.warnings)
    shown = capfd.readouterr()
    assert (shown.out, shown.err) == ("", "")
    assert set(run.rglob("*")) == before and [path.name for path in here.iterdir()] == ["cache"]


def test_library_and_verb_give_the_same_values(run, here):
    result = evaluate(run, metrics=["kid", "swd"], images=30, seed=3, repeats=2, truncation_psi=0.7, batch_size=8)
    flags = "--metrics kid swd --images 30 --seed 3 --repeats 2 --truncation-psi 0.7 --batch-size 8 --out record.json"
    assert main([str(run), *flags.split()]) == 0
    record, own = json.loads((here / "record.json").read_text()), json.loads(json.dumps(result.as_json()))
    for each in (record, own):
        del each["date"], each["seconds"]
    assert record.pop("command").startswith("ggdr evaluate ")
    assert record == own


def test_metrics_and_data_may_be_objects_with_settings_of_their_own(run):
    kid = KID(images=25, subset=10, extractor=DigitsExtractor())
    result = evaluate(str(run), Digits(size=16, subset=50), [kid, "swd"], images=30, reals=20, repeats=1)
    numbers = {
        name: (entry["real"]["number"], entry["fake"]["number"]) for name, entry in result.protocol["metrics"].items()
    }
    assert numbers == {"kid": (25, 25), "swd": (20, 20)}
    assert result.protocol["data"]["settings"]["subset"] == 50 and result["kid"].interval is None


def test_images_in_files_are_measured_as_they_are_read(here):
    folder = pictures(here / "digits", size=12)
    result = evaluate(folder, folder, ["swd"], images=20, repeats=3)
    assert result["swd"].mean == 0 and result["swd"].interval is None
    assert result.warnings[-1] == "images in files are measured once; --repeats makes no difference."
    larger = evaluate(ImageFiles(source=str(folder), size=16), Digits(size=16), ["swd"], images=20)
    assert larger["swd"].mean > 0 and larger.protocol["source"]["shape"] == [1, 16, 16]


def test_metrics_that_nobody_named_are_left_out_where_they_cannot_be_measured(here, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(here / "hub"))
    monkeypatch.setenv("HF_HUB_CACHE", str(here / "hf"))
    folder = pictures(here / "digits")
    result = evaluate(folder, folder, images=20)
    assert list(result.values) == ["swd"] and any(w.startswith("fid is left out: ") for w in result.warnings)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"source": "no/where/at/all"}, "there is no 'no/where/at/all' here; give the folder of a run"),
        ({"batch_size": 65}, "batch_size 65 is out of range; give a number from 1 to 64"),
        ({"seed": -1}, "seed -1 is out of range; give a number from 0 to 2147483647"),
        ({"repeats": 0}, "repeats 0 is out of range"),
        ({"steps": 0}, "steps 0 is out of range"),
        ({"metrics": ["fit"]}, "unknown metric 'fit'. Did you mean 'fid'"),
        ({"extractor": "digit"}, "unknown feature extractor 'digit'. Did you mean 'digits'"),
        ({"extractor": "digits"}, "swd cannot read features by 'digits'; leave extractor out"),
        ({"data": "no/where/at/all"}, "no file or folder 'no/where/at/all'"),
        ({"device": "cuda:99"}, "cuda:99 is not possible here"),
        ({"truncation_psi": float("nan")}, "psi is nan; give a number such as 0.7"),
    ],
    ids=str,
)
def test_what_cannot_be_measured_is_refused_in_one_sentence(run, arguments, said):
    with pytest.raises(ValueError) as raised:
        evaluate(**{"source": run, "metrics": ["swd"], **arguments})
    assert said in str(raised.value) and "\n" not in str(raised.value)


def test_progress_is_shown_to_those_who_ask_for_it(here, capsys):
    folder = pictures(here / "digits")
    for _ in range(2):
        evaluate(folder, Digits(size=16), ["kid"], extractor="digits", images=20, progress=True)
    assert "features of 20 real images by digits from the cache" in capsys.readouterr().out


def test_importing_the_library_does_not_import_torch():
    code = "import sys, ggdr; ggdr.evaluate; from ggdr.evaluation import evaluate; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False", done.stderr


def test_convolutions_keep_all_bits_while_it_lasts():
    before = torch.backends.cudnn.allow_tf32
    with pytest.raises(KeyError), without_tf32():
        assert not torch.backends.cudnn.allow_tf32 and torch.backends.cudnn.enabled
        raise KeyError
    assert torch.backends.cudnn.allow_tf32 == before


def test_one_metric_may_be_given_by_its_name_alone(run):
    alone, listed = (evaluate(str(run), metrics=given, images=64, repeats=1) for given in ("swd", ["swd"]))
    assert alone["swd"].mean == listed["swd"].mean


def test_what_is_no_place_is_said_with_what_is(run):
    with pytest.raises(ValueError, match="source is a Pipeline; give where it lies: a folder"):
        evaluate(ggdr.from_pretrained(run), metrics=["swd"])


def test_names_that_are_imported_at_first_use_are_shown():
    assert {"Pipeline", "evaluate", "from_pretrained", "train"} <= set(dir(ggdr))
