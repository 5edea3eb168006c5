"""Truncation towards the mean of an image's own class, which keeps it in that class."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from tiny import moved

from ggdr.errors import UserError
from ggdr.latent.codes import codes_of_seeds
from ggdr.latent.modes import label_means
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.pipeline import Pipeline
from ggdr.saving.model import save_model
from ggdr.verbs import edit, generate, mix, video

NAMES = ("cat", "dog", "horse")


@pytest.fixture(scope="module")
def zoo():
    return moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 3, NAMES))).eval()


def test_psi_0_makes_the_mean_image_of_each_images_own_class(zoo):
    labels = torch.eye(3)[[2, 0, 2, 1]]
    codes, means = codes_of_seeds(zoo, range(4), labels), label_means(zoo, labels)
    ends = means.truncate(codes, 0.0).points
    assert torch.equal(ends[0], ends[2]) and not torch.allclose(ends[0], ends[1], atol=1e-2)
    torch.testing.assert_close(means.truncate(codes, 1.0).points, codes.points)
    with torch.no_grad():
        drawn = zoo.styles(torch.randn(4000, 8), labels[3:].expand(4000, -1))[:, 0]
    spread = (drawn - drawn.mean(0)).norm(dim=1).mean()
    assert (ends[3, 0] - drawn.mean(0)).norm() < 0.1 * spread < (ends[3, 0] - ends[0, 0]).norm()
    part = means.truncate(codes, 0.0, cutoff=2).points
    assert torch.equal(part[:, :2], ends[:, :2]) and torch.equal(part[:, 2:], codes.points[:, 2:])


def test_the_pipeline_takes_it_by_name_and_batches_do_not_matter(zoo):
    pipe, how = Pipeline(zoo), {"truncation_psi": 0.4, "truncation_mean": "class", "output_type": "pt"}
    both = pipe(seeds=[1, 2, 3], labels=["cat", "dog", "cat"], **how).images
    alone = pipe(seeds=[2], labels="dog", **how).images
    torch.testing.assert_close(both[1], alone[0], rtol=1e-4, atol=1e-4)
    plain = pipe(seeds=[2], labels="dog", truncation_psi=0.4, output_type="pt").images
    assert not torch.allclose(plain, alone, atol=1e-3)


def test_the_verbs_take_it(zoo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(zoo, tmp_path / "zoo")
    flags = ["zoo", "--truncation-psi", "0", "--truncation-mean", "class", "--labels", "dog", "cat"]
    assert generate.main([*flags, "--seeds", "0-1", "--out", "made"]) == 0
    dog, other, cat = (
        np.asarray(Image.open(f"made/seed000{name}.png")).astype(int) for name in ("0-dog", "1-dog", "0-cat")
    )
    assert np.abs(dog - other).max() <= 1 < np.abs(dog - cat).max()
    assert video.main([*flags, "--seconds", "0.1", "--fps", "10", "--out", "a.gif"]) == 0
    with Image.open("a.gif") as film:
        first = np.asarray(film.convert("RGB").resize((16, 16), Image.Resampling.NEAREST)).astype(int)
    assert np.abs(first - dog).mean() < np.abs(first - cat).mean()


def test_mixing_editing_and_walks_start_from_codes_that_keep_their_class(zoo, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(zoo, tmp_path / "zoo")
    pipe, how = Pipeline(zoo), {"truncation_psi": 0.0, "truncation_mean": "class", "output_type": "pt"}
    cat = pipe(seeds=[5], labels="cat", **how).images[0]
    assert not torch.allclose(cat, pipe(seeds=[5], labels="dog", **how).images[0], atol=1e-2)
    near = {"rtol": 1e-4, "atol": 1e-4}
    for mixed in pipe.mix([1, 2], [3], labels="cat", **how).images:
        torch.testing.assert_close(mixed, cat, **near)
    for moment in pipe.interpolate([1, 2], 2, labels="cat", **how).images:
        torch.testing.assert_close(moment, cat, **near)
    torch.testing.assert_close(pipe.edit(seeds=[1], amounts=[0.0], labels="cat", **how).images[0], cat, **near)

    flags = ["zoo", "--truncation-psi", "0", "--truncation-mean"]
    sheets = {}
    for mean, label in (("class", "cat"), ("class", "dog"), ("all", "cat"), ("all", "dog")):
        words = [*flags, mean, "--labels", label, "--overwrite", "--out"]
        assert mix.main([*words, "mix.png", "--rows", "1", "--columns", "3"]) == 0
        assert edit.main([*words, "edit.png", "--directions", "0", "--columns", "1"]) == 0
        sheets[mean, label] = [np.asarray(Image.open(name)) for name in ("mix.png", "edit.png")]
    for place in range(2):  # at psi 0 there is one image of all classes, or one of each
        assert np.array_equal(sheets["all", "cat"][place], sheets["all", "dog"][place])
        assert not np.array_equal(sheets["class", "cat"][place], sheets["class", "dog"][place])
    with pytest.raises(UserError, match="says all of the image, its truncation too"):
        edit.main([*flags, "class", "--labels", "cat", "--code", "a.safetensors"])


def test_what_has_no_class_means_refuses_them(zoo, tmp_path):
    style = Pipeline(moved(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16))))
    plain = Pipeline(moved(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 3, 3))))
    how = {"seeds": [1], "truncation_psi": 0.5, "truncation_mean": "class"}
    for pipe, asked, why in (
        (style, how, "was trained without labels, so that there is one mean; leave truncation_mean out"),
        (plain, how | {"labels": 1}, "generator 'dcgan' has no style codes whose mean a class could have; leave"),
        (Pipeline(zoo), how | {"labels": 1, "modes": 4}, "the mean of a class or towards modes; leave modes out"),
        (
            Pipeline(zoo),
            how | {"labels": 1, "truncation_psi": None},
            "the mean of a class is what psi pulls towards; give",
        ),
        (
            Pipeline(zoo),
            how | {"labels": 1, "noise": "random"},
            "with the mean of a class the noise .* leave noise out",
        ),
        (
            Pipeline(zoo),
            how | {"labels": 1, "truncation_mean": "dog"},
            "truncation_mean is 'dog'; give 'all' or 'class'",
        ),
    ):
        with pytest.raises(UserError, match=why):
            pipe(**asked)
    save_model(plain.generator, tmp_path / "plain")
    with pytest.raises(UserError, match="'dcgan' has no style codes that could be mixed"):  # before it asks for labels
        mix.main([str(tmp_path / "plain"), "--out", str(tmp_path / "mix.png")])
    save_model(zoo, tmp_path / "zoo")
    flags = [
        str(tmp_path / "zoo"),
        "--labels",
        "cat",
        "dog",
        "--truncation-mean",
        "class",
        "--out",
        str(tmp_path / "a.gif"),
    ]
    for more, why in (
        ([], "is what psi pulls towards; give --truncation-psi too"),
        (["--truncation-psi", "0.5", "--curve", "slerp"], "slerp goes between latent codes, .* leave --curve out"),
    ):
        with pytest.raises(UserError) as told:
            video.main([*flags, *more])
        assert re.search(why, told.value.in_flags())
    assert not Path(tmp_path / "a.gif").exists()
