"""Pipelines: saved and loaded exactly, images that are their seeds' alone, and refusals in one sentence."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import tiny
import torch
from safetensors.torch import load_file, save_file
from tiny import moved

import ggdr
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANDiscriminatorConfig, DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.pipeline import Pipeline
from ggdr.saving.model import save_model

STYLE, PLAIN = ImageSpec(16, 16), ImageSpec(16, 32, 1)
CASES = {
    "stylegan2": (StyleGAN2GeneratorConfig.tiny(), StyleGAN2DiscriminatorConfig.tiny(), ImageSpec(16, 16)),
    "stylegan2, labels": (
        StyleGAN2GeneratorConfig.tiny(),
        StyleGAN2DiscriminatorConfig.tiny(),
        ImageSpec(16, 16, 3, 4),
    ),
    "stylegan2, unet": (
        StyleGAN2GeneratorConfig.tiny(),
        UNetDiscriminatorConfig.tiny(),
        ImageSpec(16, 32, 4),
    ),
    "dcgan, labels": (DCGANGeneratorConfig.tiny(), DCGANDiscriminatorConfig.tiny(), ImageSpec(16, 32, 1, 3)),
    "no discriminator": (StyleGAN2GeneratorConfig.tiny(), None, ImageSpec(16, 16)),
}


def pipe_of(generator, spec, discriminator=None) -> Pipeline:
    judge = None if discriminator is None else moved(discriminator.build(spec))
    return Pipeline(moved(generator.build(spec)), judge)


def style(spec=STYLE) -> Pipeline:
    return pipe_of(StyleGAN2GeneratorConfig.tiny(), spec)


def dcgan(spec=PLAIN) -> Pipeline:
    return pipe_of(DCGANGeneratorConfig.tiny(), spec)


def pixels(pipe, **asked) -> torch.Tensor:
    return pipe(output_type="pt", **asked).images


def same(one, other) -> bool:
    one, other = one.state_dict(), other.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize(("generator", "discriminator", "spec"), CASES.values(), ids=CASES)
def test_what_is_saved_is_loaded_and_makes_the_same_images(tmp_path, generator, discriminator, spec):
    pipe = pipe_of(generator, spec, discriminator)
    pipe.save_pretrained(tmp_path / "model")
    loaded = ggdr.from_pretrained(tmp_path / "model")
    assert isinstance(loaded, Pipeline) and same(loaded.generator, pipe.generator)
    assert loaded.generator.config == generator and loaded.generator.spec == spec
    assert (loaded.discriminator is None) == (discriminator is None)
    assert discriminator is None or same(loaded.discriminator, pipe.discriminator)
    labels = [0, 2] if spec.labels else None
    made = pixels(loaded, seeds=[3, 4], labels=labels)
    assert made.shape == (2, spec.channels, spec.height, spec.width)
    assert torch.equal(made, pixels(pipe, seeds=[3, 4], labels=labels))


def test_the_layout_is_an_index_and_a_folder_for_each_network(tmp_path):
    generator, discriminator, spec = CASES["stylegan2, unet"]
    pipe_of(generator, spec, discriminator).save_pretrained(tmp_path)
    files = {str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file()}
    parts = {
        f"{part}/{file}"
        for part in ("generator", "discriminator")
        for file in ("config.json", "model.py", "model.safetensors")
    }
    assert files == parts | {"model_index.json", "pipeline.py"}
    index = json.loads((tmp_path / "model_index.json").read_text())
    assert index["_class_name"] == ["pipeline", "GANPipeline"] and index["_ggdr_version"] == ggdr.__version__
    assert index["generator"] == ["model", "Generator"] and index["discriminator"] == ["model", "Discriminator"]


def test_a_discriminator_of_an_earlier_save_is_not_loaded(tmp_path):
    generator, discriminator, spec = CASES["stylegan2"]
    pipe = pipe_of(generator, spec, discriminator)
    pipe.save_pretrained(tmp_path)
    Pipeline(pipe.generator).save_pretrained(tmp_path)
    assert (tmp_path / "discriminator").is_dir()
    assert ggdr.from_pretrained(tmp_path).discriminator is None


def test_a_run_a_checkpoint_and_a_model_are_loaded_as_the_running_mean(tmp_path):
    run = tiny.tiny_run(tiny.recipe, tmp_path / "run")
    moved(mean := run.ema.mean["generator"])
    run.save()
    save_model(mean, tmp_path / "alone")
    for place in ("run", "run/checkpoints/00000000", "alone"):
        pipe = ggdr.from_pretrained(str(tmp_path / place))
        assert same(pipe.generator, mean) and not same(pipe.generator, run.networks["generator"])
        assert (pipe.discriminator is None) == (place == "alone")


def test_networks_are_put_in_eval_mode():
    generator, discriminator, spec = CASES["stylegan2"]
    pipe = pipe_of(generator, spec, discriminator)
    assert not pipe.generator.training and not pipe.discriminator.training
    pixels(pipe, seeds=[0])
    assert pipe.generator.measure() == {}


def test_its_components_make_another_pipeline():
    generator, discriminator, spec = CASES["stylegan2"]
    for pipe in (pipe_of(generator, spec, discriminator), pipe_of(generator, spec)):
        again = Pipeline(**pipe.components)
        assert again.components == pipe.components and set(again.components) == {"generator", "discriminator"}
        assert again.generator is pipe.generator and "Pipeline(generator='stylegan2'" in repr(again)


class TestSeeds:
    @pytest.mark.parametrize("make", [style, dcgan])
    def test_an_image_is_its_seeds_whatever_the_batch_or_the_order(self, make):
        pipe, seeds = make(), [7, 0, 2**64 - 1, 123456, 1]
        together = pixels(pipe, seeds=seeds)
        alone = torch.cat([pixels(pipe, seeds=[seed]) for seed in seeds])
        back = pixels(pipe, seeds=seeds[::-1]).flip(0)
        chunks = pixels(pipe, seeds=seeds, chunk_size=2)
        for other in (alone, back, chunks):
            torch.testing.assert_close(together, other, rtol=0, atol=1e-5)
        assert all((one - other).abs().max() > 1e-3 for one, other in zip(together, together[1:], strict=False))

    def test_fresh_noise_is_the_seeds_too(self):
        pipe = style()
        random, again = (pixels(pipe, seeds=seeds, noise="random") for seeds in ([4, 9], [9, 5, 4]))
        torch.testing.assert_close(random, again[[2, 0]], rtol=0, atol=1e-5)
        const, none = (pixels(pipe, seeds=[4, 9], noise=noise) for noise in ("const", "none"))
        for one, other in ((random, const), (random, none), (const, none)):
            assert (one - other).abs().amax(dim=(1, 2, 3)).min() > 1e-3

    @pytest.mark.parametrize("noise", ["const", "random"])
    def test_torchs_random_state_is_left_alone(self, noise):
        pipe = style()
        before = torch.get_rng_state()
        pixels(pipe, seeds=[0, 1], noise=noise)
        assert torch.equal(torch.get_rng_state(), before)

    def test_without_seeds_they_are_drawn_and_handed_over(self):
        pipe = style()
        torch.manual_seed(0)
        made = pipe(3, output_type="pt")
        assert len(set(made.seeds)) == 3 and made.images.shape[0] == 3
        assert torch.equal(made.images, pixels(pipe, seeds=made.seeds))
        other = pipe(3)
        torch.manual_seed(0)
        assert pipe(3).seeds == made.seeds != other.seeds
        assert len(pipe().images) == 1

    def test_any_whole_numbers_will_do(self):
        pipe = style()
        made = pixels(pipe, seeds=[0, 1, 2])
        assert torch.equal(made, pixels(pipe, seeds=range(3))) and torch.equal(made, pixels(pipe, seeds=np.arange(3)))

    @pytest.mark.parametrize(
        ("asked", "hint"),
        [
            ({"seeds": []}, "there is none; give whole numbers from 0"),
            ({"seeds": [-1]}, "-1 is none; give whole numbers from 0"),
            ({"seeds": [2**64]}, "18446744073709551616 is none"),
            ({"seeds": [0.5]}, "0.5 is none"),
            ({"seeds": [1, 2], "batch_size": 3}, "batch_size is 3, and there are 2 seeds; leave batch_size out"),
            ({"batch_size": 0}, "batch_size is 0; give the number of images"),
            ({"batch_size": -2}, "batch_size is -2"),
            ({"chunk_size": 0}, "a pass of 0 images makes none"),
        ],
    )
    def test_what_is_no_seed_is_refused(self, asked, hint):
        with pytest.raises(ValueError, match=hint):
            style()(**asked)


class TestOutput:
    @pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB"), (4, "RGBA")])
    def test_pictures_arrays_and_tensors_agree(self, channels, mode):
        pipe = style(ImageSpec(16, 32, channels))
        pictures, arrays, tensors = (pipe(seeds=[0, 1], output_type=kind).images for kind in ("pil", "np", "pt"))
        assert [(picture.mode, picture.size) for picture in pictures] == [(mode, (32, 16))] * 2
        assert arrays.dtype == np.float32 and arrays.shape == (2, 16, 32, channels)
        assert tensors.shape == (2, channels, 16, 32) and tensors.min() >= 0 and tensors.max() <= 1
        assert np.array_equal(arrays, tensors.permute(0, 2, 3, 1).numpy()) and arrays.std() > 0.01
        shown = np.stack([np.asarray(picture).reshape(16, 32, channels) for picture in pictures])
        assert np.abs(shown / 255 - arrays).max() <= 0.5 / 255 + 1e-6

    def test_other_channels_are_no_picture_but_numbers(self):
        pipe = style(ImageSpec(16, 16, 5))
        assert pixels(pipe, seeds=[0]).shape == (1, 5, 16, 16)
        with pytest.raises(ValueError, match="images of 5 channels are no pictures.*output_type='np'"):
            pipe()

    def test_an_unknown_output_is_refused(self):
        with pytest.raises(ValueError, match="output_type is 'jpeg'; give one of 'pil', 'np', 'pt'"):
            style()(output_type="jpeg")

    def test_a_bar_is_shown_for_many_passes_only(self, capfd):
        style()(4, chunk_size=4)
        assert capfd.readouterr().err == ""
        style()(5, chunk_size=4)
        assert "5/5" in capfd.readouterr().err


class TestTruncation:
    def test_it_pulls_towards_the_mean_image(self):
        pipe = style()
        whole, one, half, mean = (pixels(pipe, seeds=[0, 1], truncation_psi=psi) for psi in (None, 1.0, 0.5, 0.0))
        assert torch.equal(whole, one)
        torch.testing.assert_close(mean[0], mean[1])
        spread = [(image[0] - image[1]).abs().mean() for image in (whole, half, mean)]
        assert spread[0] > spread[1] > spread[2]

    def test_a_cutoff_leaves_the_fine_codes(self):
        pipe = style()
        every, none, some = (pixels(pipe, seeds=[0], truncation_psi=0.2, truncation_cutoff=n) for n in (99, 0, 2))
        assert torch.equal(every, pixels(pipe, seeds=[0], truncation_psi=0.2))
        assert torch.equal(none, pixels(pipe, seeds=[0]))
        assert not torch.equal(some, every) and not torch.equal(some, none)

    @pytest.mark.parametrize(
        ("make", "asked", "hint"),
        [
            (
                dcgan,
                {"truncation_psi": 0.7},
                "generator 'dcgan' has no truncation; leave truncation_psi and truncation_cutoff out",
            ),
            (dcgan, {"truncation_cutoff": 2}, "generator 'dcgan' has no truncation"),
            (dcgan, {"noise": "random"}, "generator 'dcgan' has no noise beside its latent code"),
            (style, {"truncation_cutoff": 2}, "cutoff 2 says how many .* give truncation_psi too"),
            (style, {"truncation_psi": 0.5, "truncation_cutoff": -1}, "cutoff is -1"),
            (style, {"truncation_psi": float("nan")}, "psi is nan"),
            (style, {"noise": "white"}, "noise is 'white'; give 'const', 'random' or 'none'"),
        ],
    )
    def test_what_a_generator_does_not_give_is_refused(self, make, asked, hint):
        with pytest.raises(ValueError, match=hint):
            make()(**asked)

    def test_without_noise_const_and_none_are_the_same(self):
        pipe = dcgan()
        assert torch.equal(pixels(pipe, seeds=[0], noise="const"), pixels(pipe, seeds=[0], noise="none"))


class TestLabels:
    @pytest.mark.parametrize("make", [style, dcgan])
    def test_one_class_a_class_for_each_and_vectors_are_understood(self, make):
        pipe = make(ImageSpec(16, 16, 3, 4))
        given = [
            2,
            [2, 2],
            torch.tensor([2, 2]),
            np.array([2, 2]),
            torch.eye(4)[[2, 2]],
            torch.tensor([[0, 0, 1, 0]] * 2),
        ]
        made = [pixels(pipe, seeds=[0, 1], labels=labels) for labels in given]
        assert all(torch.equal(made[0], other) for other in made[1:])
        assert not torch.allclose(made[0], pixels(pipe, seeds=[0, 1], labels=[2, 1]))

    def test_without_seeds_there_are_as_many_images_as_labels(self):
        pipe = style(ImageSpec(16, 16, 3, 4))
        given = 1, torch.tensor(1), [0, 1, 2], torch.eye(4)
        assert [len(pipe(labels=labels).images) for labels in given] == [1, 1, 3, 4]

    @pytest.mark.parametrize(
        ("width", "labels", "hint"),
        [
            (0, [1, 2], "trained without labels; leave labels out"),
            (4, None, "trained with labels of width 4: give a class from 0 to 3"),
            (4, [0, 4], "there is no class 4; give a class from 0 to 3"),
            (4, -1, "there is no class -1"),
            (4, [0, 1, 2], r"labels of shape \[3, 4\] do not fit; .* for each of 2"),
            (4, torch.eye(3)[:2], r"labels of shape \[2, 3\] do not fit; .* vectors \[2, 4\]"),
            (4, [0.5, 1.0], r"labels of shape \[2\] do not fit"),
            (4, ["cat", "dog"], "this generator has no class .cat.; give a number from 0 to 3"),
            (4, {"cat": 1}, "which are no numbers; give a class"),
        ],
    )
    def test_labels_that_do_not_fit_are_refused(self, width, labels, hint):
        with pytest.raises(ValueError, match=hint):
            style(ImageSpec(16, 16, 3, width))(seeds=[0, 1], labels=labels)


class TestPlace:
    def test_bfloat16_computes_roughly_and_saves_exactly(self, tmp_path):
        pipe = style(ImageSpec(32, 32))
        pipe.save_pretrained(tmp_path)
        rough = ggdr.from_pretrained(tmp_path, torch_dtype=torch.bfloat16)
        assert rough.dtype == torch.bfloat16 and pipe.dtype == torch.float32
        exact, near = (pixels(p, seeds=[0, 1], truncation_psi=0.7) for p in (pipe, rough))
        assert near.dtype == torch.float32 and not torch.equal(exact, near)
        assert (exact - near).abs().mean() < 0.01 < 0.1 < exact.std()
        assert same(rough.generator, pipe.generator)
        assert torch.equal(pixels(rough.to(torch.float32), seeds=[0, 1], truncation_psi=0.7), exact)

    def test_it_moves_and_converts_as_pipelines_do(self):
        pipe = pipe_of(StyleGAN2GeneratorConfig.tiny(), STYLE, StyleGAN2DiscriminatorConfig.tiny())
        assert pipe.device == torch.device("cpu")
        assert pipe.to("cpu", torch.bfloat16) is pipe and pipe.dtype == torch.bfloat16
        assert pipe.to(device="cpu", dtype=torch.float32).dtype == torch.float32
        assert pipe.to(torch.device("meta")).device.type == "meta"
        assert pipe.generator.device.type == pipe.discriminator.device.type == "meta" and pipe.dtype == torch.float32

    @pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
    def test_an_image_is_the_same_on_a_gpu(self):
        pipe = style()
        there = pixels(pipe, seeds=[0, 1])
        torch.testing.assert_close(pixels(pipe.to("cuda"), seeds=[0, 1]).cpu(), there, rtol=0, atol=1e-2)

    def test_other_dtypes_are_refused(self):
        with pytest.raises(
            ValueError, match="torch.float64 is not possible; give one of torch.float32, torch.bfloat16"
        ):
            style().to(torch.float64)


def no_discriminator_folder(folder):
    (folder / "discriminator" / "config.json").unlink()


def no_weights(folder):
    (folder / "generator" / "model.safetensors").unlink()


def a_tensor_less(folder):
    file = folder / "generator" / "model.safetensors"
    state = load_file(file)
    state.pop("mapping.w_avg")
    save_file(state, file)


def no_generator(folder):
    (folder / "generator").rename(folder / "painter")
    (folder / "model_index.json").unlink()


def players_swapped(folder):
    (folder / "generator").rename(folder / "aside")
    (folder / "discriminator").rename(folder / "generator")
    (folder / "aside").rename(folder / "discriminator")


def of_a_newer_version(folder):
    file = folder / "generator" / "config.json"
    config = json.loads(file.read_text())
    file.write_text(json.dumps(config | {"ggdr": "7.0.0", "config": config["config"] | {"wings": 2}}))


BROKEN = {
    no_discriminator_folder: "lacks its discriminator, which model_index.json names; save or download",
    no_weights: "cannot read .*model.safetensors.*save or download the model again",
    a_tensor_less: "model.safetensors does not hold the network .* lacks 'mapping.w_avg'",
    no_generator: "holds 'discriminator', 'painter' and no generator",
    players_swapped: "holds no generator; save or download the model again",
    of_a_newer_version: rf"is of ggdr 7.0.0, this is {ggdr.__version__}: install that one .*no field 'wings'",
    lambda folder: (folder / "model_index.json").write_text("[]"): "holds no JSON object",
}


@pytest.mark.parametrize(("breaking", "hint"), BROKEN.items(), ids=[f.__name__ for f in BROKEN])
def test_what_is_not_whole_is_refused(tmp_path, breaking, hint):
    generator, discriminator, spec = CASES["stylegan2"]
    pipe_of(generator, spec, discriminator).save_pretrained(tmp_path)
    breaking(tmp_path)
    with pytest.raises(ValueError, match=hint):
        ggdr.from_pretrained(tmp_path)


@pytest.mark.parametrize("name", ["nowhere", "./nowhere/at/all", "/nowhere", "~/x", "a b/c", ""])
def test_what_is_neither_a_folder_nor_a_repository_is_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match="no folder .* here; give the folder of a run.*'org/name'|holds no model"):
        ggdr.from_pretrained(name)


def test_a_folder_has_no_revision(tmp_path):
    style().save_pretrained(tmp_path)
    with pytest.raises(ValueError, match="is a folder here, which has no revision 'main'; leave it out"):
        ggdr.from_pretrained(tmp_path, revision="main")


def test_importing_ggdr_imports_nothing_heavy():
    code = "import sys, ggdr; ggdr.from_pretrained; sys.exit('torch' in sys.modules or 'diffusers' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
