"""From the command to the first step nothing is imported that takes seconds and is not needed there."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest
import tiny
import torch
from places import ROOT, TINY
from torch import nn

from ggdr.ops.shapes import shapes_only
from ggdr.training.eager import step_eagerly, without_compiler

HEAVY = ["datasets", "matplotlib", "pandas", "scipy", "sklearn", "sympy", "torch._dynamo", "torch._inductor"]
PROGRAM = f"""
import json, sys
import ggdr.train

module, step = sys.modules["ggdr.train"], ggdr.train.train_step

def watched(run, batches):
    step(run, batches)
    print(json.dumps([name for name in {HEAVY} if name in sys.modules]))
    raise SystemExit

module.train_step = watched
module.main(sys.argv[1:])
"""
"""`ggdr train` up to its first step, which then says which of them are imported"""


def test_the_first_step_comes_without_compiler_plots_or_tables(tmp_path):
    command = [sys.executable, "-c", PROGRAM, TINY, "--out", str(tmp_path / "run")]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []
    assert not (tmp_path / "run/losses.png").exists()  # there is nothing to plot yet


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.SGD, torch.optim.RMSprop, torch.optim.AdamW])
def test_a_step_without_torchs_wrappers_is_the_same_step(kind):
    results = []
    for step in (kind.step, step_eagerly):
        torch.manual_seed(0)
        weight = nn.Parameter(torch.randn(3, 4))
        without_compiler()
        optimizer = kind([weight], lr=0.1, momentum=0.9) if kind is torch.optim.SGD else kind([weight], lr=0.1)
        for _ in range(3):
            weight.grad = torch.randn(3, 4)
            step(optimizer)
        assert weight.requires_grad and not weight.is_inference()
        results.append([weight.detach(), *optimizer.state[weight].values()])
    assert all(torch.equal(torch.as_tensor(one), torch.as_tensor(other)) for one, other in zip(*results, strict=True))


def test_optimizers_of_ones_own_and_hooks_are_called_as_torch_calls_them():
    def counted(step):
        @functools.wraps(step)
        def wrapper(self, closure=None):
            self.called = True
            return step(self, closure)

        return wrapper

    class Own(torch.optim.SGD):
        step = counted(torch.optim.SGD.step)

    weight = nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    own, hooked, told = Own([weight], lr=0.5), torch.optim.SGD([weight], lr=0.5), []
    hooked.register_step_post_hook(lambda *_: told.append("after"))
    step_eagerly(own)
    step_eagerly(hooked)
    assert own.called and told == ["after"] and torch.equal(weight.detach(), torch.zeros(2))


def test_modules_of_shapes_alone_have_the_shapes_and_types_of_those_that_are_drawn():
    spec = tiny.recipe.data.open().spec
    for settings in (tiny.recipe.generator, tiny.recipe.discriminator, tiny.dcgan(tiny.recipe).generator):
        drawn = settings.build(spec)
        with shapes_only():
            shaped = settings.build(spec)
        assert {tensor.device.type for tensor in shaped.state_dict().values()} == {"meta"}
        sizes = [{key: (v.shape, v.dtype) for key, v in net.state_dict().items()} for net in (drawn, shaped)]
        assert sizes[0] == sizes[1]
    with shapes_only():
        half = torch.ones(2, dtype=torch.float16)
        assert [(x.shape, x.dtype) for x in (half / 3, 2 * half, torch.arange(3) / 2)] == [
            ((2,), torch.float16), ((2,), torch.float16), ((3,), torch.float32),
        ]  # fmt: skip
