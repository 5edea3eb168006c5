"""The order of images is a pure function of (seed, position): for any workers, any processes, any start."""

import warnings
from itertools import islice

import pytest
import torch
from data_sources import encoded, folder, gray_of

from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.data.loader import batches
from ggdr.networks.base import ImageSpec

N = 20


@pytest.fixture(scope="module", params=[0, 512], ids=["decoded", "cached"])
def images(request, tmp_path_factory):
    files = {f"{value}.png": encoded(value) for value in range(N)}
    source = folder(tmp_path_factory.mktemp("order"), files)
    return ImageFiles(source=source, cache_mb=request.param).open()


def values(loader, steps: int) -> list[int]:
    return [gray_of(image) for batch in islice(loader, steps) for image in batch["real"].images]


def test_every_epoch_shows_each_image_once_in_an_order_of_its_own(images):
    shown = values(batches(images, seed=3, start=0, batch_size=10), 6)
    epochs = [shown[first : first + N] for first in range(0, 3 * N, N)]
    assert all(sorted(epoch) == list(range(N)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_another_seed_is_another_order(images):
    assert values(batches(images, seed=3, start=0, batch_size=N), 1) != values(
        batches(images, seed=4, start=0, batch_size=N), 1
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_resuming_mid_epoch_goes_on_where_it_stopped(images, workers):
    whole = values(batches(images, seed=1, start=0, batch_size=6), 10)
    assert values(batches(images, seed=1, start=24, batch_size=6, num_workers=workers), 6) == whole[24:]


def test_workers_change_nothing(images):
    one, two = (batches(images, seed=0, start=7, batch_size=6, num_workers=workers) for workers in (0, 2))
    assert values(one, 8) == values(two, 8)


def test_two_processes_share_what_one_reads(images):
    whole = values(batches(images, seed=0, start=0, batch_size=8), 5)
    halves = [values(batches(images, seed=0, start=0, batch_size=8, rank=rank, world=2), 5) for rank in (0, 1)]
    merged = [value for step in range(5) for half in halves for value in half[4 * step : 4 * step + 4]]
    assert merged == whole


def test_a_batch_that_processes_cannot_share_is_refused(images):
    with pytest.raises(ValueError, match="batch of 9 cannot be shared by 2 processes"):
        batches(images, seed=0, start=0, batch_size=9, rank=0, world=2)


@pytest.mark.parametrize("workers", [0, 2])
def test_loading_leaves_the_global_generator_alone(images, workers):
    torch.manual_seed(0)
    before = torch.get_rng_state()
    values(batches(images, seed=0, start=0, batch_size=4, num_workers=workers), 3)
    assert torch.equal(torch.get_rng_state(), before)


def test_what_one_worker_decodes_the_others_find_in_memory(tmp_path):
    source = folder(tmp_path, {f"{value}.png": encoded(value) for value in range(N)})
    images = ImageFiles(source=source).open()
    values(batches(images, seed=0, start=0, batch_size=N, num_workers=2), 2)
    for value in range(N):
        (tmp_path / f"{value}.png").write_bytes(b"gone")
    assert sorted(values(batches(images, seed=0, start=0, batch_size=N), 1)) == list(range(N))


@pytest.mark.parametrize(("batch", "workers"), [(1, 0), (7, 0), (7, 2)])
def test_ten_files_that_cannot_be_read_are_named_and_all_are_noted(batch, workers, tmp_path):
    broken = {f"broken{value:02}.png": b"no image" for value in range(13)}
    images = ImageFiles(source=folder(tmp_path, broken | {f"{value}.png": encoded(value) for value in range(8)})).open()
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        values(batches(images, seed=0, start=0, batch_size=batch, num_workers=workers), 2 * 21 // batch)
    named = [str(each.message) for each in said if "stands in for it" in str(each.message)]
    assert len(named) == len(set(named)) == 10 and all(name.startswith("cannot read 'broken") for name in named)
    assert images.unreadable.keys() == broken.keys()


def test_an_opened_set_can_be_sent_to_a_spawned_process(images):
    import pickle

    again = pickle.loads(pickle.dumps(images))
    assert torch.equal(again.at(range(N), 2).images, images.at(range(N), 2).images)


def test_digits_are_enlarged_scans_in_all_the_range_of_gray():
    images = Digits().open()
    assert images.spec == ImageSpec(32, 32, 1) and len(images) == 1797
    shown = images.at(range(1797), 0)
    assert shown.images.shape == (1797, 1, 32, 32) and shown.images.dtype == torch.uint8
    assert shown.images.min() == 0 and shown.images.max() == 255 and shown.labels is None
    assert 45 < shown.images.float().mean() < 60  # the scans' own mean is 4.9 of 16, the margin is black


def test_digits_carry_their_class():
    from sklearn.datasets import load_digits

    images = Digits(size=8, margin=0, labels=True, subset=100).open()
    batch = images.at(range(100), 0)
    scans = {tuple(scan.astype(int).ravel()): digit for scan, digit in zip(*load_digits(return_X_y=True), strict=True)}
    restored = (batch.images.float() * 16 / 255).round().int().flatten(1)
    assert images.label_names == tuple("0123456789") and images.spec.labels == 10
    assert [scans[tuple(scan.tolist())] for scan in restored] == batch.labels.argmax(1).tolist()


@pytest.mark.parametrize(("settings", "message"), [({"size": 4}, "type size 32"), ({"subset": 0}, "1 to 1797")])
def test_digits_refuse_what_they_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        Digits(**settings).open()
