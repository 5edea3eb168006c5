"""Runs on two domains: dry runs, exact resume, and images that have changed since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import tiny
import torch
from domain_layouts import colours, label_maps, png, side_by_side, two_folders

import ggdr
from ggdr.data.base import DataSet
from ggdr.data.domains import Domain, Domains
from ggdr.data.pairs import LabelMaps, Pairs
from ggdr.errors import UserError
from ggdr.flags.recipe import Command
from ggdr.games.standard import StandardGame
from ggdr.networks.base import ImageSpec
from ggdr.play.duel import Duel, StepContext
from ggdr.play.game import Networks
from ggdr.play.view import Reals
from ggdr.registry import games
from ggdr.train import start
from ggdr.training.launch import make_accelerator

SIZES = {"size": 16, "load_size": 20, "flip": True}


@games.register("last_domain_of_tests")
@dataclass(frozen=True, kw_only=True)
class LastDomain(StandardGame):
    """A standard game on what is to be made, told of what is given: its sum is a statistic of D's reals."""

    def build_networks(self, generator, discriminator, domains: Mapping[str, ImageSpec], extra) -> Networks:
        """The networks of a standard game."""
        return super().build_networks(generator, discriminator, dict([[*domains.items()][-1]]), extra)

    def views(self, networks, domains):
        """The views of a standard game, held against what is to be made."""
        return super().views(networks, domains[-1:])

    def duels(self, networks: Networks, batch: Mapping[str, Reals], context: StepContext) -> list[Duel]:
        """The duel of a standard game, on reals that hold a little of the other domain."""
        given, made = batch.values()
        mixed = made.images + 0.1 * given.images.mean(dim=1, keepdim=True)
        return super().duels(networks, {"real": Reals(mixed, made.labels)}, context)


def sets(root: Path) -> dict[str, DataSet]:
    """A data set of each layout."""
    return {
        "pairs": Pairs(source=side_by_side(root / "facades"), direction="b_to_a", **SIZES),
        "domains": Domains(source=two_folders(root / "horse2zebra"), **SIZES),
        "maps": Pairs(
            source=label_maps(root / "city"),
            a=Domain(files="*_labelIds.png"),
            maps=LabelMaps(of="a", classes=5, instances=Domain(files="*_instanceIds.png")),
            **SIZES,
        ),
    }


def recipe(data: DataSet, kimg: float = 0.064) -> ggdr.Recipe:
    return replace(tiny.dcgan(tiny.recipe), data=data, game=LastDomain(), total_kimg=kimg)


@pytest.mark.parametrize("kind", ["pairs", "domains", "maps"])
def test_a_resumed_run_equals_the_unbroken_one(tmp_path, kind):
    data = sets(tmp_path)[kind]
    whole = ggdr.train(recipe(data), tmp_path / "whole")
    ggdr.train(recipe(data, 0.032), tmp_path / "parts")
    parts = ggdr.train(recipe(data), tmp_path / "parts")
    one, two = (run.pipeline().generator.state_dict() for run in (whole, parts))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_a_run_notices_that_the_other_domain_has_changed(tmp_path):
    data = sets(tmp_path)["domains"]
    ggdr.train(recipe(data, 0.032), tmp_path / "out")
    (tmp_path / "horse2zebra/trainA/0.png").unlink()
    (tmp_path / "horse2zebra/trainA/new.png").write_bytes(png(colours(9)))
    with pytest.raises(UserError, match="1 image removed, 1 added"):
        ggdr.train(recipe(data), tmp_path / "out")


def test_a_dry_run_says_what_each_domain_holds(tmp_path, capsys):
    command = Command(recipe(sets(tmp_path)["domains"]), tmp_path / "out", dry_run=True)
    assert start(command, make_accelerator("fp32"))
    out = capsys.readouterr().out
    assert "images: 5 of horse and 3 of zebra, each in another order; an epoch is the longer of them." in out
    assert "domains: 5 images of 16 x 16 px, 3 channels, no labels" in out and not (tmp_path / "out").exists()
