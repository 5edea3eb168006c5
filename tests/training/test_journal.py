"""The run's own output: grids, metrics.jsonl, plots, health advice and trackers."""

import json
import math
import time

import numpy as np
import pytest
import torch
from PIL import Image

from ggdr.registry import trackers
from ggdr.sampling.grid import GAP_PX, grid_columns, make_grid, save_grid, to_uint8
from ggdr.trackers.accelerate import AccelerateTracker, TensorBoard
from ggdr.training.health import Health
from ggdr.training.journal import Journal, NoJournal
from ggdr.training.progress import Progress, summary
from ggdr.visualization.plots import plot_losses, smooth

STATS = {"loss/g/non_saturating": 1.5, "loss/d/non_saturating": 1.0, "loss/d/r1": 0.1}
HEALTHY = {"signs/real": 0.6, "signs/fake": -0.5, "logits/real": 1.0, "logits/fake": -1.0, "grad/g": 0.5, "grad/d": 2.0}


def lines(out):
    return [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]


def pixels(path):
    with Image.open(path) as image:
        return image.mode, np.asarray(image)


def advice(runs, health=None):
    """All advice that log lines of (kimg, stats) bring about."""
    health = health or Health()
    return [text for kimg, stats in runs for text in health.advice({"kimg": kimg, **stats})]


# ---------------------------------------------------------------------------------------------------------------- grid


def test_tiles_lie_row_by_row_and_missing_ones_are_white():
    images = torch.arange(1, 6, dtype=torch.uint8).view(5, 1, 1, 1).expand(5, 3, 2, 4)
    whole = make_grid(images, columns=3, scale=1)
    assert whole.shape == (2 * 2 + GAP_PX, 3 * 4 + 2 * GAP_PX, 3)
    assert whole[:: 2 + GAP_PX, :: 4 + GAP_PX, 0].tolist() == [[1, 2, 3], [4, 5, 255]]
    assert (whole[2 : 2 + GAP_PX] == 255).all() and (whole[:, 4 : 4 + GAP_PX] == 255).all()


def test_grid_file_holds_the_very_pixels_enlarged(tmp_path):
    images = torch.randint(0, 256, (6, 3, 4, 4), dtype=torch.uint8)
    save_grid(images, tmp_path / "grid.png", columns=3, scale=2)
    mode, array = pixels(tmp_path / "grid.png")
    assert mode == "RGB" and array.shape == (16 + GAP_PX, 24 + 2 * GAP_PX, 3)
    fifth = array[8 + GAP_PX :, 8 + GAP_PX : 16 + GAP_PX]
    for pixel in (fifth[::2, ::2], fifth[1::2, ::2], fifth[::2, 1::2], fifth[1::2, 1::2]):
        assert (pixel == images[4].permute(1, 2, 0).numpy()).all()
    assert [path.name for path in tmp_path.iterdir()] == ["grid.png"]


@pytest.mark.parametrize(
    ("channels", "mode", "shown"), [(1, "L", 1), (2, "L", 1), (3, "RGB", 3), (4, "RGBA", 4), (7, "RGB", 3)]
)
def test_grids_of_any_channel_count(tmp_path, channels, mode, shown):
    images = torch.randint(0, 256, (2, channels, 8, 8), dtype=torch.uint8)
    save_grid(images, tmp_path / "grid.png", columns=1, scale=1)
    found, array = pixels(tmp_path / "grid.png")
    assert found == mode
    assert (array.reshape(16 + GAP_PX, 8, shown)[:8] == images[0, :shown].permute(1, 2, 0).numpy()).all()


def test_small_images_are_enlarged_to_be_seen_and_large_ones_left_alone(tmp_path):
    save_grid(torch.zeros(4, 1, 8, 8, dtype=torch.uint8), tmp_path / "small.png")
    save_grid(torch.zeros(4, 1, 400, 400, dtype=torch.uint8), tmp_path / "large.png")
    assert pixels(tmp_path / "small.png")[1].shape == (608 + GAP_PX, 608 + GAP_PX)
    assert pixels(tmp_path / "large.png")[1].shape == (800 + GAP_PX, 800 + GAP_PX)


@pytest.mark.parametrize(
    ("count", "height", "width", "columns"), [(64, 8, 8, 8), (32, 8, 8, 8), (7, 8, 8, 3), (1, 8, 8, 1), (16, 8, 16, 4)]
)
def test_default_layout_is_near_square(count, height, width, columns):
    assert grid_columns(count, height, width) == columns


def test_an_empty_grid_is_refused(tmp_path):
    with pytest.raises(ValueError, match="made of uint8 images"):
        save_grid(torch.zeros(0, 3, 8, 8, dtype=torch.uint8), tmp_path / "grid.png")


def test_uint8_survives_the_way_to_float_and_back():
    values = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(to_uint8(values.float() / 127.5 - 1), values)
    assert to_uint8(torch.tensor([-3.0, 3.0, math.nan, math.inf])).tolist() == [0, 255, 0, 255]


# --------------------------------------------------------------------------------------------------------------- jsonl


def test_a_log_line_says_when_how_fast_and_what(tmp_path):
    journal = Journal(tmp_path, total_kimg=1)
    journal.log(500, 10, STATS)
    journal.log(500, 10, {"metric/swd": 3.0})
    journal.close()
    first, second = lines(tmp_path)
    assert first["step"] == 10 and first["kimg"] == 0.5 and first["images_per_second"] > 0
    assert {key: first[key] for key in STATS} == STATS
    assert "images_per_second" not in second and second["seconds"] >= first["seconds"]


def test_not_a_number_is_null_in_valid_json(tmp_path):
    Journal(tmp_path, 1).log(100, 1, {"a": math.nan, "b": math.inf, "c": -math.inf, "d": 1e-30})
    text = (tmp_path / "metrics.jsonl").read_text()
    row = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    assert (row["a"], row["b"], row["c"], row["d"]) == (None, None, None, 1e-30)


def test_resume_drops_what_will_be_replayed_and_a_torn_line(tmp_path):
    rows = [{"step": step, "kimg": step / 10, "seconds": step * 500.0} for step in (1, 2, 3)]
    (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows) + '{"step": 1, "ki')
    journal = Journal(tmp_path, 1, step=2, images_seen=200)
    assert lines(tmp_path) == rows[:2]
    time.sleep(0.1)  # `seconds` is rounded to a thousandth
    journal.log(300, 3, STATS)
    last = lines(tmp_path)[-1]
    assert last["step"] == 3 and 1000 <= last["seconds"] < 1060
    assert 98 < last["images_per_second"] * (last["seconds"] - 1000) < 102  # only the images since the resume count


def test_a_run_without_a_checkpoint_starts_its_journal_anew(tmp_path):
    Journal(tmp_path, 1).log(100, 1, STATS)
    Journal(tmp_path, 1)
    assert lines(tmp_path) == []


def test_grids_are_named_by_thousands_of_images(tmp_path):
    journal = Journal(tmp_path, 100)
    images = torch.zeros(4, 1, 8, 8, dtype=torch.uint8)
    assert journal.grid("fakes", images, 12_300) == tmp_path / "samples" / "fakes-000012.300kimg.png"
    assert journal.grid("reals", images) == tmp_path / "samples" / "reals.png"
    assert all(path.is_file() for path in (tmp_path / "samples").iterdir())


def test_the_other_processes_leave_no_trace(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    journal = NoJournal()
    journal.log(1, 1, STATS)
    journal.grid("fakes", torch.zeros(1, 1, 8, 8, dtype=torch.uint8), 1)
    journal.plot()
    journal.say("hello")
    journal.close()
    assert not list(tmp_path.iterdir()) and not capsys.readouterr().out


# ------------------------------------------------------------------------------------------------------------ progress


def test_without_a_terminal_progress_is_plain_lines_now_and_then(capsys):
    progress = Progress(total_kimg=10)
    for kimg in range(1, 11):
        progress.show({"kimg": float(kimg), "images_per_second": 300.0, **STATS, "augment/p": 0.25})
    progress.close()
    out = capsys.readouterr().out.splitlines()
    assert len(out) == 2
    assert out[0].startswith("1.0/10 kimg, 0:00 elapsed") and out[1].startswith("10.0/10 kimg")
    assert out[0].endswith("300 images/s, g 1.500, d 1.000, p 0.250")


def test_a_short_run_does_not_look_done_before_it_is(capsys):
    progress = Progress(total_kimg=0.064)
    progress.show({"kimg": 0.032, "images_per_second": 300.0, **STATS})
    assert capsys.readouterr().out.startswith("0.032/0.064 kimg, ")


def test_the_summary_of_a_broken_step_says_so():
    assert summary({"loss/g/hinge": math.nan, "loss/d/hinge": 1.0, "loss/d/r1": 2.0}) == "g nan, d 1.000"


def test_a_metric_gets_a_line_of_its_own(tmp_path, capsys):
    journal = Journal(tmp_path, 10)
    journal.log(1000, 10, STATS)
    journal.log(1000, 10, {"metric/swd/mean": 12.345, "metric/swd/32": 13.0})
    assert capsys.readouterr().out.splitlines()[-1] == "1.0 kimg: swd/mean 12.35, swd/32 13"


# --------------------------------------------------------------------------------------------------------------- plots


def busy_row(kimg):
    rest = {
        "logits/real": 1.0,
        "logits/fake": -1.0,
        "signs/real": 0.5,
        "augment/p": 0.1,
        "grad/g": 1.0,
        "images_per_second": 9.0,
    }
    return {"step": 1, "kimg": kimg, "seconds": 1.0, **STATS, **rest, "metric/swd/mean": 5.0, "metric/kid": 5.0}


ODD_LOGS = {
    "no file": None,
    "empty": [],
    "one point": [busy_row(0.1)],
    "nothing but nulls": [{"step": 1, "kimg": 0.1, "grad/g": None}],
    "nulls between": [{"step": i, "kimg": i, "grad/g": None if i % 2 else 1.0, "grad/d": None} for i in range(9)],
    "all zero": [{"step": i, "kimg": i, "loss/d/ggdr": 0.0, "loss/d/r1": 0.0} for i in range(30)],
    "of both signs": [{"step": i, "kimg": i, "loss/d/wasserstein": -1e5, "loss/d/wgan_gp": 0.1} for i in range(1, 30)],
    "many": [busy_row(i / 10) for i in range(500)],
}


@pytest.mark.parametrize("log", ODD_LOGS)
def test_plots_can_be_drawn_of_any_log(tmp_path, log):
    if ODD_LOGS[log] is not None:
        (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in ODD_LOGS[log]))
    plot_losses(tmp_path / "m.jsonl", tmp_path / "losses.png")
    _, array = pixels(tmp_path / "losses.png")
    assert min(array.shape[:2]) > 250
    assert len(np.unique(array.reshape(-1, array.shape[2]), axis=0)) > 10


def test_panels_appear_with_their_data(tmp_path):
    sizes = []
    for rows in ([{"step": 1, "kimg": 1.0, "grad/g": 1.0}], [busy_row(1.0)]):
        (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        plot_losses(tmp_path / "m.jsonl", tmp_path / "losses.png")
        sizes.append(pixels(tmp_path / "losses.png")[1].shape[:2])
    one, eight = sizes  # eight panels in three columns, to the pixels that a figure's edges are rounded to
    assert eight == pytest.approx((3 * one[0], 3 * one[1]), abs=3)


def test_smoothing_keeps_constants_and_trends_and_removes_noise():
    assert smooth([3.0] * 200) == pytest.approx([3.0] * 200)
    ramp = np.arange(200.0)
    assert smooth(ramp.tolist())[50:150] == pytest.approx(ramp[50:150])
    noise = np.random.default_rng(0).normal(size=200)
    assert np.std(smooth(noise.tolist())) < 0.5


def test_the_journal_plots_what_it_logged(tmp_path):
    journal = Journal(tmp_path, 1)
    journal.log(100, 1, STATS)
    assert journal.plot() == tmp_path / "losses.png" and (tmp_path / "losses.png").stat().st_size > 5000


# -------------------------------------------------------------------------------------------------------------- health


def test_a_healthy_run_gets_no_advice():
    dice = np.random.default_rng(0)
    wobble = [(kimg, {key: value * dice.lognormal(0, 0.4) for key, value in HEALTHY.items()}) for kimg in range(1, 300)]
    assert advice(wobble) == []


def test_a_short_run_gets_no_advice_however_wild():
    wild = HEALTHY | {"signs/real": 1.0, "signs/fake": -1.0, "logits/real": -1.0, "augment/p": 1.0}
    assert advice([(kimg / 4, wild | {"grad/g": 10.0**kimg}) for kimg in range(1, 20)]) == []


@pytest.mark.parametrize(
    ("unhealthy", "words"),
    [
        ({"signs/real": 1.0, "signs/fake": -1.0}, "G learns little"),
        ({"logits/real": -0.1, "logits/fake": 0.1}, "no better than a coin"),
        ({"augment/p": 0.95}, "p stays at 0.8"),
    ],
)
def test_lasting_trouble_is_told_once(unhealthy, words):
    texts = advice([(kimg, HEALTHY | unhealthy) for kimg in range(1, 300)])
    assert len(texts) == 1 and words in texts[0]


@pytest.mark.parametrize("player", ["g", "d"])
def test_a_skipped_update_is_told_at_once(player):
    texts = advice(
        [(0.1, {f"nonfinite/{player}": 1.0, f"grad/{player}": math.nan}), (0.2, {f"nonfinite/{player}": 2.0})]
    )
    assert len(texts) == 1 and texts[0].startswith(f"Health: {player.upper()}'s gradients were not finite")


@pytest.mark.parametrize("player", ["g", "d"])
def test_exploding_gradients_are_told_and_a_single_spike_is_not(player):
    key = f"grad/{player}"
    calm = [(kimg / 2, HEALTHY) for kimg in range(1, 100)]
    assert advice([*calm, (50, HEALTHY | {key: 1e3}), *[(50 + kimg / 2, HEALTHY) for kimg in range(1, 20)]]) == []
    texts = advice([*calm, *[(50 + kimg, HEALTHY | {key: 1e3}) for kimg in range(10)]])
    assert len(texts) == 1 and "many times their usual norm" in texts[0]


# ------------------------------------------------------------------------------------------------------------ trackers


def events(out):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(out / "tensorboard"))
    found.Reload()
    return found


@pytest.fixture
def accelerate_state():
    """The state that a trainer's Accelerator would have made; left as it was found."""
    from accelerate import PartialState

    ours = not PartialState._shared_state
    yield PartialState(cpu=True)
    if ours:
        PartialState._reset_state()


def test_tensorboard_holds_numbers_pictures_and_settings(tmp_path, accelerate_state):
    journal = Journal(tmp_path, 1, [TensorBoard()], config={"batch": 32, "loss": "hinge"})
    journal.log(100, 7, STATS | {"grad/g": math.nan})
    picture = torch.randint(0, 256, (4, 1, 8, 8), dtype=torch.uint8)
    journal.grid("fakes", picture, 100)
    journal.close()
    found = events(tmp_path)
    scalar = found.Scalars("loss/d/r1")[0]
    assert (scalar.step, round(scalar.value, 6)) == (7, 0.1)
    assert "kimg" in found.Tags()["scalars"] and "grad/g" not in found.Tags()["scalars"]
    image = found.Images("samples/fakes")[0]
    assert (image.step, image.width, image.height) == (7, 608 + GAP_PX, 608 + GAP_PX)
    assert b"hinge" in found.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0]


def test_tensorboard_forgets_what_a_resumed_run_replays(tmp_path, accelerate_state):
    first = Journal(tmp_path, 1, [TensorBoard()])
    for step in (1, 2, 3):
        first.log(step * 100, step, {"a": 1.0})
    first.close()
    again = Journal(tmp_path, 1, [TensorBoard()], step=2, images_seen=200)
    again.log(300, 3, {"a": 2.0})
    again.close()
    assert [(point.step, point.value) for point in events(tmp_path).Scalars("a")] == [(1, 1.0), (2, 1.0), (3, 2.0)]


def test_a_tracker_without_its_package_says_what_to_install(tmp_path):
    missing = type("Missing", (AccelerateTracker,), {"name": "missing", "package": "no_such_tracker"})
    with pytest.raises(ValueError, match=r"tracker 'missing' needs a package: pip install no_such_tracker"):
        Journal(tmp_path, 1, [missing()])


def test_an_unknown_tracker_is_answered_with_the_nearest():
    with pytest.raises(ValueError, match=r"unknown tracker 'tensorbord'. Did you mean 'tensorboard'"):
        trackers.find("tensorbord")


def test_every_tracker_of_accelerate_is_registered_and_can_be_made():
    from accelerate.tracking import LOGGER_TYPE_TO_CLASS

    trackers.find("tensorboard")
    assert set(LOGGER_TYPE_TO_CLASS) <= set(trackers)


@pytest.mark.parametrize(
    "name", ["wandb", "trackio", "aim", "comet_ml", "mlflow", "clearml", "swanlab", "dvclive", "tensorboard"]
)
def test_accelerate_takes_what_each_tracker_hands_it(tmp_path, name):
    opened = trackers.find(name)().open(tmp_path / "run", step=0)
    assert opened.name == name
