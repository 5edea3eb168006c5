"""Files are read as data: whatever they ask to be run is not, and however they are damaged there is one error."""

from __future__ import annotations

import argparse
import copyreg
import io
import os
import pickle
import pickletools
import random
import struct
import warnings
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import torch
from foreign_files import published_generator, write
from places import GOLDEN

from ggdr.foreign.facts import as_json
from ggdr.foreign.reading import read, unpack
from ggdr.foreign.stand_ins import CALLS, Namespace
from ggdr.foreign.torch_files import STORAGES, Stored
from ggdr.foreign.unpickle import Global, load
from ggdr.networks.base import ImageSpec
from ggdr.networks.stylegan2 import StyleGAN2GeneratorConfig


class Calls:
    """Pickles as the call of a function."""

    def __init__(self, function, *args):
        self.function, self.args = function, args

    def __reduce__(self):
        return self.function, self.args


class Bytes:
    """Pickles as the call by which tensors outside of torch.save hold their numbers."""

    def __init__(self, data: bytes):
        self.data = data

    def __reduce__(self):
        return torch.storage._load_from_bytes, (self.data,)


def kept(content, **how) -> bytes:
    """What torch.save makes of it."""
    file = io.BytesIO()
    torch.save(content, file, **how)
    return file.getvalue()


def in_a_payload(content) -> bytes:
    """Hidden in the numbers of a tensor."""
    return pickle.dumps({"G_ema": Bytes(kept(content, _use_new_zipfile_serialization=False))})


CONTAINERS = {
    "a pickle": lambda content: pickle.dumps({"G": content, "G_ema": None}),
    "an old pickle": lambda content: pickle.dumps({"G": content}, 2),
    "an archive": lambda content: kept({"g_ema": content}),
    "a file of torch before archives": lambda content: kept({"g": content}, _use_new_zipfile_serialization=False),
    "the numbers of a tensor": in_a_payload,
}
HARMFUL = {
    "os.system": lambda marker: Calls(os.system, f"touch {marker}"),
    "builtins.eval": lambda marker: Calls(eval, f"open({str(marker)!r}, 'w')"),
    "builtins.exec": lambda marker: Calls(exec, f"open({str(marker)!r}, 'w')"),
    "builtins.open": lambda marker: Calls(open, str(marker), "w"),
    "copyreg._reconstructor": lambda marker: [Calls(copyreg._reconstructor, list, list, []), Calls(open, marker, "w")],
    "torch.load": lambda marker: Calls(torch.load, str(marker)),
}


@pytest.mark.parametrize("container", CONTAINERS)
@pytest.mark.parametrize("harm", HARMFUL)
def test_what_a_file_asks_to_be_run_is_named_and_not_run(tmp_path, container, harm):
    marker = tmp_path / "ran"
    (tmp_path / "x.pkl").write_bytes(CONTAINERS[container](HARMFUL[harm](marker)))
    with pytest.raises(ValueError, match="nothing of it was run") as raised:
        read(tmp_path / "x.pkl")
    assert not marker.exists()
    assert f".{harm.rpartition('.')[2]}, which" in str(raised.value)


def test_those_files_do_harm_where_they_are_run(tmp_path):
    """The files above are no dummies: Python's own reader runs each of them."""
    for harm in HARMFUL.keys() - {"torch.load"}:
        for name, container in CONTAINERS.items():
            marker = tmp_path / "ran"
            data = container(HARMFUL[harm](marker))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                if data.startswith(b"PK") or name.startswith("a file of torch"):
                    torch.load(io.BytesIO(data), weights_only=False)
                else:
                    swallow(data)
            assert marker.exists(), (harm, name)
            marker.unlink()


def swallow(data: bytes) -> None:
    """Run a pickle; what it makes of itself afterwards does not matter."""
    try:
        pickle.loads(data)
    except (TypeError, AttributeError):
        pass


def assembled(*parts: bytes) -> bytes:
    """A pickle of these instructions."""
    return b"\x80\x02" + b"".join(parts) + b"."


ORDERED = b"ccollections\nOrderedDict\n"
WRITTEN_BY_HAND = {
    "posix.system": assembled(b"cposix\nsystem\n", b"X\x02\x00\x00\x00ls\x85R"),
    "nt.system": assembled(b"cnt\nsystem\n", b"X\x02\x00\x00\x00ls\x85R"),
    "builtins.getattr": assembled(b"cbuiltins\ngetattr\n", ORDERED, b"X\x04\x00\x00\x00keys\x86R"),
    "instruction INST": assembled(b"(X\x02\x00\x00\x00lsios\nsystem\n"),
    "instruction OBJ": assembled(b"(", ORDERED, b"o"),
    "instruction EXT1": assembled(b"\x82\x01"),
    "instruction PERSID": assembled(b"Pa\n"),
    "instruction NEWOBJ_EX": assembled(ORDERED, b")}\x92"),
    "instruction NEXT_BUFFER": assembled(b"\x97"),
    "data outside itself": assembled(b"X\x01\x00\x00\x00aQ"),
    "calls 'ls'": assembled(b"X\x02\x00\x00\x00ls)R"),
    "calls ('collections', 'OrderedDict')": assembled(
        b"X\x0b\x00\x00\x00collectionsX\x0b\x00\x00\x00OrderedDict\x86)R"
    ),
    "asks for torch.FloatStorage": assembled(b"ctorch\nFloatStorage\n)R"),
    "takes no state": assembled(ORDERED, b"}X\x0c\x00\x00\x00__setstate__K\x01sb"),
    "type int takes no state": assembled(b"K\x01}b"),
    "dict begins with items": assembled(ORDERED, b"]]K\x01aK\x02aa\x85R"),
    "type tuple cannot be a key": assembled(b"}K\x01\x85K\x02s"),
    "object of type 'O'": assembled(b"cnumpy\ndtype\nX\x01\x00\x00\x00O\x85R"),
    "object of type 'V8'": assembled(b"cnumpy\ndtype\nX\x02\x00\x00\x00V8\x85R"),
    "a number has no value": assembled(b"cnumpy.core.multiarray\nscalar\nK\x01C\x02ab\x86R"),
    "lacks what it works on": assembled(b"(a"),
    "stands where a list": assembled(b"}K\x01a"),
    "exhausted before seeing STOP": b"\x80\x02K\x01",
    "TensorFlow era": assembled(b"cdnnlib.tflib.network\nNetwork\n)\x81"),
    "is a whole module": assembled(b"ctorch.nn.modules.container\nSequential\n)\x81"),
    "Projected GAN or StyleGAN-XL": assembled(b"cpg_modules.discriminator\nX\n)\x81"),
    "asks for training.loop.Generator": assembled(b"ctraining.loop\nGenerator\n)\x81"),
    "asks for R3GANs.Networks.Generator": assembled(b"cR3GANs.Networks\nGenerator\n)\x81"),
    "is damaged: a layer has no attributes": assembled(b"cR3GAN.Networks\nGenerator\n)\x81]b"),
    "is a whole module of another network": assembled(b"ctorch.nn.modules.linear\nBilinear\n)\x81"),
    "Vision-aided GAN's discriminator": assembled(b"cvision_module\nX\n)\x81"),
    "spells bytes": assembled(b"c_codecs\nencode\nX\x01\x00\x00\x00aX\x04\x00\x00\x00zlib\x86R"),
    "a name is no text": assembled(b"K\x01K\x02\x93"),
}


@pytest.mark.parametrize("words", WRITTEN_BY_HAND)
def test_instructions_that_no_checkpoint_needs_are_refused(words):
    with pytest.raises(ValueError) as raised:
        unpack(WRITTEN_BY_HAND[words])
    assert words in str(raised.value)


def test_a_name_cannot_paint_on_the_terminal(tmp_path):
    (tmp_path / "x.pkl").write_bytes(assembled(b"cos\x1b[31m\nsystem\n"))
    with pytest.raises(ValueError) as raised:
        read(tmp_path / "x.pkl")
    assert str(raised.value).isprintable() and "os [31m.system" in str(raised.value)


def test_nothing_that_may_be_called_is_one_of_pythons_own():
    called = {function.__module__.partition(".")[0] for function in CALLS.values()}
    assert called == {"ggdr"}
    assert not {*STORAGES} & {*CALLS}


def bomb(levels: int, ending: bytes = b"") -> bytes:
    """A few bytes that stand for 2 ** levels values."""
    doubled = b"".join(b"q" + bytes([level]) + b"h" + bytes([level]) + b"\x86" for level in range(levels))
    return b"\x80\x02]" + doubled + ending + b"."


def test_what_repeats_itself_without_end_takes_neither_time_nor_memory(tmp_path):
    with pytest.raises(ValueError, match="cannot be a key"):
        unpack(bomb(60, b"qdK\x01}hdK\x02s"))
    with pytest.raises(ValueError, match="more of itself than a checkpoint could"):
        as_json(unpack(bomb(60)))
    with pytest.raises(ValueError, match="more of itself than a checkpoint could"):
        as_json(unpack(b"\x80\x02]q\x00" + b"h\x00a."))  # a list that holds itself
    far = assembled(b"K\x01", b"r\xff\xff\xff\xff", b"0j\xff\xff\xff\xff")  # a memo of four thousand million places
    assert unpack(far) == 1


def test_depth_without_end_is_refused(tmp_path):
    deep = b"\x80\x02" + b"]" * 200_000 + b"a" * 199_999 + b"."
    (tmp_path / "x.pkl").write_bytes(b"\x80\x02}X\x01\x00\x00\x00G" + deep[2:-1] + b"s.")
    with pytest.raises(ValueError, match="cannot convert"):
        read(tmp_path / "x.pkl")
    with pytest.raises(ValueError, match="more of itself"):
        as_json(unpack(deep))


def tensor_of(offset, shape, stride, numel=4) -> bytes:
    """A pickle of a tensor over a storage of `numel` numbers."""

    class Tensor:
        def __reduce__(self):
            storage = Bytes(pickled_storage(numel))
            return torch._utils._rebuild_tensor_v2, (storage, offset, shape, stride, False, OrderedDict())

    return pickle.dumps(Tensor())


def pickled_storage(numel: int) -> bytes:
    """How a pickle holds a storage."""
    return torch.zeros(numel).__reduce_ex__(2)[1][0].__reduce__()[1][0]


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (0, (5,), (1,)),
        (1, (4,), (1,)),
        (-1, (2,), (1,)),
        (0, (2, 2), (3, 1)),
        (0, (2,), (-1,)),
        (0, (1 << 20, 1 << 20), (0, 0)),
        (0, (4, 4), (0, 1)),
        (0, (3, 2), (1, 1)),
        (0, (1 << 70,), (1,)),
        (0, (-2,), (1,)),
        (0, (2.0,), (1,)),
        (0, (2,), (1, 1)),
        (0, [2], [1]),
        (0, (1,) * 99, (1,) * 99),
        (0, True, (1,)),
        (None, (2,), (1,)),
    ],
)
def test_a_tensor_that_leaves_its_storage_or_uses_it_twice_is_refused(offset, shape, stride):
    with pytest.raises(ValueError, match="it is damaged"):
        unpack(tensor_of(offset, shape, stride))


def test_a_tensor_within_its_storage_is_read():
    assert unpack(tensor_of(1, (2,), (2,))).tensor().tolist() == [0, 0]
    assert unpack(tensor_of(0, (), ())).tensor().shape == ()
    assert unpack(tensor_of(0, (0, 3), (3, 1))).tensor().shape == (0, 3)


def test_a_storage_that_promises_more_than_is_there_is_refused():
    data = pickled_storage(4)
    lies = data.replace(b"K\x04Nt", b"J\x00\x00\x00\x40Nt")
    longer = data[:-24] + struct.pack("<q", 1 << 40) + data[-16:]
    assert lies != data and len(longer) == len(data)
    for hostile in (lies, longer, data[:-1], data[:40], b""):
        with pytest.raises(ValueError):
            unpack(pickle.dumps(Bytes(hostile)))


def test_weights_that_share_memory_to_fill_a_network_are_refused(tmp_path):
    network = StyleGAN2GeneratorConfig(z_dim=64, w_dim=64, mapping_layers=8, channel_base=64, channel_max=8).build(
        ImageSpec(8, 8)
    )
    tree = published_generator(network)
    same = torch.zeros(64, 64)
    for index in range(8):
        tree.at(f"mapping.fc{index}").state["_parameters"]["weight"] = same
    with pytest.raises(ValueError, match="larger than the file itself"):
        read(write(tmp_path / "g.pkl", {"G_ema": tree}))


KINDS = (torch.float32, torch.float16, torch.bfloat16, torch.float64)


@pytest.mark.parametrize("form", ["an archive", "before archives", "a pickle"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_tensors_are_read_as_torch_reads_them(form, kind):
    torch.manual_seed(0)
    whole = torch.randn(4, 6, dtype=kind)
    tensors = {"a": whole, "row": whole[2], "turned": whole.T, "part": whole[1:3, 2:5], "one": whole[3, 3]}
    tensors["last"] = torch.randn(2, 3, 4, 5, dtype=kind).to(memory_format=torch.channels_last)
    tensors["parameter"] = torch.nn.Parameter(torch.randn(3, dtype=kind))
    if form == "a pickle":
        found = unpack(pickle.dumps(tensors))
    else:
        found = unpack(kept(tensors, _use_new_zipfile_serialization=form == "an archive"))
    assert found.keys() == tensors.keys()
    for name, tensor in tensors.items():
        read_back = found[name].tensor()
        assert read_back.dtype == torch.float32 and read_back.is_contiguous()
        assert torch.equal(read_back, tensor.detach().float())


def test_all_that_checkpoints_say_besides_tensors_becomes_plain():
    said = {
        "args": argparse.Namespace(size=32, path=None),
        "ordered": OrderedDict(a=1),
        "set": {"a", "b"},
        "frozen": frozenset({1}),
        "nested": [(1, 2.5, True, None, b"bytes", "text", 1 << 40, -1)],
    }
    module = torch.nn.Linear(2, 2).state_dict()  # carries an attribute beside its items
    for protocol in (2, 3, 4, 5):
        found = unpack(pickle.dumps(said | {"module": module}, protocol))
        assert isinstance(found["args"], Namespace) and found["args"].attributes == {"size": 32, "path": None}
        assert found["ordered"] == {"a": 1} and type(found["ordered"]) is dict
        assert found["set"] == {"a", "b"} and found["frozen"] == {1} and found["nested"] == said["nested"]
        assert found["module"].keys() == module.keys() and isinstance(found["module"]["bias"], Stored)


@pytest.mark.parametrize("kind", ["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "b1"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_numpy_numbers_become_pythons(kind, protocol):
    number = np.array([1], kind)[0]
    found = unpack(pickle.dumps([number], protocol))[0]
    assert type(found) in (int, float, bool) and found == number


def test_other_archives_are_refused(tmp_path):
    for name, words, compress in (
        ("a/b.txt", "not one that torch.save wrote", zipfile.ZIP_STORED),
        ("a/data.pkl", "compressed or encrypted", zipfile.ZIP_DEFLATED),
    ):
        with zipfile.ZipFile(tmp_path / "x.zip", "w", compress) as archive:
            archive.writestr(name, b"\x80\x02}." * 100)
        with pytest.raises(ValueError, match=words):
            read(tmp_path / "x.zip")


def test_the_calls_are_only_those_that_a_reader_hands_over():
    data = pickle.dumps(OrderedDict(a=1))
    with pytest.raises(ValueError, match="collections.OrderedDict"):
        load(io.BytesIO(data))
    assert load(io.BytesIO(data), {Global("collections", "OrderedDict"): dict}) == {"a": 1}
    with pytest.raises(ValueError, match="it calls torch.FloatStorage, which is nothing that can be called"):
        load(io.BytesIO(assembled(b"ctorch\nFloatStorage\n)R")), names=STORAGES)


def damaged(data: bytes, seed: int) -> bytes:
    """The data cut, or with some of its bytes changed: half the time among its instructions, not its numbers."""
    draw = random.Random(seed)
    if seed % 4 == 0:
        return data[: draw.randrange(len(data))]
    bytes_, places = bytearray(data), range(len(data))
    for _ in range(draw.choice((1, 2, 16))):
        place = draw.choice(INSTRUCTIONS if seed % 2 else places)
        bytes_[place] = draw.randrange(256)
    return bytes(bytes_)


SNAPSHOT = (GOLDEN / "official_ggdr_snapshot.pkl").read_bytes()
INSTRUCTIONS = [
    place + shift
    for opcode, argument, place in pickletools.genops(SNAPSHOT)
    for shift in range(1 if isinstance(argument, bytes) else 1 + len(str(argument or "")))
    if place + shift < len(SNAPSHOT)
]
"""places of the instructions of the official snapshot, and of their short arguments"""


@pytest.mark.parametrize("seeds", [range(start, start + 20) for start in range(0, 200, 20)], ids=str)
def test_damage_anywhere_in_the_official_snapshot_is_one_error_or_none(tmp_path, seeds):
    outcomes = []
    for seed in seeds:
        (tmp_path / "x.pkl").write_bytes(damaged(SNAPSHOT, seed))
        try:
            outcomes.append(bool(read(tmp_path / "x.pkl").networks))
        except ValueError as error:
            assert str(error).isprintable() and str(error).startswith("cannot convert")
            outcomes.append(False)
    assert False in outcomes


@pytest.mark.parametrize("zipped", [True, False], ids=["archive", "before archives"])
def test_damage_anywhere_in_a_file_of_torch_is_one_error_or_none(tmp_path, zipped):
    state = {f"style.{index}.weight": torch.randn(4, 4) for index in range(1, 9)}
    data = kept({"g_ema": state, "args": argparse.Namespace(a=1)}, _use_new_zipfile_serialization=zipped)
    for seed in range(1, 600, 2):
        draw = random.Random(seed)
        changed = bytearray(data if draw.random() < 0.8 else data[: draw.randrange(len(data))])
        for _ in range(draw.choice((1, 4))):
            changed[draw.randrange(len(changed))] = draw.randrange(256)
        (tmp_path / "x.pt").write_bytes(changed)
        with pytest.raises(ValueError, match="cannot convert"):
            read(tmp_path / "x.pt")
