"""Triton's kernels: those of the interpreter against the plain paths, and when which of the two is taken."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from places import ROOT, SUPPORT

from ggdr.ops.activation import bias_act
from ggdr.ops.fir import upsample2
from ggdr.ops.kernels import choose, describe_kernels

needs_triton = pytest.mark.skipif(find_spec("triton") is None, reason="Triton is not installed here")


def answer(*command: str, **variables: str):
    """What a Python process of its own prints, read as JSON: Triton reads its environment when it is imported."""
    kept = {name: value for name, value in os.environ.items() if name not in ("GGDR_KERNELS", "TRITON_INTERPRET")}
    kept["PYTHONPATH"] = os.pathsep.join([str(ROOT), kept.get("PYTHONPATH", "")])
    done = subprocess.run([sys.executable, *command], env=kept | variables, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def interpreted():
    return answer(str(SUPPORT / "kernel_checks.py"), TRITON_INTERPRET="1")


@needs_triton
def test_values_and_two_derivatives_are_those_of_the_plain_paths(interpreted):
    errors = {name: error for name, error in interpreted["errors"].items() if "16" not in name}
    assert len(errors) == 42
    assert not {name: error for name, error in errors.items() if not error < 1e-5}


@needs_triton
def test_values_in_low_precision_are_those_of_float32_but_for_rounding(interpreted):
    errors = {name: error for name, error in interpreted["errors"].items() if "16" in name}
    assert len(errors) == 41
    assert not {name: error for name, error in errors.items() if not error < 0.01}


@needs_triton
def test_positions_beyond_32_bits_come_out_right(interpreted):
    assert len(interpreted["far"]) == 24
    assert not [name for name, right in interpreted["far"].items() if not right]


@needs_triton
@pytest.mark.parametrize(("elements", "is_wide"), [(2**31 - 2**20, False), (2**31, True), (2**31 + 5, True)])
def test_the_larger_of_what_is_read_and_written_decides_on_64_bits(elements, is_wide):
    from ggdr.ops.kernels.tiles import needs_int64

    small, large = torch.empty(4, device="meta"), torch.empty(elements, device="meta")
    assert needs_int64(small, large) == needs_int64(large, small) == needs_int64(large) == is_wide


@needs_triton
def test_images_whose_up_sampled_ones_pass_2_to_the_31_are_resampled_with_64_bits(monkeypatch):
    """StyleGAN3-R at 256 px, 16 images: what goes in has 2^29 elements, what comes out has 2^31 and more."""
    from ggdr.ops.kernels import bias_act as biased
    from ggdr.ops.kernels import fir, warp

    def launched(kernel, call):
        class Launch(dict):
            def __missing__(self, grid):
                return lambda *args, **settings: wides.append(settings["WIDE"])

        wides: list[bool] = []
        monkeypatch.setattr(*kernel, Launch())
        call()
        return wides

    x = torch.empty(16, 512, 256, 256, device="meta")
    doubled = [fir.make_axis(256, (1.0, 3.0, 3.0, 1.0), 2, 1, 2, 1, 2.0)] * 2
    assert launched((fir, "filter_kernel"), lambda: fir.launch_filter(x, *doubled)) == [True]
    assert launched((fir, "filter_kernel"), lambda: fir.launch_filter(x[:2], *doubled)) == [False]
    how = biased.BiasActConfig("lrelu", 0.2, 1.0, None)
    for count, is_wide in ((64, True), (16, False)):
        many = x[:1].expand(count, -1, -1, -1)
        assert launched((biased, "forward_kernel"), lambda many=many: biased.launch_forward(many, None, how)) == [
            is_wide
        ]
        assert launched((biased, "backward_kernel"), lambda many=many: biased.launch_backward(many, many, how)) == [
            is_wide
        ]
    lattice = warp.SamplingGrid(*[warp.SamplingAxis(1100, 0.0, 1.0, 1.0, 0.0)] * 2)
    inverse = torch.empty(16, 2, 3, device="meta")
    assert launched((warp, "sample_kernel"), lambda: warp.launch_sample(x, inverse, lattice, "zeros")) == [True]


@needs_triton
def test_kernels_are_what_is_measured_and_layouts_stay(interpreted):
    assert all(interpreted["paths"].values()), interpreted["paths"]


@needs_triton
def test_a_kernel_that_fails_after_its_trial_gives_way_to_the_plain_path_for_good(interpreted):
    assert max(interpreted["broken"]) < 1e-6
    assert [name for name, failure in interpreted["failures"].items() if failure] == ["bias_act", "fir"]
    assert interpreted["in_use"].startswith("kernels: triton, but plain for bias_act: TypeError")
    assert [said.partition(" does not work here (TypeError: ")[0] for said in interpreted["said"]] == [
        "the fused kernel 'fir'",
        "the fused kernel 'bias_act'",
    ]


PROGRAM = """
import json, sys, warnings, torch
from ggdr.ops import activation, fir, warp
from ggdr.ops.kernels import describe_kernels
torch.manual_seed(0)
x = torch.randn(1, 2, 6, 5, requires_grad=True)
said = []
warnings.showwarning = lambda message, *_: said.append(str(message))
for _ in range(2):  # what a kernel says when it gives way, it says once
    bias = activation.bias_act(x, torch.ones(2), "lrelu")
y = warp.translate(fir.upsample2(activation.bias_act(x, torch.ones(2), "lrelu")), torch.full((1, 2), 0.3))
y.square().sum().backward()
print(json.dumps([y.tolist(), x.grad.tolist(), "triton" in sys.modules, describe_kernels(x.device), said]))
"""


@pytest.fixture(scope="module")
def unforced():
    return answer("-c", PROGRAM)


def test_without_a_gpu_the_plain_path_is_taken_and_triton_is_not_imported(unforced):
    assert unforced[2:] == [False, "kernels: plain", []]


def test_kernels_that_cannot_run_here_give_way_to_the_plain_path_and_say_so_once(unforced):
    """Asked for on the CPU without the interpreter: there is no driver, or there is no Triton."""
    forced = answer("-c", PROGRAM, GGDR_KERNELS="triton")
    assert forced[:2] == unforced[:2]
    assert forced[3].startswith("kernels: plain (bias_act: ")
    assert len(forced[4]) == 3 and all(
        "PyTorch's own operators, which are slower, take its place" in s for s in forced[4]
    )


@pytest.mark.filterwarnings("ignore:Dynamo detected a call to a `functools.lru_cache`")
def test_compiled_code_takes_the_plain_path(monkeypatch):
    monkeypatch.setenv("GGDR_KERNELS", "triton")
    x = torch.randn(1, 2, 4, 4)
    compiled = torch.compile(lambda x: bias_act(upsample2(x), None, "lrelu"), backend="eager", fullgraph=True)
    ours = compiled(x)
    monkeypatch.setenv("GGDR_KERNELS", "plain")
    assert torch.equal(ours, bias_act(upsample2(x), None, "lrelu"))


def test_plain_can_be_asked_for_and_what_is_unknown_is_refused(monkeypatch):
    monkeypatch.setenv("GGDR_KERNELS", "plain")
    assert choose("fir", torch.zeros(1)) is None
    assert describe_kernels(torch.device("cuda")) == "kernels: plain"
    monkeypatch.setenv("GGDR_KERNELS", "fast")
    with pytest.raises(ValueError, match="GGDR_KERNELS is 'fast'; it can be plain or triton"):
        bias_act(torch.zeros(1, 1), None)
