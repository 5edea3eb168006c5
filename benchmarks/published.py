"""A contestant: the published StyleGAN2-ADA or GGDR code, driven from outside by its own loss class.

Nothing of it is part of this project: give the folder of a checkout that you have the right to run. It computes with
its reference operations where no CUDA compiler is at hand. Its networks get the sizes of the recipe at hand, its
phases the same batch; Adam, gradients and flags are set as its own loop does, from outside.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import types
from typing import Any

import torch
from cases import case
from packaging.version import parse
from rounds import Seconds, serve, timed

from ggdr.networks.stylegan2 import StyleGAN2DiscriminatorConfig, StyleGAN2GeneratorConfig
from ggdr.networks.unet import UNetDiscriminatorConfig
from ggdr.recipe import Recipe
from ggdr.regularizers.ggdr import GGDR


def enter(folder: str) -> None:
    """Make the checkout's modules importable."""
    sys.path.insert(0, folder)
    shim = types.ModuleType("pkg_resources")  # what it asks of setuptools, which no longer ships it
    shim.parse_version = parse  # type: ignore[attr-defined]
    sys.modules["pkg_resources"] = shim


def networks(folder: str, recipe: Recipe) -> tuple[Any, Any, Any]:
    """G, D and the augmentation, at the recipe's sizes."""
    enter(folder)
    ours, encoder = recipe.generator, recipe.discriminator
    if isinstance(encoder, UNetDiscriminatorConfig):
        encoder = encoder.encoder
    assert isinstance(ours, StyleGAN2GeneratorConfig) and isinstance(encoder, StyleGAN2DiscriminatorConfig)
    spec = recipe.data.open().spec
    common: dict[str, Any] = {"c_dim": 0, "img_resolution": spec.height, "img_channels": spec.channels}
    width = {"channel_base": ours.channel_base, "channel_max": ours.channel_max, "num_fp16_res": 0}
    plain = importlib.import_module("training.networks")
    taught = importlib.import_module("training.networks_ggdr") if "ggdr" in recipe.regularizers else plain
    generator = taught.Generator(
        z_dim=ours.z_dim,
        w_dim=ours.w_dim,
        mapping_kwargs={"num_layers": ours.mapping_layers},
        synthesis_kwargs=width,
        **common,
    )
    own: dict[str, Any] = {"decoder_res": side_of(recipe)} if taught is not plain else {}
    own |= {"architecture": encoder.architecture, "epilogue_kwargs": {"mbstd_group_size": encoder.mbstd_group}}
    judge = taught.Discriminator(**common, **width, **own)
    augment = None
    if recipe.augment.name == "ada":
        bgc = ("xflip", "rotate90", "xint", "scale", "rotate", "aniso", "xfrac")
        bgc += ("brightness", "contrast", "lumaflip", "hue", "saturation")
        augment = importlib.import_module("training.augment").AugmentPipe(**dict.fromkeys(bgc, 1))
        augment.train().requires_grad_(False).p.fill_(recipe.augment.fixed_p)  # type: ignore[attr-defined]
    return generator.train().requires_grad_(False), judge.train().requires_grad_(False), augment


def side_of(recipe: Recipe) -> int:
    """The resolution of the maps that GGDR redraws."""
    ggdr = recipe.regularizers["ggdr"]
    assert isinstance(ggdr, GGDR)
    return ggdr.resolutions[0]


def contestant(folder: str, name: str) -> None:
    """Serve rounds of its phases."""
    recipe = case(name)
    g, d, augment = networks(folder, recipe)
    terms: Any = recipe.regularizers
    options = {
        "augment_pipe": augment,
        "style_mixing_prob": recipe.generator.style_mixing,  # type: ignore[attr-defined]
        "r1_gamma": 2 * terms["r1"].weight,
        "pl_weight": terms["path_length"].weight if "path_length" in terms else 0,
    }
    module, kind = ("loss", "StyleGAN2Loss")
    if "ggdr" in terms:
        module, kind = ("loss_ggdr", "StyleGAN2GGDRLoss")
        options["ggdr_res"] = side_of(recipe)
    loss = getattr(importlib.import_module(f"training.{module}"), kind)(
        torch.device("cpu"), g.mapping, g.synthesis, d, **options
    )
    spec = recipe.data.open().spec
    reals = torch.randn(recipe.batch_size, spec.channels, spec.height, spec.width)
    labels = torch.zeros(recipe.batch_size, 0)
    players = {"G": g, "D": d}
    adams = {
        key: torch.optim.Adam(net.parameters(), lr=0.0025, betas=(0.0, 0.99), eps=1e-8) for key, net in players.items()
    }
    every = {"Gmain": 1, "Dmain": 1} | {"Dreg": terms["r1"].every if "r1" in terms else 0}
    every |= {"Greg": terms["path_length"].every} if "path_length" in terms else {}

    def phase(what: str) -> None:
        """One update of one player."""
        player, adam = players[what[0]], adams[what[0]]
        adam.zero_grad(set_to_none=True)
        player.requires_grad_(True)
        z = torch.randn(recipe.batch_size, g.z_dim)
        loss.accumulate_gradients(
            phase=what, real_img=reals, real_c=labels, gen_z=z, gen_c=labels, sync=True, gain=every[what]
        )
        player.requires_grad_(False)
        adam.step()

    def round_() -> Seconds:
        return {what: timed(lambda what=what: phase(what)) for what, n in every.items() if n}

    serve(round_, {"every": {k: n for k, n in every.items() if n}, "images": recipe.batch_size})


def generation(folder: str, size: str, batch: int) -> None:
    """Serve rounds of its generator's default call, float32."""
    enter(folder)
    resolution, base, limit = map(int, size.split("x"))
    generator = importlib.import_module("training.networks").Generator(
        z_dim=512, c_dim=0, w_dim=512, img_resolution=resolution, img_channels=3,
        mapping_kwargs={"num_layers": 8}, synthesis_kwargs={"channel_base": base, "channel_max": limit},
    ).eval().requires_grad_(False)  # fmt: skip
    z, labels = torch.randn(batch, 512), torch.zeros(batch, 0)
    with torch.inference_mode():
        serve(lambda: {"batch": timed(lambda: generator(z, labels, noise_mode="const"))}, {"images": batch})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="a checkout of the published code")
    parser.add_argument("case", help="such as 32px-64ch; to generate, resolution x base x channels")
    parser.add_argument("batch", type=int, nargs="?", help="to generate: images at once")
    arguments = parser.parse_args()
    if arguments.batch:
        generation(arguments.folder, arguments.case, arguments.batch)
    else:
        contestant(arguments.folder, arguments.case)
