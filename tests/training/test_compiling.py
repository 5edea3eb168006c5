"""torch.compile in a run and a pipeline: the same numbers as without, penalties included, and names that stay."""

from dataclasses import replace

import pytest
import tiny
import torch

from ggdr.networks.base import ImageSpec
from ggdr.networks.base import module as network
from ggdr.pipeline import Pipeline
from ggdr.train import train_step

able = pytest.mark.skipif(network.TORCH < network.COMPILES, reason="this torch's compiler is refused")


@pytest.mark.slow
@able
def test_a_compiled_step_is_the_step_as_it_was_written(tmp_path):
    """Whole steps with path length, R1, GGDR and ADA: same draws, same losses, same weights."""
    recipe = replace(tiny.recipe, compile=True)
    runs = {how: tiny.tiny_run(replace(recipe, compile=how), tmp_path / str(how)) for how in (False, True)}
    for run in runs.values():
        tiny.moved(run.networks["generator"])  # noise of strength zero would hide draws that differ
        with torch.no_grad():
            run.adaptive["augment"].state["p"].fill_(0.5)
    seen = {}
    for how, run in runs.items():
        reals = run.reals()
        seen[how] = train_step(run, next(reals))
    for name, value in seen[False].items():
        torch.testing.assert_close(seen[True][name], value, rtol=1e-3, atol=1e-4, msg=name)
    assert runs[True].networks["generator"].state_dict().keys() == runs[False].networks["generator"].state_dict().keys()
    assert runs[True].save().is_dir()


@pytest.mark.slow
@able
def test_a_compiled_pipeline_makes_the_same_images():
    generator = tiny.moved(tiny.STYLEGAN2.build(ImageSpec(16, 16)))
    pipe = Pipeline(generator)
    plain = pipe(seeds=[1, 2], truncation_psi=0.7, output_type="pt").images
    assert pipe.compile() is pipe
    torch.testing.assert_close(
        pipe(seeds=[1, 2], truncation_psi=0.7, output_type="pt").images, plain, rtol=1e-4, atol=1e-4
    )


def test_a_torch_whose_compiler_makes_other_images_is_refused(monkeypatch):
    pipe = Pipeline(tiny.STYLEGAN2.build(ImageSpec(16, 16)))
    monkeypatch.setattr(network, "TORCH", (2, 11))
    with pytest.raises(ValueError, match=r"compiles .* install torch 2.12 or newer, or go without"):
        pipe.compile()
