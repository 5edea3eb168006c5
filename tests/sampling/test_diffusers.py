"""Models that diffusers loads by its own call, and what is imported where nobody asks for diffusers."""

from __future__ import annotations

import subprocess
import sys

import diffusers
import pytest
import tiny
import torch
from diffusers import DiffusionPipeline

import ggdr
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig
from ggdr.pipeline.diffusion import GANPipeline

SPEC = ImageSpec(16, 16)
OLD = tuple(map(int, diffusers.__version__.split(".")[:2])) < (0, 38)
HEAVY = ("accelerate", "datasets", "diffusers", "pandas", "pyarrow", "sklearn", "torchvision", "transformers", "timm")
"""packages that making images needs not"""


def saved(folder, judged: bool = True) -> ggdr.Pipeline:
    judge = StyleGAN2DiscriminatorConfig.tiny().build(SPEC) if judged else None
    pipe = ggdr.Pipeline(tiny.moved(tiny.STYLEGAN2.build(SPEC)), judge)
    pipe.save_pretrained(folder)
    return pipe


def pixels(pipe) -> torch.Tensor:
    return pipe(seeds=[3, 4], output_type="pt").images


@pytest.mark.parametrize("judged", [True, False])
def test_diffusers_own_call_loads_a_saved_folder_and_makes_the_same_images(tmp_path, judged):
    pipe = saved(tmp_path, judged)
    loaded = DiffusionPipeline.from_pretrained(tmp_path, trust_remote_code=True)
    assert isinstance(loaded, GANPipeline) and loaded.dtype == torch.float32
    assert (loaded.discriminator is not None) == judged and not loaded.generator.training
    assert torch.equal(pixels(loaded), pixels(pipe))


def test_the_dtype_that_diffusers_is_given_is_computed_in_and_weights_stay_float32(tmp_path):
    pipe = saved(tmp_path)
    loaded = DiffusionPipeline.from_pretrained(tmp_path, trust_remote_code=True, torch_dtype=torch.bfloat16)
    assert loaded.dtype == torch.bfloat16 and loaded.generator.dtype == torch.float32
    assert torch.equal(pixels(loaded), pixels(pipe.to(torch.bfloat16)))


@pytest.mark.skipif(OLD, reason="older ones run the code of a folder here unasked")
def test_without_trust_diffusers_runs_no_code_of_a_folder(tmp_path):
    saved(tmp_path)
    with pytest.raises(ValueError, match="trust_remote_code=True"):
        DiffusionPipeline.from_pretrained(tmp_path)


def test_a_pipeline_of_diffusers_is_saved_moved_and_quiet_as_the_plain_one(tmp_path, capfd):
    pipe = saved(tmp_path / "plain")
    one = ggdr.GANPipeline.from_pretrained(tmp_path / "plain")
    assert isinstance(one, DiffusionPipeline) and not isinstance(
        ggdr.from_pretrained(tmp_path / "plain"), DiffusionPipeline
    )
    one.save_pretrained(tmp_path / "again")
    assert torch.equal(pixels(ggdr.from_pretrained(tmp_path / "again")), pixels(pipe))
    one.set_progress_bar_config(desc="pictures", leave=False)
    one(3, chunk_size=2)
    assert "pictures" in capfd.readouterr().err
    for each in (ggdr.from_pretrained(tmp_path / "again"), ggdr.GANPipeline.from_pretrained(tmp_path / "again")):
        each(3, chunk_size=2)
        assert "3/3" in capfd.readouterr().err
        each.set_progress_bar_config(disable=True)
        each(3, chunk_size=2)
        assert capfd.readouterr().err == ""
    assert GANPipeline(**one.components).to("meta").discriminator.device.type == "meta"


def test_a_network_that_is_saved_again_is_still_loaded_by_diffusers(tmp_path):
    saved(tmp_path).generator.save_pretrained(tmp_path / "generator")
    assert DiffusionPipeline.from_pretrained(tmp_path, trust_remote_code=True).generator.spec == SPEC


def test_programs_of_other_people_are_not_replaced(tmp_path):
    (tmp_path / "pipeline.py").write_text("print('mine')")
    with pytest.raises(ggdr.errors.UserError, match="pipeline.py is a program of yours, which would be replaced"):
        saved(tmp_path)
    (tmp_path / "pipeline.py").unlink()
    (tmp_path / "generator").mkdir()
    (tmp_path / "generator/model.py").write_text("print('mine')")
    with pytest.raises(ggdr.errors.UserError, match="model.py, which is no part of a saved network"):
        saved(tmp_path)
    assert (tmp_path / "generator/model.py").read_text() == "print('mine')"


def imported(*command: str) -> set[str]:
    """The packages that a command of python imports."""
    done = subprocess.run([sys.executable, "-X", "importtime", *command], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in done.stderr.splitlines() if "|" in line}


def test_loading_a_model_and_making_images_imports_what_that_needs(tmp_path):
    saved(tmp_path / "model")
    code = f"import ggdr; ggdr.from_pretrained({str(tmp_path / 'model')!r})(seeds=[0])"
    found = imported("-c", code)
    assert "torch" in found and not found & set(HEAVY)


def test_the_command_that_makes_images_imports_what_that_needs(tmp_path):
    saved(tmp_path / "model")
    command = ["generate", str(tmp_path / "model"), "--seeds", "0-3", "--out", str(tmp_path / "grid.png")]
    found = imported("-m", "ggdr", *command)
    assert (tmp_path / "grid.png").exists() and not found & set(HEAVY)
    assert "torch" not in imported("-c", "import ggdr")
