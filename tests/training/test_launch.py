"""What a launch asks for, by flags or by what `accelerate config` saved: done, or refused in one sentence."""

from __future__ import annotations

import json
import warnings
from contextlib import nullcontext
from pathlib import Path

import pytest
from accelerate.commands.launch import launch_command, launch_command_parser
from complaints import ended
from places import TINY

from ggdr.data.digits import Digits
from ggdr.data.loader import batches
from ggdr.errors import UserError
from ggdr.ops.threads import available_cpus
from ggdr.train import main
from ggdr.training.launch import check_settings

SAVED = """
compute_environment: LOCAL_MACHINE
distributed_type: {kind}
mixed_precision: '{precision}'
num_machines: 1
num_processes: 1
use_cpu: true
main_training_function: main
"""


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("USE_DEEPSPEED", "true", "launched with DeepSpeed, .*: launch with --multi_gpu, or start one process without"),
        ("USE_FSDP", "true", "launched with FSDP, by a flag or by what `accelerate config` saved"),
        ("USE_MEGATRON_LM", "true", "launched with Megatron-LM, "),
        ("USE_PARALLELISM_CONFIG", "true", "launched with a parallelism config, "),
        ("MIXED_PRECISION", "fp16", "--mixed_precision fp16, and ggdr computes in fp32 or bf16; .* by --precision"),
        ("MIXED_PRECISION", "fp8", "--mixed_precision fp8, and ggdr computes in fp32 or bf16"),
        ("DYNAMO_BACKEND", "INDUCTOR", "--dynamo_backend inductor, .* --dynamo_backend no, and add --compile"),
        (
            "GRADIENT_ACCUMULATION_STEPS",
            "4",
            "4 steps of gradient accumulation, .* by --batch-size and --micro-batch-size",
        ),
    ],
)
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_would_have_no_effect_is_refused(setting, value, said, precision):
    with pytest.raises(ValueError, match=said):
        check_settings({f"ACCELERATE_{setting}": value}, precision)


@pytest.mark.parametrize("settings", [{}, {"ACCELERATE_DYNAMO_BACKEND": "NO", "ACCELERATE_USE_FSDP": "false"}])
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_accelerate_sets_by_default_is_taken(settings, precision):
    check_settings({**settings, "ACCELERATE_MIXED_PRECISION": "no"}, precision)
    check_settings({**settings, "ACCELERATE_GRADIENT_ACCUMULATION_STEPS": "1"}, precision)


def test_the_launch_s_precision_and_the_recipe_s_must_agree():
    check_settings({"ACCELERATE_MIXED_PRECISION": "bf16"}, "bf16")
    with pytest.raises(ValueError, match="the recipe says fp32; add --precision bf16, or launch with --mixed_prec"):
        check_settings({"ACCELERATE_MIXED_PRECISION": "bf16"}, "fp32")


def test_a_tpu_is_refused_unless_the_cpu_beside_it_was_asked_for():
    with pytest.raises(ValueError, match="launched for a TPU, and ggdr runs on CUDA, MPS and CPUs"):
        check_settings({"PJRT_DEVICE": "TPU"}, "fp32")
    check_settings({"PJRT_DEVICE": "TPU", "ACCELERATE_USE_CPU": "true"}, "fp32")


def handed_on(folder: Path, *flags: str) -> dict[str, str]:
    """The environment that `accelerate launch` starts a script in, by a configuration that was saved."""
    script = folder / "script.py"
    script.write_text("import json, os, sys\njson.dump(dict(os.environ), open(sys.argv[1], 'w'))\n")
    words = ["--config_file", str(folder / "saved.yaml"), *flags, str(script), str(folder / "environment.json")]
    launch_command(launch_command_parser().parse_args(words))
    return json.loads((folder / "environment.json").read_text())


@pytest.mark.parametrize(
    ("kind", "precision", "flags", "said"),
    [
        ("'NO'", "fp16", [], "launched with --mixed_precision fp16"),
        ("'NO'", "no", ["--dynamo_backend", "inductor"], "launched with --dynamo_backend inductor"),
        ("MEGATRON_LM", "no", [], "launched with Megatron-LM"),
        ("'NO'", "fp16", ["--mixed_precision", "no"], ""),
    ],
)
def test_saved_settings_reach_the_one_sentence_and_flags_go_before_them(kind, precision, flags, said, tmp_path):
    (tmp_path / "saved.yaml").write_text(SAVED.format(kind=kind, precision=precision))
    environment = handed_on(tmp_path, *flags)
    with pytest.raises(UserError, match=f"^{said}") if said else nullcontext():
        check_settings(environment, "fp32")


@pytest.mark.parametrize("variable", ["ACCELERATE_USE_DEEPSPEED", "ACCELERATE_USE_FSDP"])
def test_a_setting_in_the_environment_ends_in_no_traceback(variable, monkeypatch):
    monkeypatch.setenv(variable, "true")
    done = ended(main, TINY, "--dry-run")
    assert done.returncode == 2 and "ggdr: error: launched with" in done.stderr and "Traceback" not in done.stderr


def test_no_more_workers_read_than_there_are_cores():
    images = Digits(subset=8).open()
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # torch warns of more workers than cores
        found = next(batches(images, seed=0, start=0, batch_size=4, num_workers=len(available_cpus()) + 2))
    assert (found["real"].images == images.at([0, 1, 2, 3], 0).images).all()
