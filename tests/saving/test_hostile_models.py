"""Models, checkpoints and logs that were edited: refused in one sentence, before memory is taken."""

from __future__ import annotations

import json
import os
import pickle
import re
import struct
from pathlib import Path

import pytest
import torch
from hostile_files import peak_mb
from safetensors.torch import load_file, save_file

from ggdr.documents import MOST_BYTES
from ggdr.networks.base import ImageSpec
from ggdr.networks.dcgan import DCGANGeneratorConfig
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig
from ggdr.saving import checkpoint, log_file
from ggdr.saving.model import find_saved, load_model, save_model


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    place = tmp_path_factory.mktemp("original")
    torch.manual_seed(0)
    save_model(StyleGAN2GeneratorConfig.tiny().build(ImageSpec(16, 16)), place)
    return place


@pytest.fixture
def model(original, tmp_path):
    """A model's folder to be edited."""
    for file in original.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def refusal(place: Path) -> str:
    """The one sentence with which a model is refused; nothing large was taken meanwhile."""
    before = peak_mb()
    with pytest.raises(ValueError) as refused:
        load_model(place)
    assert peak_mb() - before < 60
    text = str(refused.value)
    assert text.isprintable() and str(place) in text and "ggdr" in str(refused.traceback[-1].path)
    return text


EDITS = {
    "a thousand million channels": ("config", "channel_max", 10**9, "16,777,216 is the most"),
    "more channels than numbers have": ("config", "channel_base", 10**30, "16,777,216 is the most"),
    "no channels": ("config", "channel_max", -8, "give a number above 0"),
    "a latent code of millions": ("config", "z_dim", 2**23, "far more than its weights hold"),
    "styles of millions": ("config", "w_dim", 2**23, "far more"),
    "negative width": ("config", "w_dim", -1, "cannot be built"),
    "a million layers": ("config", "mapping_layers", 10**6, "far more than its weights hold"),
    "a thousand million layers": ("config", "mapping_layers", 10**9, "16,777,216 is the most"),
    "numbers as text": ("config", "z_dim", "8", "must be a int"),
    "fractions": ("config", "z_dim", 8.5, "must be a int"),
    "truth for a number": ("config", "z_dim", True, "must be a int"),
    "a list for a type": ("config", "type", ["stylegan2"], "must be a registered name"),
    "a picture of 2^30 px": ("spec", "height", 2**30, "from 1 to 16,384"),
    "a picture of nothing": ("spec", "width", 0, "from 1 to 16,384"),
    "no colours": ("spec", "channels", 0, "1 or more"),
    "a thousand million labels": ("spec", "labels", 10**9, "far more"),
    "strange target channels": ("extra", "target_channels", {"eight": 8}, "in whole numbers"),
    "target channels in a list": ("extra", "target_channels", [8], "in whole numbers"),
}


@pytest.mark.parametrize("what", EDITS)
def test_a_description_is_held_against_its_weights_before_memory_is_taken(model, what):
    part, field, value, hint = EDITS[what]
    config = json.loads((model / "config.json").read_text())
    config.setdefault(part, {})[field] = value
    (model / "config.json").write_text(json.dumps(config))
    assert re.search(hint, refusal(model))


def test_a_network_of_large_images_and_few_weights_is_refused(tmp_path):
    """Without weights that grow with the image, only its size says what an image takes."""
    save_model(DCGANGeneratorConfig.tiny().build(ImageSpec(16, 16)), tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config["spec"] |= {"height": 2**15, "width": 2**15}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert "from 1 to 16,384" in refusal(tmp_path)


DOCUMENTS = {
    "a field twice": ('{"kind": "generator", "kind": "discriminator"}', "names 'kind' twice"),
    "NaN": ('{"kind": NaN}', "NaN is no setting"),
    "a list": ("[1]", "no JSON object"),
    "a pit of lists": ('{"a":' + "[" * 100_000 + "]" * 100_000 + "}", "too deep"),
    "a pit of a hundred lists": ('{"a":' + "[" * 100 + "]" * 100 + "}", "too deep"),
    "a number without end": ('{"a": ' + "9" * 100_000 + "}", "no JSON"),
    "megabytes": ('{"a": "' + "x" * MOST_BYTES + '"}', "bytes, more than the"),
    "nothing": ("", "no JSON"),
}


@pytest.mark.parametrize("what", DOCUMENTS)
def test_a_document_that_is_no_plain_object_is_refused(model, what):
    text, hint = DOCUMENTS[what]
    for name in ("config.json", "recipe.json"):
        (model / name).write_text(text)
    assert hint in refusal(model)
    with pytest.raises(
        ValueError, match="cannot read .*recipe.json: .*; remove .* to go on from the one before"
    ) as bad:
        checkpoint.read_json(model, "recipe.json")
    assert hint in str(bad.value)


def test_a_hundred_megabytes_of_json_are_not_read(model):
    with (model / "config.json").open("wb") as file:
        file.truncate(100 * 2**20)
    assert "104,857,600 bytes" in refusal(model)


@pytest.mark.parametrize("name", ["../other", "/etc/x", "a/b", "..", "", "a\nb", ".hidden", "x" * 200])
def test_a_name_of_a_network_is_no_path(tmp_path, name):
    (tmp_path / "networks.json").write_text(json.dumps({name: {}}))
    with pytest.raises(ValueError, match="which is no name of a file here"):
        find_saved(tmp_path)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("what", ["pipe", "folder", "zeros without end"])
def test_what_is_no_file_is_not_waited_for(model, name, what):
    (model / name).unlink()
    {"pipe": os.mkfifo, "folder": os.mkdir, "zeros without end": lambda at: at.symlink_to("/dev/zero")}[what](
        model / name
    )
    assert "it is a folder" in refusal(model) if what == "folder" else "no regular file" in refusal(model)


def with_header(file: Path, change) -> None:
    """The safetensors file with its header changed."""
    data = file.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = change(json.loads(data[8 : 8 + length]))
    text = (header if isinstance(header, str) else json.dumps(header)).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])


def edited(entry: dict):
    """Changes the header's entry of one tensor."""
    return lambda header: header | {"mapping.w_avg": header["mapping.w_avg"] | entry}


HEADERS = {
    "another shape": (edited({"shape": [2, 4]}), "does not hold"),
    "a shape of more than is there": (edited({"shape": [1 << 40]}), "no whole safetensors file"),
    "negative": (edited({"shape": [-8]}), "no whole safetensors file"),
    "whole numbers": (edited({"dtype": "I32"}), "of another type"),
    "an unknown type": (edited({"dtype": "Q8"}), "no whole safetensors file"),
    "another's place": (edited({"data_offsets": [0, 32]}), "no whole safetensors file"),
    "beyond the end": (edited({"data_offsets": [1 << 50, (1 << 50) + 32]}), "no whole safetensors file"),
    "one more": (lambda h: h | {"extra": {"dtype": "F32", "shape": [0], "data_offsets": [0, 0]}}, "does not hold"),
    "one less": (lambda h: {k: v for k, v in h.items() if k != "mapping.w_avg"}, "safetensors"),
    "no JSON": (lambda h: "{", "no whole safetensors file"),
}


@pytest.mark.parametrize("what", HEADERS)
def test_an_edited_header_is_refused(model, what):
    change, hint = HEADERS[what]
    with_header(model / "model.safetensors", change)
    assert hint in refusal(model)


def test_a_header_that_claims_to_be_vast_is_refused(model):
    file = model / "model.safetensors"
    file.write_bytes(struct.pack("<Q", 1 << 62) + file.read_bytes()[8:])
    assert "no whole safetensors file" in refusal(model)


def test_a_pickle_by_the_name_of_weights_is_not_run(model):
    class Harm:
        def __reduce__(self):
            return os.mkdir, (str(model / "ran"),)

    for data in (pickle.dumps(Harm()), pickle.dumps(Harm(), 0)):
        (model / "model.safetensors").write_bytes(data)
        assert "no whole safetensors file" in refusal(model) and not (model / "ran").exists()


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_not_finite_are_refused_by_name(model, value):
    file = model / "model.safetensors"
    tensors = load_file(file)
    tensors["synthesis.b8.conv0.weight"][0, 0, 0, 0] = value
    save_file(tensors, file)
    assert "synthesis.b8.conv0.weight in" in refusal(model)


def test_halves_are_weights(model):
    file = model / "model.safetensors"
    whole = {name: tensor.clone() for name, tensor in load_file(file).items()}  # the file's own pages are written over
    save_file({name: tensor.half() for name, tensor in whole.items()}, file)
    found = load_model(model)
    assert found.dtype == torch.float32
    assert all(torch.equal(tensor, whole[name].half().float()) for name, tensor in found.state_dict().items())


def test_links_as_the_hubs_cache_lays_them_are_followed(model):
    (model / "blobs").mkdir()
    (model / "snapshots" / "abc").mkdir(parents=True)
    for number, name in enumerate(("config.json", "model.safetensors")):
        (model / name).rename(model / "blobs" / str(number))
        (model / "snapshots" / "abc" / name).symlink_to(f"../../blobs/{number}")
    assert load_model(model / "snapshots" / "abc").z_dim == StyleGAN2GeneratorConfig.tiny().z_dim


@pytest.mark.parametrize("entry", [{"step": "1"}, {"step": -1}, {"step": 1.5}, {"step": None}, {"images_seen": [1]}])
def test_an_edited_progress_is_refused(tmp_path, entry):
    (tmp_path / "progress.json").write_text(json.dumps({"step": 1, "images_seen": 8} | entry))
    with pytest.raises(ValueError, match="not whole numbers; remove .* to go on from the one before"):
        checkpoint.read_progress(tmp_path)


def test_lines_of_a_log_that_are_not_ours_are_passed_over(tmp_path):
    good, log = {"step": 1, "loss": 0.5, "other": None}, tmp_path / "metrics.jsonl"
    bad = ['{"step": "1"}', '{"step": {}}', '{"step": 1, "loss": "x"}', '{"step": 1, "loss": [1]}', "[1]", "null", ""]
    bad += ["[" * 100_000, '{"step": ' + "9" * 5000 + "}", '{"step": 1, "x": "' + "y" * 3_000_000 + '"}', "\x00", "{"]
    log.write_text("\n".join([*bad, json.dumps(good), *bad, '{"step": 2, "loss": NaN}']))
    assert [*log_file.read_rows(log)] == [good, {"step": 2, "loss": None}]
    assert log_file.truncate(log, 1) == good and log.read_text() == json.dumps(good) + "\n"
    log.unlink()
    os.mkfifo(log)
    assert not [*log_file.read_rows(log)]
