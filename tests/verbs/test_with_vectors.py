"""A model of vectors: what each verb makes of it, and what it refuses in one sentence."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from PIL import Image

import ggdr
from ggdr.data.vectors import Vectors
from ggdr.errors import UserError
from ggdr.evaluation.evaluator import rows_of
from ggdr.features.vectors import Vectors as VectorFeatures
from ggdr.games.autoencoder import AutoencoderGame
from ggdr.latent.codes import Codes, draw_codes, save_codes
from ggdr.latent.encoding import encode_data
from ggdr.losses.non_saturating import NonSaturating
from ggdr.metrics.fid import FID
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPEncoderConfig, MLPGeneratorConfig
from ggdr.recipe import Recipe
from ggdr.regularizers.image_reconstruction import ImageReconstruction
from ggdr.sampling import draw
from ggdr.saving.model import find_saved, save_model
from ggdr.train import train
from ggdr.verbs.datacheck import main as data
from ggdr.verbs.encode import main as encode
from ggdr.verbs.generate import main as generate

RECIPE = Recipe(
    data=Vectors(unseen=("4", "7")),
    generator=MLPGeneratorConfig(z_dim=4, channels=8, bounded=True),
    discriminator=MLPDiscriminatorConfig.tiny(),
    game=AutoencoderGame(encoder=MLPEncoderConfig.tiny()),
    loss=NonSaturating(),
    regularizers={"image_reconstruction": ImageReconstruction()},
    batch_size=32,
    total_kimg=0.064,
    log_kimg=0.032,
    metric_kimg=0.0,
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("vectors") / "run"
    train(RECIPE, folder)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_generate_writes_the_numbers_with_their_seeds_and_classes(run, here, capsys):
    assert generate([str(run), "--seeds", "3-5", "--labels", "0", "9", "--out", "made.npz"]) == 0
    assert "made.npz: 6 vectors by" in capsys.readouterr().out and [file.name for file in here.iterdir()] == [
        "made.npz"
    ]
    found = np.load("made.npz")
    generator = find_saved(run)["generator"].load()
    labels = torch.eye(10)[[0] * 3 + [9] * 3]
    wanted = torch.cat([*draw(generator, [3, 4, 5] * 2, labels)]).flatten(1)
    assert found["vectors"] == pytest.approx(wanted.numpy(), abs=1e-5) and found["vectors"].dtype == np.float32
    assert found["seeds"].tolist() == [3, 4, 5] * 2 and found["classes"].tolist() == ["0"] * 3 + ["9"] * 3
    assert generate([str(run), "--seeds", "0", "--labels", "all", "--out", "all.npz"]) == 0
    assert np.load("all.npz")["classes"].tolist() == [*"0123456789"]
    with pytest.raises(UserError, match="made.npz is there already"):
        generate([str(run), "--labels", "0", "--out", "made.npz"])


def test_what_was_generated_is_data(run, here):
    assert generate([str(run), "--seeds", "0-7", "--labels", "0", "9", "--out", "made.npz"]) == 0
    images = Vectors(source="made.npz", scale="none").open()
    assert len(images) == 16 and images.spec.label_names == ("0", "9") and images.spec.channels == 64


def test_codes_become_vectors_too(run, here):
    generator = find_saved(run)["generator"].load()
    codes = Codes(torch.randn(3, 4), torch.eye(10)[:3])
    save_codes(codes, generator, here / "codes.safetensors")
    assert generate([str(run), "--code", "codes.safetensors", "--out", "made.npz"]) == 0
    found = np.load("made.npz")
    wanted = torch.cat([*draw_codes(generator, codes)]).flatten(1)
    assert found["vectors"] == pytest.approx(wanted.numpy(), abs=1e-5) and {*found} == {"vectors"}


def test_labels_that_are_no_classes_are_written_as_numbers(here):
    spec = ImageSpec(1, 1, 7, 2, ("size", "age"), ((0.0, 1.0), (0.0, 9.0)), continuous=True)
    save_model(MLPGeneratorConfig.tiny().build(spec).eval(), here / "ranges")
    assert generate(["ranges", "--labels", "0.5,3", "--seeds", "0-1", "--out", "made.npz"]) == 0
    assert np.load("made.npz")["labels"].tolist() == [[0.5, 3.0]] * 2


def test_vectors_are_no_pictures_and_pictures_no_vectors(run, here):
    with pytest.raises(UserError, match="makes vectors of 64 numbers, which are no pictures: give --out NAME.npz"):
        generate([str(run), "--labels", "0", "--out", "folder"])
    assert generate([str(run), "--labels", "0", "--out", "grid.png"]) == 0
    assert Image.open("grid.png").mode == "L"
    save_model(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16)), here / "pictures")
    with pytest.raises(UserError, match="made.npz is a file of vectors, and this model makes images"):
        generate(["pictures", "--out", "made.npz"])
    assert not (here / "made.npz").exists() and not (here / "folder").exists()


def test_vectors_in_files_have_the_codes_that_the_encoder_finds(run, here, capsys):
    rows = np.random.default_rng(0).uniform(-1, 1, (5, 64)).astype(np.float32)
    np.savez("mine.npz", vectors=rows)
    assert encode([str(run), "mine.npz"]) == 0
    assert "codes.npz: codes of 5 vectors by" in capsys.readouterr().out
    found = np.load("codes.npz")
    encoder = find_saved(run)["encoder"].load()
    with torch.no_grad():
        wanted = encoder(torch.from_numpy(rows)[:, :, None, None]).mean
    assert found["codes"] == pytest.approx(wanted.numpy(), abs=1e-5)
    assert found["image"].tolist() == [f"mine.npz:{place}" for place in range(5)]


def test_the_held_out_vectors_are_encoded_where_none_are_named(run, here, capsys):
    assert encode([str(run)]) == 0
    assert "codes of 360 vectors by" in capsys.readouterr().out
    assert set(np.load("codes.npz")["label"].tolist()) == {"4", "7"}


def test_what_an_encoder_of_vectors_cannot_read_is_refused_in_one_sentence(run, here):
    Image.new("L", (8, 8)).save("scan.png")
    with pytest.raises(UserError, match="reads vectors, and scan.png is none of such: give .npz files of vectors"):
        encode([str(run), "scan.png"])
    np.savez("short.npz", vectors=np.zeros((2, 3)))
    with pytest.raises(UserError, match="reads vectors of 64 numbers, and those of short.npz have 3"):
        encode([str(run), "short.npz"])
    np.savez("other.npz", vectors=np.zeros((2, 3)) + [[0], [1]])
    with pytest.raises(UserError, match="reads vectors of 64 numbers, and these have 3"):
        encode_data(find_saved(run)["encoder"].load(), Vectors(source="other.npz", labels="none").open())
    assert not (here / "codes.npz").exists()


def test_fewer_vectors_than_numbers_are_warned_of(run):
    few, enough = (
        ggdr.evaluate(
            str(run), metrics=[FID(extractor=VectorFeatures(), images=count)], repeats=1, cache=False
        ).warnings
        for count in (64, 65)
    )
    assert any("fid: 64 images are too few to fit the covariance of 64 features of vectors" in each for each in few)
    assert not any("too few to fit" in each for each in enough)


def test_a_data_set_without_labels_has_parts_without_labels():
    rows = rows_of(dataclasses.replace(RECIPE.data, labels="none").open())
    assert rows.labels is None and rows.images.shape[1:] == (64, 1, 1)


def test_data_check_tells_vectors_from_images_by_the_names_of_arrays(here, capsys):
    rows = np.array([[0, 1, 5], [1, 1, 5], [0, 1, 5], [1, 0, 5]], np.float32)
    np.savez("rows.npz", vectors=rows, classes=np.array(["ant", "bee", "ant", "ant"]))
    assert data(["check", "rows.npz"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "vectors rows.npz",
        "  vectors     4, 1 identical to another one",
        "              3 numbers each, which networks see from -1 to 1, mean -0.1667, standard deviation of each"
        " 0.622 on average",
        "              1 of the 3 numbers never vary",
        "              they are bits: 41.7 % are set",
        "              labels 2 wide; ant: 3, bee: 1",
        "  flags       --data vectors --data.source rows.npz",
    ]
    np.savez("pictures.npz", images=np.zeros((4, 8, 8, 3), np.uint8))
    assert data(["check", "pictures.npz"]) == 0
    assert "--data images" in capsys.readouterr().out


def test_data_check_tells_vectors_of_a_table_without_classes(here, capsys):
    import pyarrow as pa
    import pyarrow.parquet

    table = pa.table({"vector": [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]})
    pyarrow.parquet.write_table(table, "rows.parquet")
    assert data(["check", "rows.parquet"]) == 0
    out = capsys.readouterr().out
    assert (
        "2 numbers each, which networks see from -1 to 1" in out
        and "they are bits: 66.7 % are set" in out
        and "no labels" in out
    )
    assert out.rstrip().endswith("--data vectors --data.source rows.parquet --data.labels none")


def test_data_check_says_of_vectors_that_are_all_alike_that_they_teach_nothing(here, capsys):
    np.savez("rows.npz", vectors=np.ones((3, 2)))
    assert data(["check", "rows.npz"]) == 0
    out = capsys.readouterr().out
    assert "3, 2 identical to another one" in out and "2 of the 2 numbers never vary" in out and "bits" not in out
    assert "all vectors are alike, and there is nothing to learn from them" in out


def test_data_check_opens_any_data_set_by_its_name(capsys):
    assert data(["check", "--data", "vectors", "--unseen", "4", "7"]) == 0
    out = capsys.readouterr().out
    assert "vectors     1,437" in out and "held out    360 for tests" in out and "2 of 10 classes are held out" in out
    assert data(["check", "--data", "digits", "--data.size", "16", "--data.labels"]) == 0
    out = capsys.readouterr().out
    assert "images      1,797" in out and "16x16, 1 channel" in out and "labels 10 wide; 3: 183" in out
    assert out.rstrip().endswith("--data digits --data.size 16 --data.labels")
    assert data(["check", "--data", "semi_supervised"]) == 0
    out = capsys.readouterr().out
    assert "labelled    100" in out and "unlabelled  1,797" in out
    with pytest.raises(UserError, match="vectors are read from a .npz or .parquet file"):
        data(["check", "nowhere.npz", "--data", "vectors"])
