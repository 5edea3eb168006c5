"""What is measured: generators, pipelines and files, found by name, made place by place."""

import json
from dataclasses import replace

import pytest
import tiny
import torch
from data_sources import encoded, folder, zipped
from ddpm import pipeline

from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.evaluation.subject import Denoised, Draw, Generated, Stored, find_subject
from ggdr.features.cache import CHUNK
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.sampling import View
from ggdr.saving.model import save_model

CPU = torch.device("cpu")
DRAW = Draw(seed=0, batch_size=16, device=CPU, view=View(noise="random"))
REALS = Digits(size=16, subset=100, labels=True).open()
WAYS = ["stylegan2", "conditional", "dcgan", "pipeline"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """One of each kind, on disk."""
    root = tmp_path_factory.mktemp("subjects")
    torch.manual_seed(0)
    for name, config, labels in (
        ("stylegan2", tiny.STYLEGAN2, 0),
        ("conditional", tiny.STYLEGAN2, 10),
        ("dcgan", DCGANGeneratorConfig(channels=8), 0),
    ):
        network = config.build(ImageSpec(16, 16, 1, labels))
        for part, weights in network.named_parameters():  # as different as trained ones
            if "noise" in part:
                torch.nn.init.constant_(weights, 0.5)
            elif name == "dcgan" and weights.ndim == 4:
                torch.nn.init.normal_(weights, std=0.2)
        save_model(network, root / name)
    pipeline(root / "pipeline")
    return root


def found(path, draw=DRAW, reals=REALS):
    draw = draw._replace(steps=3) if str(path).endswith("pipeline") and draw.steps is None else draw
    return find_subject(ImageFiles(source=str(path)), draw, reals)


@pytest.mark.parametrize("way", WAYS)
def test_a_place_holds_the_same_image_however_many_are_asked_for(places, way):
    subject = found(places / way)
    whole = subject.make(range(CHUNK), 0)
    assert whole.dtype == torch.uint8 and whole.shape == (CHUNK, 1, 16, 16) and len(whole.unique()) > 20
    assert torch.equal(subject.make(range(21), 0), whole[:21])
    assert torch.equal(found(places / way).make(range(CHUNK), 0), whole)


@pytest.mark.parametrize("way", WAYS)
def test_chunks_repeats_and_seeds_hold_other_images(places, way):
    subject = found(places / way)
    first = subject.make(range(8), 0)
    others = [subject.make(range(CHUNK, CHUNK + 8), 0), subject.make(range(8), 1)]
    others.append(found(places / way, DRAW._replace(seed=1)).make(range(8), 0))
    every = torch.cat([first, *others]).flatten(1)
    assert len(every.unique(dim=0)) == len(every)


@pytest.mark.parametrize("way", ["dcgan", "pipeline"])
def test_images_of_one_seed_do_not_depend_on_how_many_are_made_at_once(places, way):
    three, sixteen = (found(places / way, DRAW._replace(batch_size=n)).make(range(20), 0).float() for n in (3, 16))
    assert (three - sixteen).abs().max() <= 1


def test_fresh_noise_differs_between_passes_alone(places):
    fresh, still = (found(places / "stylegan2", DRAW._replace(view=View(noise=n))) for n in ("random", "const"))
    assert not torch.equal(fresh.make(range(16), 0), still.make(range(16), 0))
    small = found(places / "stylegan2", DRAW._replace(batch_size=4, view=View(noise="const")))
    assert (small.make(range(16), 0).float() - still.make(range(16), 0).float()).abs().max() <= 1


def test_making_images_leaves_torch_randomness_alone(places):
    subjects = [found(places / way) for way in WAYS]
    state = torch.get_rng_state()
    for subject in subjects:
        subject.make(range(4), 0)
    assert torch.equal(torch.get_rng_state(), state)


def test_fakes_wear_the_labels_of_the_reals_at_their_places(places):
    subject = found(places / "conditional")
    seen = []
    subject.generator.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    subject.make(range(CHUNK, CHUNK + 20), 2)
    wanted = REALS.at(list(range(CHUNK, CHUNK + 32)), 2).labels
    assert torch.equal(torch.cat(seen), wanted) and len(wanted.unique(dim=0)) > 5
    assert torch.equal(subject.labels(range(5), 1), REALS.at(list(range(5)), 1).labels)
    assert found(places / "stylegan2").labels(range(5), 1) is None


def test_a_conditional_generator_needs_data_with_its_labels(places):
    with pytest.raises(ValueError, match="labels of width 10, and the data has none; choose .* by --data.labels"):
        found(places / "conditional", reals=Digits(size=16).open())


def test_truncation_draws_towards_the_mean(places):
    subjects = [found(places / "stylegan2", DRAW._replace(view=View(psi=psi, noise="none"))) for psi in (None, 0.0)]
    spread = [subject.make(range(16), 0).float().std(dim=0).mean() for subject in subjects]
    assert spread[0] > 5 and spread[1] == 0
    assert [subject.about()["truncation"]["psi"] for subject in subjects] == [1.0, 0.0]


@pytest.mark.parametrize("way", ["dcgan", "pipeline"])
def test_truncation_is_refused_where_there_is_none(places, way):
    with pytest.raises(ValueError, match="no truncation; leave"):
        found(places / way, DRAW._replace(view=View(psi=0.5)))


def test_each_kind_is_recognised(places, tmp_path):
    pictures = folder(tmp_path / "pictures", {f"{n}.png": encoded(n, "L") for n in range(5)})
    archive = zipped(tmp_path / "pictures.zip", {f"{n}.png": encoded(n) for n in range(4)})
    kinds = {places / "stylegan2": Generated, places / "pipeline": Denoised, pictures: Stored, archive: Stored}
    assert [type(found(path)) for path in kinds] == list(kinds.values())
    stored = [found(pictures), found(archive)]
    assert [(subject.count, subject.shape) for subject in stored] == [(5, (1, 8, 8)), (4, (3, 8, 8))]
    assert sorted(stored[0].make(range(5), 0)[:, 0, 0, 0].tolist()) == list(range(5))
    assert torch.equal(stored[0].make(range(5), 0), stored[0].make(range(5), 1))


def test_a_run_a_checkpoint_and_a_model_are_the_same_generator(tmp_path):
    run = tiny.tiny_run(tiny.recipe, tmp_path)
    checkpoint = run.save()
    save_model(run.ema.mean["generator"], tmp_path / "model" / "generator")
    paths = (tmp_path, checkpoint, tmp_path / "model", tmp_path / "model" / "generator")
    images = [found(path).make(range(4), 0) for path in paths]
    assert all(torch.equal(images[0], other) for other in images[1:])
    about = found(tmp_path).about()
    assert about["file"].endswith("generator_ema.safetensors") and about["progress"]["images_seen"] == 0
    assert about["network"]["config"]["type"] == "stylegan2" and len(about["weights"]) == 16


def test_a_run_without_a_checkpoint_is_not_taken_for_a_folder_of_images(tmp_path):
    folder(tmp_path, {"samples/fakes.png": encoded(1), "recipe.json": b"{}"})
    with pytest.raises(ValueError, match="has no checkpoint yet; wait for its first"):
        found(tmp_path)


def test_flags_for_files_are_those_of_the_files_measured(tmp_path):
    source = folder(tmp_path, {"a.png": encoded(1), "b.png": encoded(1, height=9)})
    with pytest.raises(ValueError, match=r"images differ in size .* choose one with --read.size H W"):
        found(source)
    subject = find_subject(ImageFiles(source=source, size=(8, 8)), DRAW, REALS)
    assert subject.shape == (3, 8, 8)


def test_a_pipeline_says_what_it_is(places):
    about = found(places / "pipeline", DRAW._replace(steps=4)).about()
    assert (about["class"], about["steps"]) == ("DDPMPipeline", 4) and len(about["weights"]) == 16
    weights = next((places / "pipeline" / "unet").glob("*.safetensors"))
    other = weights.read_bytes()
    weights.write_bytes(other[:-1] + bytes([other[-1] ^ 1]))
    assert found(places / "pipeline", DRAW._replace(steps=4)).about()["weights"] != about["weights"]
    weights.write_bytes(other)


def test_the_number_of_steps_matters_and_has_a_default(places):
    few, more = (found(places / "pipeline", DRAW._replace(steps=n)).make(range(2), 0) for n in (2, 5))
    assert not torch.equal(few, more)


def score_pipeline(path, channels):
    from diffusers import ScoreSdeVePipeline, ScoreSdeVeScheduler, UNet2DModel

    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    shape = {"sample_size": 16, "in_channels": channels, "out_channels": channels}
    net = UNet2DModel(layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4, **blocks, **shape)
    ScoreSdeVePipeline(net, ScoreSdeVeScheduler(num_train_timesteps=5)).save_pretrained(path)
    return found(path, DRAW._replace(steps=3))


def test_a_score_based_pipeline_is_measured_by_the_same_code(tmp_path):
    subject = score_pipeline(tmp_path, 3)
    first = subject.make(range(3), 0)
    assert subject.shape == (3, 16, 16) and first.shape == (3, 3, 16, 16)
    assert torch.equal(first, subject.make(range(3), 0)) and not torch.equal(first, subject.make(range(3), 1))


def test_what_cannot_make_an_image_is_refused_before_anything_is_measured(tmp_path):
    with pytest.raises(ValueError, match="the ScoreSdeVePipeline in .* makes no image in 3 steps: .*; try other --st"):
        score_pipeline(tmp_path, 1)  # it draws noise of three channels whatever its network is for


def index(path, **entries):
    """A pipeline's folder with these entries in its index."""
    path.mkdir(exist_ok=True)
    (path / "model_index.json").write_text(json.dumps(entries))
    return path


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("DiTPipeline", "needs class_labels; only unconditional pipelines can be measured"),
        ("UnheardOfPipeline", r"holds a UnheardOfPipeline, which diffusers [\d.]+ does not have"),
        (["code", "Pipeline"], "does not name the pipeline's class"),
    ],
)
def test_a_pipeline_that_cannot_be_measured_is_refused(tmp_path, name, said):
    with pytest.raises(ValueError, match=said):
        found(index(tmp_path / "a", _class_name=name))


def test_a_pipeline_that_is_torn_is_refused_in_one_sentence(tmp_path):
    pipeline(tmp_path)
    weights = next((tmp_path / "unet").glob("*.safetensors"))
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ValueError, match=r"the pipeline in .* cannot be read: .*; save or download it again\.$"):
        found(tmp_path)


def test_a_name_that_is_neither_here_nor_a_repository(tmp_path):
    settings = replace(ImageFiles(), source="a/b/c")
    with pytest.raises(ValueError, match="there is no folder 'a/b/c' here|'a/b/c'"):
        find_subject(settings, DRAW, REALS)


@pytest.mark.parametrize("named", [True, False], ids=["named in the index", "lying beside"])
def test_code_in_the_folder_of_a_pipeline_is_not_run(tmp_path, named):
    folder = pipeline(tmp_path / "ddpm")
    (folder / "unet" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n\n\nclass Evil:\n    pass\n")
    if named:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["evil", "Evil"]}))
    with pytest.raises(ValueError, match=r"holds code of its own.*, which is not run; measure a folder of the images"):
        find_subject(ImageFiles(source=str(folder)), DRAW, REALS)
    assert not (tmp_path / "ran").exists()
