"""Images and features that metrics share, made once, whatever is asked for first and by however many."""

from __future__ import annotations

import pytest
import torch
from image_makers import Channels, Maker, picture
from launching import LAUNCH, launch

from ggdr.features import cache
from ggdr.features.cache import CHUNK, FeatureCache, cut
from ggdr.processes import Processes


def the_first(n):
    return torch.stack([picture(place) for place in range(n)])


def test_images_are_made_once_and_lie_at_their_places():
    make = Maker()
    images = FeatureCache(make)
    assert torch.equal(images.images(150), the_first(150)) and torch.equal(images.images(70), the_first(70))
    assert torch.equal(images.images(150), the_first(150))
    assert make.asked == [range(0, 64), range(64, 128), range(128, 150), range(64, 70)]


@pytest.mark.parametrize("first", [1, 63, 64, 65, 200])
def test_what_was_asked_for_first_changes_nothing(first):
    """Features grow by whole chunks: those of the first n images are the same in whatever order one asks."""
    grown, whole = FeatureCache(Maker()), FeatureCache(Maker())
    grown.features(Channels(), first)
    for n in (200, 130, 64):
        assert torch.equal(grown.features(Channels(), n), whole.features(Channels(), n))
        assert torch.equal(grown.logits(Channels(), n), -whole.features(Channels(), n))
    assert torch.equal(whole.features(Channels(), 200), the_first(200).float().mean(dim=(2, 3)))


def test_features_are_computed_once_for_each_extractor():
    images, small, large = FeatureCache(Maker()), Channels(batch_size=16), Channels(batch_size=48)
    for _ in range(2):
        images.features(small, 100)
        images.logits(small, 90)
    assert images.embedder(small).seen == [16, 16, 16, 16, 16, 16, 4]
    assert torch.equal(images.features(large, 100), images.features(small, 100))
    assert images.embedder(large).seen == [48, 16, 36]


def test_features_keep_all_bits_and_what_was_allowed_before_is_allowed_again(monkeypatch):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    images = FeatureCache(Maker())
    images.features(Channels(), 70)
    assert images.embedder(Channels()).tf32 == {False} and torch.backends.cudnn.allow_tf32


def test_networks_can_be_shared_by_sets():
    real = FeatureCache(Maker())
    fake = FeatureCache(Maker(), networks=real.networks)
    assert fake.embedder(Channels()) is real.embedder(Channels())


def test_there_are_no_more_images_than_there_are():
    images = FeatureCache(Maker(), count=70)
    assert images.size(10_000) == 70 and images.size(5) == 5
    assert len(images.images(500)) == len(images.features(Channels(), 500)) == 70
    assert images.features(Channels(), 500).shape == (70, 3)


def test_images_beyond_the_memory_are_made_again(monkeypatch):
    monkeypatch.setattr(cache, "CACHE_BYTES", 2 * CHUNK * 60)
    make = Maker()
    images = FeatureCache(make)
    first = images.images(256)
    assert len(images.cached_images) == 2 and torch.equal(images.images(256), first)
    assert make.asked == [*cut(0, 256), *cut(128, 256)]
    assert torch.equal(images.features(Channels(), 256), first.float().mean(dim=(2, 3)))


def test_blocks_are_the_images_in_order_and_no_more_are_held_than_a_block_and_a_chunk(monkeypatch):
    monkeypatch.setattr(cache, "CACHE_BYTES", 0)
    make = Maker()
    images, seen = FeatureCache(make, count=300), 0
    for block in images.blocks(10_000, 100):
        seen += len(block)
        assert len(make.asked) * CHUNK <= seen + CHUNK + 100, "made ahead of what was taken"
    assert seen == 300 and not images.cached_images
    assert torch.equal(torch.cat(list(images.blocks(150, 100))), the_first(150))
    assert [len(block) for block in images.blocks(150, 64)] == [64, 64, 22]


def test_an_extractor_without_classes_is_named():
    class NoClasses(Channels):
        """Features alone."""

        name = "no_classes"
        provides = frozenset()

    with pytest.raises(ValueError, match="'no_classes' gives no classes; take one that does: `ggdr list extractors`"):
        FeatureCache(Maker()).logits(NoClasses(), 4)


def test_work_is_shared_without_gaps():
    chunks = cut(0, 300)
    assert sum(map(len, chunks)) == 300 and [len(chunk) for chunk in chunks] == [64, 64, 64, 64, 44]
    shares = [Processes(rank, 3).shard(chunks) for rank in range(3)]
    assert sorted(sum(shares, []), key=lambda chunk: chunk.start) == chunks


PROGRAM = """
import sys, torch
from image_makers import Channels, Maker
from ggdr.features.cache import FeatureCache
from ggdr.processes import Processes
from ggdr.training.launch import make_accelerator
accelerator = make_accelerator("fp32")
processes = Processes(accelerator.process_index, accelerator.num_processes, accelerator.device)
make = Maker()
images = FeatureCache(make, processes=processes)
found = [images.features(Channels(), n) for n in (40, 333)] + [images.logits(Channels(), 100), images.images(200)]
found += [torch.cat(list(images.blocks(333, 50))), torch.tensor(processes.all_gather(processes.rank))]
torch.save((found, make.asked), f"{sys.argv[1]}/{processes.size}-{processes.rank}.pt")
accelerator.end_training()
"""


def test_two_processes_share_the_work_and_hold_the_same_rows(tmp_path):
    script = tmp_path / "share.py"
    script.write_text(PROGRAM)
    two = launch(
        [*LAUNCH, "--multi_gpu", "--num_processes", "2", str(script), str(tmp_path)], ACCELERATE_USE_CPU="true"
    )
    assert two.returncode == 0, two.stderr[-2000:]
    (first, one), (second, other) = (torch.load(tmp_path / f"2-{rank}.pt", weights_only=False) for rank in (0, 1))
    alone = FeatureCache(Maker())
    rows = [alone.features(Channels(), n) for n in (40, 333)]
    expected = [*rows, alone.logits(Channels(), 100), alone.images(200), alone.images(333), torch.arange(2)]
    for ours, theirs, both in zip(first, second, expected, strict=True):
        assert torch.equal(ours, theirs) and torch.equal(ours, both)
    assert not set(one) & set(other) and sorted({*one, *other}, key=lambda chunk: chunk.start)[-1] == range(320, 333)
