"""What this package promises: its parts are found, agree with their definitions, and train without an image."""

from __future__ import annotations

import importlib.metadata
from dataclasses import replace
from pathlib import Path

import ggdr
import numpy as np
import pytest
import torch
from ggdr.errors import UserError
from ggdr.features.cache import FeatureCache
from ggdr.metrics.data import EvalData, Rows
from ggdr.networks.base import GeneratorOutput
from ggdr.networks.mlp import MLPDiscriminatorConfig, MLPEncoderConfig, MLPGeneratorConfig
from ggdr.recipe.files import load_recipe
from ggdr.registry import datasets, discover, metrics, regularizers

import ggdr_molecules
from ggdr_molecules.bit_cross_entropy import BitCrossEntropy
from ggdr_molecules.fingerprint_sets import FingerprintSets
from ggdr_molecules.fingerprints import Fingerprints
from ggdr_molecules.maccs import (
    BITS,
    consistent,
    diversity,
    independent,
    library,
    maccs_bits,
    nearest,
    rules,
    tanimoto,
)
from ggdr_molecules.nearest import main as look_up

RECIPE = Path(__file__).parent.parent / "recipe.py"
SMILES = ["CCO", "OCC", "c1ccccc1 benzene", "CC(=O)Oc1ccccc1C(=O)O", "no molecule", "", "CCN", "OCC(O)C(O)C(O)CO"]
"""ethanol twice, benzene, aspirin, a line that is none, ethylamine, xylitol"""


@pytest.fixture
def file(tmp_path) -> str:
    (tmp_path / "mine.smi").write_text("\n".join(SMILES))
    return str(tmp_path / "mine.smi")


def test_ggdr_finds_its_parts():
    (entry,) = [each for each in importlib.metadata.entry_points(group="ggdr") if each.dist.name == "ggdr-molecules"]
    assert entry.load() is ggdr_molecules
    discover()
    assert "fingerprints" in datasets and "bit_cross_entropy" in regularizers and "fingerprint_sets" in metrics


def test_keys_are_those_of_the_definition():
    smiles, bits = maccs_bits("OCC")
    assert smiles == "CCO" and bits.shape == (BITS,)
    on = {key + 1 for key in np.flatnonzero(bits)}
    assert {164, 139, 160} <= on, "oxygen, hydroxyl, methyl"
    assert not {161, 162, 163} & on, "no nitrogen, no aromatic atom, no ring of six"
    assert maccs_bits("no molecule") is None and maccs_bits("") is None


def test_molecules_of_a_file_are_read_once_for_each_fingerprint(file):
    found = library(Fingerprints(source=file, hold_out=0))
    assert found.smiles == ["CCO", "c1ccccc1", "CC(=O)Oc1ccccc1C(=O)O", "CCN", "OCC(O)C(O)C(O)CO"]
    assert (found.unreadable, found.repeated) == (1, 1)
    images = Fingerprints(source=file, hold_out=0).open()
    assert len(images.notes) == 2 and "1 molecules are left out" in images.notes[0]
    batch = images.at(list(range(5)), 0)
    assert batch.images.shape == (5, BITS, 1, 1) and batch.labels is None
    assert batch.images.dtype == torch.float32 and set(batch.images.unique().tolist()) == {-1.0, 1.0}
    before = images.content().revision
    Path(file).write_text("CCO\nCCN")
    assert Fingerprints(source=file, hold_out=0).open().content().revision != before


def test_what_is_held_out_is_nowhere_in_what_is_learnt_from(file):
    data = Fingerprints(source=file, hold_out=2)
    train, test = library(data), library(data.held_out())
    assert (len(train.bits), len(test.bits)) == (3, 2) and not {*train.smiles} & {*test.smiles}
    assert tanimoto(train.bits, test.bits).max() < 1 and data.held_out().held_out() is None
    assert Fingerprints(source=file, hold_out=0).held_out() is None


def test_what_cannot_be_read_is_refused_in_one_sentence(file, tmp_path):
    with pytest.raises(UserError, match="file of SMILES, or from 'nci', and 'gone.smi' is none"):
        Fingerprints(source="gone.smi").open()
    with pytest.raises(UserError, match="has 5 different fingerprints, of which 4 cannot be held out: .* from 0 to 3"):
        Fingerprints(source=file, hold_out=4).open()
    with pytest.raises(UserError, match="nothing is held out"):
        Fingerprints(source=file, hold_out=0, split="test").open()
    (tmp_path / "none.smi").write_text("nothing here")
    with pytest.raises(UserError, match="no line of .* begins with the SMILES of a molecule"):
        Fingerprints(source=str(tmp_path / "none.smi")).open()
    (tmp_path / "binary.smi").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="no readable file of SMILES"):
        Fingerprints(source=str(tmp_path / "binary.smi")).open()


def test_the_built_in_molecules_are_there_and_obey_the_rules():
    whole = library(Fingerprints(hold_out=0))
    assert len(whole.bits) > 4000 and consistent(whole.bits).all()
    assert len(rules()) >= 9 and (139, 145) in rules(), "more than three oxygens, so more than two"
    broken = whole.bits[:1].copy()
    broken[0, [139, 145]] = 1, 0
    assert not consistent(broken)[0]


def test_similarity_is_what_both_have_over_what_either_has():
    a = np.array([[1, 1, 0, 0], [0, 0, 0, 0]], np.uint8)
    b = np.array([[1, 0, 1, 0], [1, 1, 0, 0], [0, 0, 0, 0]], np.uint8)
    assert tanimoto(a, b) == pytest.approx(np.array([[1 / 3, 1, 0], [0, 0, 1]]))
    places, similarity = nearest(a, b)
    assert places.tolist() == [1, 2] and similarity.tolist() == [1, 1]
    assert diversity(b[:2]) == pytest.approx(1 - 1 / 3) and diversity(np.repeat(b[:1], 4, 0)) == pytest.approx(0)
    drawn = independent(np.array([[1, 0, 1], [1, 0, 0]], np.uint8), 2000, 0)
    assert drawn.mean(0) == pytest.approx([1, 0, 0.5], abs=0.05)


def test_cross_entropy_is_that_of_torch():
    class Duel:
        reals = torch.tensor([[1.0, -1.0, 1.0]])[:, :, None, None]
        fake = GeneratorOutput(torch.tensor([[0.9, 0.2, -0.6]])[:, :, None, None])

    wanted = torch.nn.functional.binary_cross_entropy((1 + Duel.fake.image) / 2, (1 + Duel.reals) / 2)
    assert float(BitCrossEntropy().e_loss(Duel())) == pytest.approx(float(wanted))
    Duel.fake = GeneratorOutput(-Duel.reals)
    assert float(BitCrossEntropy().e_loss(Duel())) == pytest.approx(-np.log(1e-6), rel=1e-3), "finite where it is sure"
    recipe = load_recipe(RECIPE)
    with pytest.raises(UserError, match="have no bounds: set --generator.bounded"):
        BitCrossEntropy().check_recipe(replace(recipe, generator=replace(recipe.generator, bounded=False)))


def eval_data(made: np.ndarray, train: np.ndarray, test: np.ndarray) -> EvalData:
    """Fingerprints as an evaluation has them."""
    vectors = [torch.from_numpy(bits.astype(np.float32) * 2 - 1)[:, :, None, None] for bits in (made, train, test)]
    cache = FeatureCache(lambda places: vectors[0][list(places)], count=len(made))
    return EvalData(cache, cache, both_parts=lambda: (Rows(vectors[1], None), Rows(vectors[2], None)))


def test_the_metric_tells_molecules_from_bits_and_copies_from_news():
    train, test = library(Fingerprints()).bits[:400], library(Fingerprints(split="test")).bits
    metric = FingerprintSets(images=200)
    copies = metric.measure(eval_data(np.repeat(train[:100], 2, 0), train, test))
    assert (copies["unique"], copies["novel"], copies["consistent"]) == (0.5, 0, 1)
    others = metric.measure(eval_data(test[:200], train, test))
    assert (others["similarity"], others["unique"], others["novel"]) == (1, 1, 1)
    assert others["similarity_independent"] < others["similarity_data"] < 1
    bits = metric.measure(eval_data(independent(train, 200, 1), train, test))
    assert bits["similarity"] == pytest.approx(bits["similarity_independent"], abs=0.03)
    assert bits["consistent"] < 0.5 and bits["diversity"] == pytest.approx(bits["diversity_independent"], abs=0.03)
    assert set(FingerprintSets.baselines) <= bits.keys()


def test_the_metric_refuses_what_is_no_fingerprint_or_has_nothing_held_out():
    bits = library(Fingerprints()).bits[:8]
    known = eval_data(bits, bits, bits)
    FingerprintSets().prepare(known)
    for data in (known._replace(both_parts=None), eval_data(bits[:, :5], bits, bits)):
        with pytest.raises(UserError, match="compares fingerprints with some that are held out"):
            FingerprintSets().prepare(data)


def small(total_kimg: float):
    """The recipe, tiny and short."""
    recipe = load_recipe(RECIPE)
    return replace(
        recipe,
        generator=replace(MLPGeneratorConfig.tiny(), bounded=True),
        discriminator=MLPDiscriminatorConfig.tiny(),
        game=replace(recipe.game, encoder=MLPEncoderConfig.tiny()),
        metrics={"fingerprint_sets": FingerprintSets(images=64)},
        batch_size=32,
        total_kimg=total_kimg,
        log_kimg=0.032,
        checkpoint_kimg=0.064,
        metric_kimg=0.128,
    )


def test_the_recipe_trains_goes_on_and_its_model_is_read_again(tmp_path):
    trained = ggdr.train(small(0.128), out=tmp_path / "run")
    assert trained.done and 0 < trained.metrics()["fingerprint_sets/fakes/similarity"] < 1
    ggdr.train(small(0.064), out=tmp_path / "half")
    ggdr.train(small(0.128), out=tmp_path / "half")
    whole, half = (
        ggdr.Pipeline.from_pretrained(tmp_path / name)(seeds=[0, 1], output_type="pt").images
        for name in ("run", "half")
    )
    assert whole.shape == (2, BITS, 1, 1) and torch.equal(whole, half)


def test_the_nearest_molecule_is_looked_up(file, tmp_path, capsys):
    bits = library(Fingerprints(source=file, hold_out=0)).bits
    np.savez(tmp_path / "made.npz", vectors=bits.astype(np.float32) - 0.5)
    assert look_up([str(tmp_path / "made.npz"), "--source", file]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1.00  CCO" and lines[3] == "1.00  CCN" and len(lines) == 5
    np.savez(tmp_path / "short.npz", vectors=np.zeros((2, 3)))
    for name, message in (
        ("short.npz", r"are \[2, 3\], and fingerprints are \[N, 166\]"),
        ("gone.npz", "no array vectors"),
    ):
        assert look_up([str(tmp_path / name), "--source", file]) == 2
        import re

        assert re.search(message, capsys.readouterr().err)
