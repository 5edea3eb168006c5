"""`ggdr encode`: codes and classes of the images that a run's data hold out, or of pictures, as files and as a map."""

from __future__ import annotations

import coded
import numpy as np
import pytest
import tiny
import torch
from PIL import Image

import ggdr
from ggdr.errors import UserError
from ggdr.hub.repository import CardWords, assemble
from ggdr.train import train
from ggdr.training.trainer import what_next
from ggdr.verbs.encode import main
from ggdr.verbs.generate import main as generate


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoded")
    for name in ("autoencoder", "semi_supervised"):
        train(coded.recipe(name), folder / name)
    return folder


def test_codes_and_classes_of_all_that_is_held_out_are_written_and_the_error_said(runs, tmp_path, capsys):
    out = tmp_path / "codes.npz"
    assert main([str(runs / "semi_supervised"), "--out", str(out), "--map", str(tmp_path / "map.png")]) == 0
    found = np.load(out)
    assert found["codes"].shape == (32, 3) and found["probabilities"].shape == (32, 10)
    assert found["probabilities"].sum(1) == pytest.approx(np.ones(32), abs=1e-5)
    told = found["class_names"][found["probabilities"].argmax(1)]
    assert (told == found["class"]).all() and set(found["label"]) <= set("0123456789")
    wrong = (found["class"] != found["label"]).mean()
    assert (
        f"codes of 32 images by {runs / 'semi_supervised'}, {wrong:.1%} of their classes told wrong"
        in capsys.readouterr().out
    )
    assert Image.open(tmp_path / "map.png").width > 400


def test_pictures_of_any_size_have_the_codes_that_the_encoder_finds(runs, tmp_path):
    picture, out = tmp_path / "digit.png", tmp_path / "codes.parquet"
    shades = np.tile(np.arange(32, dtype=np.uint8)[:, None] * 8, (1, 32))
    Image.fromarray(shades).save(picture)
    assert main([str(runs / "autoencoder"), str(picture), "--out", str(out)]) == 0
    import pyarrow.parquet

    row = pyarrow.parquet.read_table(out).to_pylist()
    assert len(row) == 1 and row[0]["image"] == str(picture) and {*row[0]} == {"image", "code"}
    from ggdr.pipeline.pictures import inputs_of
    from ggdr.pipeline.styles import fitted
    from ggdr.saving.model import find_saved

    encoder = find_saved(runs / "autoencoder")["encoder"].load()
    with torch.no_grad():
        wanted = encoder(fitted(inputs_of(picture, encoder.spec)[0], encoder.spec)[None]).mean[0]
    assert row[0]["code"] == pytest.approx(wanted.tolist(), abs=1e-5)


def test_a_map_of_codes_in_the_plane_has_the_decoder_beside(runs, tmp_path):
    both = tmp_path / "map.png"
    assert main([str(runs / "autoencoder"), "--out", str(tmp_path / "c.npz"), "--map", str(both)]) == 0
    assert Image.open(both).width > 1000
    assert set(np.load(tmp_path / "c.npz")["label"]) <= set("0123456789")


def test_its_decoder_generates(runs, tmp_path):
    out = tmp_path / "made.png"
    assert generate([str(runs / "autoencoder"), "--seeds", "0-3", "--labels", "7", "--out", str(out)]) == 0
    assert out.is_file()


def test_a_shared_model_takes_its_encoder_along(runs, tmp_path):
    assemble(runs / "semi_supervised", tmp_path / "shared", "org/aae", CardWords())
    assert {path.parent.name for path in (tmp_path / "shared").glob("*/config.json")} == {"generator", "encoder"}
    scan = tmp_path / "digit.png"
    Image.fromarray(np.zeros((16, 16), np.uint8)).save(scan)
    assert main([str(tmp_path / "shared"), str(scan), "--out", str(tmp_path / "codes.npz")]) == 0
    assert np.load(tmp_path / "codes.npz")["class"].shape == (1,)
    assert isinstance(ggdr.from_pretrained(tmp_path / "shared"), ggdr.Pipeline)


def test_a_run_that_is_done_says_how_to_encode(runs, tmp_path):
    run = tiny.tiny_run(coded.recipe("bidirectional"), tmp_path)
    lines = "\n".join(what_next(run))
    assert f"ggdr generate {tmp_path} --labels all" in lines and f"ggdr encode {tmp_path}\n" in lines
    assert "translate" not in lines


def test_what_cannot_be_is_said_in_one_sentence(runs, tmp_path):
    run = str(runs / "autoencoder")
    with pytest.raises(UserError, match=r"neither a \.npz nor a \.parquet"):
        main([run, "--out", str(tmp_path / "codes.csv")])
    with pytest.raises(UserError, match=r"is no \.png"):
        main([run, "--out", str(tmp_path / "codes.npz"), "--map", "map.jpg"])
    (tmp_path / "codes.npz").write_bytes(b"mine")
    with pytest.raises(UserError, match="overwrite"):
        main([run, "--out", str(tmp_path / "codes.npz")])
    plain = coded.recipe("informed")
    train(plain, tmp_path / "plain")
    with pytest.raises(UserError, match=r"holds .* and no encoder: give a model of one of the games that train one"):
        main([str(tmp_path / "plain"), "--out", str(tmp_path / "other.npz")])
