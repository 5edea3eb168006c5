"""Domains: what a data set of several kinds of images says of them, and what lies at a position of each."""

from __future__ import annotations

from itertools import islice

import pytest
import torch

from ggdr.data.base import Batch, Images
from ggdr.data.loader import batches
from ggdr.networks.base import ImageSpec


class Gray(Images):
    """Images that are as bright as their position says."""

    spec = ImageSpec(4, 4, 1)

    def __len__(self) -> int:
        return 8

    def at(self, positions: list[int], seed: int) -> Batch:
        return Batch(torch.tensor(positions, dtype=torch.uint8)[:, None, None, None].expand(-1, 1, 4, 4))


def test_a_set_of_images_is_one_domain_called_real():
    images = Gray()
    assert images.domains == {"real": images.spec}
    batches = images.domain_batches([3, 5], seed=0)
    assert list(batches) == ["real"] and torch.equal(batches["real"].images, images.at([3, 5], seed=0).images)


def test_a_spec_of_label_maps_is_saved_and_read_and_one_of_images_is_written_as_before():
    from ggdr.networks.dcgan import DCGANGeneratorConfig
    from ggdr.saving.model import describe, read_spec

    plain = describe(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16)))["spec"]
    assert set(plain) == {"height", "width", "channels", "labels"}
    maps = describe(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16, 5, classes=5)))["spec"]
    assert read_spec(maps, "here") == ImageSpec(16, 16, 5, classes=5)


class Two(Gray):
    """A bright and a dark domain; the last one is what `at` gives."""

    @property
    def domains(self):
        return {"dark": self.spec, "bright": self.spec}

    def domain_batches(self, positions, seed):
        return {name: self.at([place + 100 * n for place in positions], seed) for n, name in enumerate(self.domains)}


@pytest.mark.parametrize("workers", [0, 2])
def test_the_loader_gives_a_batch_of_each_domain_for_any_workers_and_processes(workers):
    settings = {"seed": 0, "start": 4, "batch_size": 4, "world": 2, "num_workers": workers}
    for rank in (0, 1):
        found = [*islice(batches(Two(), rank=rank, **settings), 2)]
        first = 4 + 2 * rank
        assert [batch["dark"].images[:, 0, 0, 0].tolist() for batch in found] == [
            [first, first + 1],
            [first + 4, first + 5],
        ]
        assert all(torch.equal(batch["bright"].images, batch["dark"].images + 100) for batch in found)
