"""Image sizes: which have a pyramid of doublings, and what a refusal says."""

import pytest

from ggdr.networks.size import channels, pyramid_of
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig


@pytest.mark.parametrize(
    ("size", "base"),
    [
        ((32, 32), (4, 4)),
        ((96, 96), (6, 6)),
        ((1024, 1024), (4, 4)),
        ((256, 64), (8, 2)),
        ((60, 80), None),
        ((6, 6), (3, 3)),
    ],
)
def test_the_base_is_the_smallest_that_the_size_allows(size, base):
    if base is None:
        pytest.raises(ValueError, pyramid_of, *size)
    else:
        assert pyramid_of(*size).size(0) == base
        assert pyramid_of(*size).resolutions[-1] == size[0]


def test_a_smaller_base_may_be_asked_for():
    assert pyramid_of(1024, 512).size(0) == (8, 4) and pyramid_of(1024, 512, 2).size(0) == (4, 2)
    assert pyramid_of(1024, 512, 2).resolutions == [4 << level for level in range(9)]
    assert pyramid_of(48, 48, 8).size(0) == (12, 12) and pyramid_of(32, 32, 5).size(0) == (8, 8)
    for smallest in (1, 16):
        with pytest.raises(ValueError, match=f"smallest is {smallest}; give 2 to 15"):
            StyleGAN2GeneratorConfig(smallest=smallest)


def test_a_refusal_names_only_sizes_that_work():
    for size in [(100, 100), (33, 47), (1024, 16), (1, 1), (720, 1280)]:
        with pytest.raises(ValueError) as refusal:
            pyramid_of(*size)
        named = str(refusal.value).rpartition(": ")[2].rstrip(".").split(", ")
        assert 1 <= len(named) <= 3
        assert all(pyramid_of(*map(int, each.split(" x "))) for each in named)


def test_channels_follow_the_papers_rule():
    assert [channels(16384, 512, level) for level in range(7)] == [512, 512, 512, 512, 256, 128, 64]
    assert channels(16, 512, level=6) == 1
