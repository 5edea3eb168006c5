"""Sources of images: generators, pipelines and files, found by name, made place by place."""

import json
from dataclasses import replace

import pytest
import tiny
import torch
from data_sources import encoded, folder, zipped
from ddpm import pipeline

from ggdr.data.digits import Digits
from ggdr.data.images import ImageFiles
from ggdr.evaluation.sources import (
    GeneratorSource,
    PipelineSource,
    SamplingSettings,
    StoredImages,
    find_model,
    find_source,
)
from ggdr.features.cache import CHUNK
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.sampling import SamplingOptions
from ggdr.saving.model import save_model

CPU = torch.device("cpu")
SAMPLING = SamplingSettings(CPU, SamplingOptions(noise="random"))
REALS = Digits(size=16, subset=100, labels=True).open()
WAYS = ["stylegan2", "conditional", "dcgan", "pipeline"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """One of each kind, on disk."""
    root = tmp_path_factory.mktemp("sources")
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


def found(path, sampling=SAMPLING, reals=REALS):
    if str(path).endswith("pipeline") and sampling.steps is None:
        sampling = sampling._replace(steps=3)
    return opened(ImageFiles(source=str(path)), sampling, reals)


def opened(settings, sampling=SAMPLING, reals=REALS):
    return find_source(settings, sampling, reals, find_model(settings.source))


def made(source, places, repeat=0, seed=0, batch_size=16):
    return source.make(places, repeat, seed, batch_size)


@pytest.mark.parametrize("way", WAYS)
def test_a_place_holds_the_same_image_however_many_are_asked_for(places, way):
    source = found(places / way)
    whole = made(source, range(CHUNK))
    assert whole.dtype == torch.uint8 and whole.shape == (CHUNK, 1, 16, 16) and len(whole.unique()) > 20
    assert torch.equal(made(source, range(21)), whole[:21])
    assert torch.equal(made(found(places / way), range(CHUNK)), whole)


@pytest.mark.parametrize("way", WAYS)
def test_chunks_repeats_and_seeds_hold_other_images(places, way):
    source = found(places / way)
    first = made(source, range(8))
    others = [made(source, range(CHUNK, CHUNK + 8)), made(source, range(8), 1)]
    others.append(made(found(places / way), range(8), seed=1))
    every = torch.cat([first, *others]).flatten(1)
    assert len(every.unique(dim=0)) == len(every)


@pytest.mark.parametrize("way", ["dcgan", "pipeline"])
def test_images_of_one_seed_do_not_depend_on_how_many_are_made_at_once(places, way):
    three, sixteen = (made(found(places / way), range(20), batch_size=n).float() for n in (3, 16))
    assert (three - sixteen).abs().max() <= 1


def test_fresh_noise_differs_between_passes_alone(places):
    fresh, still = (
        found(places / "stylegan2", SAMPLING._replace(view=SamplingOptions(noise=n))) for n in ("random", "const")
    )
    assert not torch.equal(made(fresh, range(16)), made(still, range(16)))
    assert (made(still, range(16), batch_size=4).float() - made(still, range(16)).float()).abs().max() <= 1


def test_making_images_leaves_torch_randomness_alone(places):
    sources = [found(places / way) for way in WAYS]
    state = torch.get_rng_state()
    for source in sources:
        made(source, range(4))
    assert torch.equal(torch.get_rng_state(), state)


def test_fakes_wear_the_labels_of_the_reals_at_their_places(places):
    source = found(places / "conditional")
    seen = []
    source.generator.register_forward_pre_hook(lambda _, given: seen.append(given[1]))
    made(source, range(CHUNK, CHUNK + 20), 2)
    wanted = REALS.at(list(range(CHUNK, CHUNK + 32)), 2).labels
    assert torch.equal(torch.cat(seen), wanted) and len(wanted.unique(dim=0)) > 5
    assert torch.equal(source.labels(range(5), 1), REALS.at(list(range(5)), 1).labels)
    assert found(places / "stylegan2").labels(range(5), 1) is None


def test_a_conditional_generator_needs_data_with_its_labels(places):
    with pytest.raises(ValueError, match="labels of width 10, and the data has none; choose .* by --data.labels"):
        found(places / "conditional", reals=Digits(size=16).open())


def test_truncation_draws_towards_the_mean(places):
    sources = [
        found(places / "stylegan2", SAMPLING._replace(view=SamplingOptions(truncation_psi=psi, noise="none")))
        for psi in (None, 0.0)
    ]
    deviations = [made(source, range(16)).float().std(dim=0).mean() for source in sources]
    assert deviations[0] > 5 and deviations[1] == 0
    assert [source.describe()["truncation"]["psi"] for source in sources] == [1.0, 0.0]


@pytest.mark.parametrize("way", ["dcgan", "pipeline"])
def test_truncation_is_refused_where_there_is_none(places, way):
    with pytest.raises(ValueError, match="no truncation; leave"):
        found(places / way, SAMPLING._replace(view=SamplingOptions(truncation_psi=0.5)))


def test_each_kind_is_recognised(places, tmp_path):
    pictures = folder(tmp_path / "pictures", {f"{n}.png": encoded(n, "L") for n in range(5)})
    archive = zipped(tmp_path / "pictures.zip", {f"{n}.png": encoded(n) for n in range(4)})
    kinds = {
        places / "stylegan2": GeneratorSource,
        places / "pipeline": PipelineSource,
        pictures: StoredImages,
        archive: StoredImages,
    }
    assert [type(found(path)) for path in kinds] == list(kinds.values())
    stored = [found(pictures), found(archive)]
    assert [(source.count, source.shape) for source in stored] == [(5, (1, 8, 8)), (4, (3, 8, 8))]
    assert sorted(made(stored[0], range(5), 0)[:, 0, 0, 0].tolist()) == list(range(5))
    assert torch.equal(made(stored[0], range(5), 0), made(stored[0], range(5), 1))


def test_a_run_a_checkpoint_and_a_model_are_the_same_generator(tmp_path):
    run = tiny.tiny_run(tiny.recipe, tmp_path)
    checkpoint = run.save()
    save_model(run.ema.mean["generator"], tmp_path / "model" / "generator")
    paths = (tmp_path, checkpoint, tmp_path / "model", tmp_path / "model" / "generator")
    images = [made(found(path), range(4)) for path in paths]
    assert all(torch.equal(images[0], other) for other in images[1:])
    described = found(tmp_path).describe()
    assert described["file"].endswith("generator_ema.safetensors") and described["progress"]["images_seen"] == 0
    assert described["network"]["config"]["type"] == "stylegan2" and len(described["weights"]) == 16


def test_a_run_without_a_checkpoint_is_not_taken_for_a_folder_of_images(tmp_path):
    folder(tmp_path, {"samples/fakes.png": encoded(1), "recipe.json": b"{}"})
    with pytest.raises(ValueError, match="has no checkpoint yet; wait for its first"):
        found(tmp_path)


def test_flags_for_files_are_those_of_the_files_measured(tmp_path):
    pictures = folder(tmp_path, {"a.png": encoded(1), "b.png": encoded(1, height=9)})
    with pytest.raises(ValueError, match=r"images differ in size .* choose one with read.size H W"):
        found(pictures)
    source = opened(ImageFiles(source=pictures, size=(8, 8)))
    assert source.shape == (3, 8, 8)


def test_a_pipeline_says_what_it_is(places):
    described = found(places / "pipeline", SAMPLING._replace(steps=4)).describe()
    assert (described["class"], described["steps"]) == ("DDPMPipeline", 4) and len(described["weights"]) == 16
    weights = next((places / "pipeline" / "unet").glob("*.safetensors"))
    other = weights.read_bytes()
    weights.write_bytes(other[:-1] + bytes([other[-1] ^ 1]))
    assert found(places / "pipeline", SAMPLING._replace(steps=4)).describe()["weights"] != described["weights"]
    weights.write_bytes(other)


def test_the_number_of_steps_matters_and_has_a_default(places):
    few, more = (made(found(places / "pipeline", SAMPLING._replace(steps=n)), range(2), 0) for n in (2, 5))
    assert not torch.equal(few, more)


def score_pipeline(path, channels):
    from diffusers import ScoreSdeVePipeline, ScoreSdeVeScheduler, UNet2DModel

    torch.manual_seed(0)
    blocks = {"down_block_types": ("DownBlock2D",) * 2, "up_block_types": ("UpBlock2D",) * 2}
    shape = {"sample_size": 16, "in_channels": channels, "out_channels": channels}
    net = UNet2DModel(layers_per_block=1, block_out_channels=(8, 8), norm_num_groups=4, **blocks, **shape)
    ScoreSdeVePipeline(net, ScoreSdeVeScheduler(num_train_timesteps=5)).save_pretrained(path)
    return found(path, SAMPLING._replace(steps=3))


def test_a_score_based_pipeline_is_measured_by_the_same_code(tmp_path):
    source = score_pipeline(tmp_path, 3)
    first = made(source, range(3))
    assert source.shape == (3, 16, 16) and first.shape == (3, 3, 16, 16)
    assert torch.equal(first, made(source, range(3))) and not torch.equal(first, made(source, range(3), 1))


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
        opened(settings)


@pytest.mark.parametrize("named", [True, False], ids=["named in the index", "lying beside"])
def test_code_in_the_folder_of_a_pipeline_is_not_run(tmp_path, named):
    folder = pipeline(tmp_path / "ddpm")
    (folder / "unet" / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n\n\nclass Evil:\n    pass\n")
    if named:
        index = json.loads((folder / "model_index.json").read_text())
        (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["evil", "Evil"]}))
    with pytest.raises(ValueError, match=r"holds its own code.*, which is not run; measure a folder of the images"):
        opened(ImageFiles(source=str(folder)))
    assert not (tmp_path / "ran").exists()
