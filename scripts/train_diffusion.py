"""Train a diffusion model on the images of a recipe, for as many minutes, to be measured beside its GANs.

    python scripts/train_diffusion.py --kind ddpm --data openmoji --data.size 32 --minutes 40 --out runs/ddpm
    python scripts/train_diffusion.py --kind ncsnpp --data openmoji --data.size 32 --minutes 40 --out runs/ncsnpp
    ggdr evaluate runs/ddpm/pipeline --data openmoji --data.size 32 --extractor emoji --steps 50
    python scripts/quality_time.py runs/stylegan2 runs/ddpm runs/ncsnpp --out docs/quality-time.png

`--data NAME` and `--data.FIELD` are those of `ggdr train`; labels are not told to the network. Networks and schedulers
are those of diffusers, and OUT/pipeline is a folder that diffusers loads and `ggdr evaluate` measures as it does a GAN.
`accelerate launch scripts/train_diffusion.py ...` is meant for several GPUs, on which nobody has tried it yet.

`--minutes` are those of training steps alone, over all starts: saving and drawing do not count. Ctrl-C saves, and the
same command goes on from there, exactly: what a step draws is a function of seed and step. OUT/log.jsonl has the loss,
OUT/training.json what was trained, for how long and on what, OUT/samples.png images of the running mean of the weights.

Settings are the papers' (Adam at 2e-4, gradients of norm 1 at most, a running mean of the weights) but for what a
budget of minutes asks for: half of the channels, no dropout, a warm-up of 500 steps instead of 5,000, and a running
mean that sets in as the run grows.
"""

from __future__ import annotations

import json
import platform
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from diffusers import UNet2DModel
from diffusers.training_utils import EMAModel
from diffusion_kinds import DDPM, Kind, NCSNpp, Sizes
from torch import Tensor

from ggdr import __version__
from ggdr.cli import guarded
from ggdr.data.base import DataSet, Images
from ggdr.data.loader import batches
from ggdr.data.openmoji import OpenMoji
from ggdr.documents import read_object
from ggdr.errors import UserError, above_zero, not_negative
from ggdr.flags.command_line import flags_of, parsed
from ggdr.flags.parts import part_flags, swap_parts
from ggdr.ops.pixels import network_input
from ggdr.recipe.files import to_json
from ggdr.registry import discover
from ggdr.sampling.grid import save_grid
from ggdr.seeding import seed_of
from ggdr.training.launch import make_accelerator
from ggdr.training.stopping import Stop

MAY_CHANGE = (
    "minutes",
    "kimg",
    "sampler",
    "steps",
    "samples",
    "save_minutes",
    "keep_minutes",
    "log_steps",
    "num_workers",
    "out",
)
"""settings that a run that goes on may have otherwise"""


@dataclass(frozen=True)
class Training:
    """What is trained."""

    data: DataSet = field(default_factory=lambda: OpenMoji(size=32))
    """the images, as for `ggdr train`"""
    out: Path = Path("runs/diffusion")
    """the run's folder; the same command goes on from what is there"""
    kind: Literal["ddpm", "ncsnpp"] = "ddpm"
    """denoising diffusion (arXiv 2006.11239), or score matching under noise of any strength (arXiv 2011.13456)"""
    minutes: float = 40.0
    """of training, over all starts"""
    kimg: float | None = None
    """thousands of images after which it ends before; None: time alone ends it"""
    channels: int = 64
    """of the maps of the image's size, a multiple of 4, of 32 for ncsnpp; the papers have 128"""
    layers: int = 2
    """residual blocks at each size"""
    dropout: float = 0.0
    """share of activations that are dropped"""
    batch_size: int = 32
    """images of a step, over all processes"""
    lr: float = 2e-4
    """Adam's"""
    warmup: int = 500
    """steps in which the learning rate climbs to that"""
    ema: float = 0.9999
    """share that stays of the running mean of the weights at each step, in the end"""
    sampler: Literal["ddim", "ddpm"] = "ddim"
    """of ddpm: 50 steps by default, or 1,000"""
    steps: int = 50
    """denoising steps of the images of OUT/samples.png"""
    samples: int = 64
    """images of OUT/samples.png; 0: none"""
    save_minutes: float = 5.0
    """interval of checkpoints"""
    keep_minutes: float | None = None
    """interval of training at which a pipeline is left as OUT/pipeline-10m, for a curve; None: one at the end alone"""
    log_steps: int = 50
    """interval of lines of the log"""
    num_workers: int = 0
    """processes that read images; 0: the trainer's own"""
    seed: int = 0
    """of weights, order of the images, noise"""

    def __post_init__(self) -> None:
        above_zero(self, "minutes", "kimg", "channels", "layers", "batch_size", "lr", "steps", "save_minutes")
        above_zero(self, "keep_minutes", "log_steps")
        not_negative(self, "warmup", "samples", "num_workers", "seed")

    def model(self, side: int) -> Kind:
        """Return the diffusion model for images of this height."""
        return DDPM(self.sampler) if self.kind == "ddpm" else NCSNpp(side)


@dataclass
class Progress:
    """How far a run is; Accelerate saves it along with weights, optimizer and running mean."""

    step: int = 0
    seconds: float = 0.0
    """of training steps"""

    def state_dict(self) -> dict[str, float]:
        """Return what is saved."""
        return {"step": self.step, "seconds": self.seconds}

    def load_state_dict(self, state: dict[str, float]) -> None:
        """Take back what was saved."""
        self.step, self.seconds = int(state["step"]), state["seconds"]


def main(argv: list[str]) -> int:
    """Train until the minutes are over or a signal asks to stop, and leave a pipeline."""
    asked = parse(argv)
    accelerator = make_accelerator("fp32", "scripts/train_diffusion.py")
    check_folder(asked)
    run = Run(asked, accelerator)
    run.resume()
    with Stop(accelerator) as stop:
        run.train(stop)
    run.save()
    run.finish()
    if accelerator.is_main_process and run.unfinished:
        print("to go on, type the same command again")
    accelerator.end_training()
    return 0


def parse(argv: list[str]) -> Training:
    """Parse the flags; UserError or SystemExit with what is wrong and what to type instead."""
    discover()
    start, flags = swap_parts(Training(), argv)
    known = (*part_flags(start), *flags_of(start))
    return parsed(Training, flags, "train_diffusion.py", __doc__, start, known)


def settings_of(asked: Training) -> dict[str, Any]:
    """Return the settings as JSON can hold them, those that must not change between two starts."""
    return {name: value for name, value in to_json(asked).items() if name not in MAY_CHANGE}


def check_folder(asked: Training) -> None:
    """Raise UserError if the folder holds another run, or something else."""
    note = asked.out / "training.json"
    if not asked.out.exists() or not any(asked.out.iterdir()):
        return
    if not note.is_file():
        raise UserError(f"--out {asked.out} holds files of something else; give a folder that is new or empty.")
    before, now = read_object(note)["settings"], settings_of(asked)
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    if changed:
        raise UserError(
            f"--out {asked.out} holds a run with other settings ({', '.join(sorted(changed))}); give another folder, or"
            " the flags it was begun with."
        )


class Run:
    """A run while it trains."""

    def __init__(self, asked: Training, accelerator: Accelerator):
        """Open the images and build the network; UserError if they do not go together."""
        self.asked, self.accelerator = asked, accelerator
        self.images = open_images(asked.data)
        self.kind = asked.model(self.images.spec.height)
        torch.manual_seed(asked.seed)
        network = self.kind.network(self.images.spec, Sizes(asked.channels, asked.layers, asked.dropout))
        self.mean = EMAModel(
            network.parameters(),
            decay=asked.ema,
            use_ema_warmup=True,
            power=3 / 4,
            model_cls=UNet2DModel,
            model_config=network.config,
        )
        self.mean.to(accelerator.device)
        optimizer = torch.optim.Adam(network.parameters(), lr=asked.lr)
        self.network, self.optimizer = accelerator.prepare(network, optimizer)
        self.progress = Progress()
        accelerator.register_for_checkpointing(self.progress, self.mean)
        self.losses: list[Tensor] = []

    @property
    def bare(self) -> UNet2DModel:
        """The network without what Accelerate has put around it."""
        return self.accelerator.unwrap_model(self.network)

    @property
    def kimg(self) -> float:
        """Thousands of images shown."""
        return self.progress.step * self.asked.batch_size / 1000

    @property
    def unfinished(self) -> bool:
        """Whether there are minutes left, and images to show."""
        shown = self.asked.kimg is not None and self.kimg >= self.asked.kimg
        return self.progress.seconds < 60 * self.asked.minutes and not shown

    def resume(self) -> None:
        """Go on from the checkpoint, if there is one."""
        if (self.asked.out / "checkpoint").is_dir():
            self.accelerator.load_state(str(self.asked.out / "checkpoint"))
            self.say(f"goes on at {self.kimg:g} kimg, after {self.progress.seconds / 60:.1f} minutes")

    def train(self, stop: Stop) -> None:
        """Take steps until the run is done or a signal asks it to stop."""
        asked, accelerator, saved = self.asked, self.accelerator, time.monotonic()
        reals = batches(
            self.images,
            seed=asked.seed,
            start=self.progress.step * asked.batch_size,
            batch_size=asked.batch_size,
            rank=accelerator.process_index,
            world=accelerator.num_processes,
            num_workers=asked.num_workers,
        )
        self.network.train()
        while self.agreed(self.unfinished) and not self.agreed(bool(stop.signal)):
            began, before = time.monotonic(), self.progress.seconds
            self.step(next(reals)["real"].images)
            self.progress.seconds += time.monotonic() - began
            self.keep(before)
            if self.progress.step % asked.log_steps == 0:
                self.log()
            if self.agreed(time.monotonic() - saved > 60 * asked.save_minutes):
                self.save()
                saved = time.monotonic()

    def step(self, reals: Tensor) -> None:
        """Update the network and the running mean of its weights on reals [N, C, H, W] uint8."""
        progress, asked = self.progress, self.asked
        torch.manual_seed(seed_of(asked.seed, progress.step, self.accelerator.process_index))
        for group in self.optimizer.param_groups:
            group["lr"] = asked.lr * min(1.0, (progress.step + 1) / max(asked.warmup, 1))
        loss = self.kind.loss(self.network, network_input(reals.to(self.accelerator.device)))
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(self.network.parameters(), 1.0)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self.mean.step(self.bare.parameters())
        self.losses.append(loss.detach())
        progress.step += 1

    def agreed(self, mine: bool) -> bool:
        """Return what the first process says, so that all of them do the same."""
        if self.accelerator.num_processes == 1:
            return mine
        from accelerate.utils import broadcast

        return bool(broadcast(torch.tensor(float(mine), device=self.accelerator.device)) > 0)

    def log(self) -> None:
        """Write a line, with the mean loss since the last one."""
        loss = float(self.accelerator.reduce(torch.stack(self.losses).mean(), "mean"))
        self.losses.clear()
        if self.accelerator.is_main_process:
            self.asked.out.mkdir(parents=True, exist_ok=True)
            row = {"step": self.progress.step, "kimg": self.kimg, "seconds": self.progress.seconds, "loss": loss}
            with (self.asked.out / "log.jsonl").open("a", encoding="utf-8") as stream:
                stream.write(json.dumps(row) + "\n")
            self.say(f"{self.kimg:.1f} kimg, {self.progress.seconds / 60:.1f} minutes, loss {loss:.4f}")

    def say(self, text: str) -> None:
        """Print on the first process."""
        self.accelerator.print(text, flush=True)

    def save(self) -> None:
        """Write a checkpoint aside and put it in the place of the last one, and the note of what is trained."""
        out, main = self.asked.out, self.accelerator.is_main_process
        if main:
            out.mkdir(parents=True, exist_ok=True)
            write_note(self, out)
        self.accelerator.wait_for_everyone()
        self.accelerator.save_state(str(out / "checkpoint.part"))
        self.accelerator.wait_for_everyone()
        if main:
            put_in_place(out / "checkpoint.part", out / "checkpoint")

    def keep(self, before: float) -> None:
        """Leave a pipeline if a moment for one has passed since there were `before` seconds of training."""
        every, now = 60 * (self.asked.keep_minutes or 0.0), self.progress.seconds
        if every and now // every > before // every and self.accelerator.is_main_process:
            minutes = now // every * every / 60
            self.write_pipeline(self.asked.out / f"pipeline-{minutes:g}m", 0)

    def finish(self) -> None:
        """Leave the pipeline, and images that it makes."""
        if self.accelerator.is_main_process:
            folder = self.asked.out / "pipeline"
            self.write_pipeline(folder, self.asked.samples)
            self.say(f"pipeline: {folder}, measured by: ggdr evaluate {folder} --data ...")

    def write_pipeline(self, folder: Path, samples: int) -> None:
        """Write the pipeline with the running mean of the weights, the note, and a grid of images beside it."""
        bare, part = self.bare, folder.with_name(f"{folder.name}.part")
        self.mean.store(bare.parameters())
        self.mean.copy_to(bare.parameters())
        pipeline = self.kind.pipeline(bare.eval())
        pipeline.save_pretrained(part)
        write_note(self, part)
        put_in_place(part, folder)
        if samples:
            pipeline.set_progress_bar_config(disable=True)
            seeds = [torch.Generator().manual_seed(seed) for seed in range(samples)]
            made = pipeline(len(seeds), generator=seeds, num_inference_steps=self.asked.steps, output_type="np").images
            pixels = torch.from_numpy(made).permute(0, 3, 1, 2).mul(255).round().to(torch.uint8)
            save_grid(pixels, folder.with_name("samples.png"))
        self.mean.restore(bare.parameters())
        bare.train()


def open_images(data: DataSet) -> Images:
    """Open the images; UserError if they are of two domains."""
    images = data.open()
    if len(images.domains) > 1:
        raise UserError(f"--data {data.name} holds {' and '.join(images.domains)}; a diffusion model learns from one.")
    return images


def write_note(run: Run, folder: Path) -> None:
    """Write to a folder what is trained, for how long and on what."""
    note = {
        "kind": run.asked.kind,
        "settings": settings_of(run.asked),
        "seconds": run.progress.seconds,
        "kimg": run.kimg,
        "steps": run.progress.step,
        "parameters": sum(each.numel() for each in run.bare.parameters()),
        "device": str(run.accelerator.device),
        "machine": platform.machine(),
        "threads": torch.get_num_threads(),
        "processes": run.accelerator.num_processes,
        "ggdr": __version__,
        "torch": torch.__version__,
    }
    part = folder / "training.json.part"
    part.write_text(json.dumps(note, indent=1) + "\n", encoding="utf-8")
    part.replace(folder / "training.json")


def put_in_place(new: Path, old: Path) -> None:
    """Rename a whole folder over another one, of which one is there at any moment."""
    before = old.with_name(f"{old.name}.old")
    shutil.rmtree(before, ignore_errors=True)
    if old.exists():
        old.rename(before)
    new.rename(old)
    shutil.rmtree(before, ignore_errors=True)


if __name__ == "__main__":
    guarded(main, sys.argv[1:])
