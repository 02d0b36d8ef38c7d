import io
import os
import pickle
import struct
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest

from mien.convert.torch.state import tensors
from mien.errors import ConversionFailed

KEY, LOCATION, COUNT = b"0", b"cpu", 6


def text(value):
    return b"X" + struct.pack("<I", len(value)) + value


def number(value):
    return b"J" + struct.pack("<i", value)


def pickled_tensor(
    size=(2, 3), stride=(3, 1), offset=0, kind=b"FloatStorage", count=COUNT, key=KEY, wrap=b"%s"
):
    """The opcodes of `_rebuild_tensor_v2(storage, offset, size, stride, False, OrderedDict())`."""
    storage = b"(" + text(b"storage") + b"ctorch\n" + kind + b"\n" + text(key) + text(LOCATION)
    storage += number(count) + b"tQ"
    rows = [b"(" + b"".join(number(n) for n in numbers) + b"t" for numbers in (size, stride)]
    arguments = b"(" + storage + number(offset) + rows[0] + rows[1] + b"\x89ccollections\nOrderedDict\n)Rt"
    return wrap % (b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R")


def pickled_state(tensor=None, name=b"layer.weight"):
    """A state dict of one tensor, with the versions that torch attaches to its OrderedDict."""
    versions = b"}" + text(b"_metadata") + b"}s"
    return (
        b"\x80\x02ccollections\nOrderedDict\n)R("
        + text(name)
        + (pickled_tensor() if tensor is None else tensor)
        + b"u"
        + versions
        + b"b."
    )


NUMBERS = np.arange(COUNT, dtype="<f4") / 4
MAGIC = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."
SYSTEM = b"\x80\x02}(" + text(b"protocol_version") + b"M\xe9\x03" + text(b"little_endian") + b"\x88u."


def legacy(state=None, storages=((b"0", NUMBERS),), system=SYSTEM):
    """The format of torch before 1.6, by hand."""
    keys = b"\x80\x02](" + b"".join(text(key) for key, _ in storages) + b"e."
    raw = b"".join(struct.pack("<q", array.size) + array.tobytes() for _, array in storages)
    return MAGIC + b"\x80\x02M\xe9\x03." + system + (pickled_state() if state is None else state) + keys + raw


def zipped(state=None, storages=((b"0", NUMBERS),), method=zipfile.ZIP_STORED, **more):
    """The format of torch since 1.6, by hand."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", method) as archive:
        archive.writestr("net/data.pkl", pickled_state() if state is None else state)
        for key, array in storages:
            archive.writestr(f"net/data/{key.decode()}", array.tobytes())
        for name, value in more.items():
            archive.writestr(f"net/{name}", value)
    return file.getvalue()


both = pytest.mark.parametrize("write", [legacy, zipped])


@both
def test_hand_made_files(write):
    found = tensors(write())
    assert list(found) == ["layer.weight"]
    assert found["layer.weight"].dtype == np.float32
    np.testing.assert_array_equal(found["layer.weight"], NUMBERS.reshape(2, 3))
    assert not found["layer.weight"].flags.writeable


@both
def test_strides_and_offsets(write):
    turned = pickled_tensor(size=(2, 2), stride=(1, 2), offset=1)
    np.testing.assert_array_equal(
        tensors(write(pickled_state(turned)))["layer.weight"], [[0.25, 0.75], [0.5, 1.0]]
    )
    assert tensors(write(pickled_state(pickled_tensor((0, 7), (7, 1)))))["layer.weight"].shape == (0, 7)
    assert tensors(write(pickled_state(pickled_tensor((), (), 5))))["layer.weight"] == NUMBERS[5]


@both
@pytest.mark.parametrize(
    "changes",
    [
        {"size": (2, 4), "stride": (4, 1)},
        {"offset": 1},
        {"offset": -1},
        {"offset": 6, "size": (), "stride": ()},
        {"size": (-2, -3)},
        {"stride": (-3, 1)},
        {"stride": (3,)},
        # A number repeated a million times: none that the bytes back.
        {"size": (1_000_000,), "stride": (0,)},
        {"size": (2**31 - 1,) * 40, "stride": (0,) * 40},
        {"size": (1,) * 99, "stride": (1,) * 99},
        {"count": 5},
        {"count": 7},
        {"count": -6},
        {"count": 2**31 - 1},
        {"key": b"1"},
        {"key": b"../0"},
        {"kind": b"DoubleStorage"},
        {"kind": b"ComplexFloatStorage"},
        {"kind": b"UntypedStorage"},
    ],
)
def test_tensors_that_their_bytes_do_not_back_are_refused(write, changes):
    with pytest.raises(ConversionFailed):
        tensors(write(pickled_state(pickled_tensor(**changes))))


@both
def test_every_cut_is_refused(write):
    whole = write()
    for length in range(len(whole)):
        with pytest.raises(ConversionFailed):
            tensors(whole[:length])


@pytest.mark.parametrize("dtype", ["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "?"])
def test_types(dtype):
    names = ["Float", "Double", "Half", "Long", "Int", "Short", "Char", "Byte", "Bool"]
    kind = dict(zip(["f4", "f8", "f2", "i8", "i4", "i2", "i1", "u1", "?"], names, strict=True))[dtype]
    array = np.array([1, 0, 1, 0, 0, 1], dtype)
    state = pickled_state(pickled_tensor((6,), (1,), kind=f"{kind}Storage".encode()))
    found = tensors(zipped(state, [(b"0", array)]))["layer.weight"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


def test_bfloat16_becomes_float32():
    values = np.array([1.5, -2, 0.25, 3, 0, 1], "<f4")
    upper = (values.view("<u4") >> 16).astype("<u2")
    state = pickled_state(pickled_tensor(kind=b"BFloat16Storage"))
    np.testing.assert_array_equal(
        tensors(zipped(state, [(b"0", upper)]))["layer.weight"], values.reshape(2, 3)
    )


class Evil:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.mkdir, (self.mark,)


class EvilState:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return OrderedDict, (), None, None, iter([("layer", Evil(self.mark))])


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("evil", [Evil, EvilState])
@pytest.mark.parametrize("write", [lambda state: state, legacy, zipped, lambda state: legacy(system=state)])
def test_code_in_a_pickle_is_not_run(tmp_path, write, evil, protocol):
    state = pickle.dumps(evil(str(tmp_path / "ran")), protocol)
    with pytest.raises(ConversionFailed, match="mkdir") as refused:
        tensors(write(state))
    assert "state_dict" in refused.value.hint
    assert not (tmp_path / "ran").exists()


@both
@pytest.mark.parametrize(
    "state",
    [
        b"cos\nsystem\n(Vecho\ntR.",
        b"cbuiltins\neval\n" + text(b"1/0") + b"\x85R.",
        b"(ios\nsystem\n.",
        b"(cos\nsystem\no.",
        b"\x80\x02cos\nsystem\n)\x81.",
        b"\x82\x01.",
        b"ctorch.nn.modules.linear\nLinear\n)\x81}b.",
        b"c__main__\nNet\n)R.",
        # Our own module has names, too.
        b"cmien.convert.torch.state\nio\n.",
        b"ctorch._utils\n_rebuild_tensor_v2.__globals__\n.",
        # Calling what is no function; describing things that are no storages.
        b"ctorch\nFloatStorage\n)R.",
        b"ccollections\nOrderedDict\n" + number(3) + b"\x85R.",
        b"ctorch._utils\n_rebuild_tensor_v2\n(" + number(3) * 4 + b"tR.",
        number(3) + b"Q.",
        b"(" + text(b"module") + b"ctorch\nFloatStorage\n" + text(b"0") * 2 + number(6) + b"tQ.",
        # A dict whose key takes 2**60 steps to hash, and one whose key overflows the stack.
        b"})" + b"\x85" + b"2\x86" * 60 + b"Ns.",
        b"})" + b"q\x00h\x00\x86" * 60 + b"Ns.",
        b"})" + b"\x85" * 200_000 + b"Ns.",
        b"](" + text(b"a") + number(3) + b"e.",
        b"}" + text(b"a") + number(3) + b"s.",
        b"N.",
        b".",
        b"",
        b"h\x07.",
        b"X\xff\xff\xff\xff.",
    ],
)
def test_hostile_pickles_are_refused(write, state):
    with pytest.raises(ConversionFailed):
        tensors(write(state))


def test_attributes_of_our_own_stand_ins_cannot_be_set():
    poison = b"c%s\n}" + text(b"code") + number(3) + b"sb"
    state = poison % b"torch\nFloatStorage" + poison % b"collections\nOrderedDict"
    found = tensors(zipped(state + pickled_state()))
    assert found["layer.weight"].dtype == np.float32


def test_two_sizes_for_one_storage_are_refused():
    other = pickled_tensor(size=(5,), stride=(1,), count=5)
    state = b"}" + text(b"a") + pickled_tensor() + b"s" + text(b"b") + other + b"s."
    with pytest.raises(ConversionFailed, match="two storages"):
        tensors(zipped(state))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        b"not a file of torch",
        b"\x89HDF\r\n\x1a\n",
        zipped(method=zipfile.ZIP_DEFLATED),
        zipped(byteorder="big"),
        zipped(storages=[]),
        zipped().replace(b"data.pkl", b"data.txt"),
        zipped().replace(NUMBERS.tobytes(), NUMBERS[::-1].tobytes()),  # its checksum is wrong
        legacy(system=SYSTEM.replace(b"\x88", b"\x89")),
        legacy(storages=[(b"1", NUMBERS)]),
        legacy(storages=[]),
        legacy(pickled_state().replace(b"tQ", b"(" + text(b"v") + number(0) + number(6) + b"ttQ")),
        pickled_state(),
    ],
)
def test_other_files_are_refused(data):
    with pytest.raises(ConversionFailed):
        tensors(data)


@both
def test_a_checkpoint_around_a_state_dict(write):
    inner = pickled_state()[2:-1]
    state = b"\x80\x02}(" + text(b"epoch") + number(3) + text(b"state_dict") + inner + b"u."
    assert list(tensors(write(state))) == ["layer.weight"]


@pytest.mark.parametrize("new", [True, False])
def test_what_torch_writes(new, rng):
    torch = pytest.importorskip("torch", reason="needs torch: make oracles")
    shared = torch.arange(12.0)
    state = OrderedDict(
        a=shared[3:9].reshape(2, 3).t(),
        b=shared,
        c=torch.nn.Parameter(torch.from_numpy(rng.standard_normal((3, 2, 4)))),
        d=torch.tensor(7),
        e=torch.tensor([True, False]),
        f=torch.randn(5).to(torch.bfloat16),
        g=torch.randn(5).half(),
        h=torch.zeros(0, 3),
    )
    file = io.BytesIO()
    torch.save(state, file, _use_new_zipfile_serialization=new)
    found = tensors(file.getvalue())
    assert list(found) == list(state)
    for name, expected in state.items():
        expected = expected.detach()
        expected = expected.float() if expected.dtype == torch.bfloat16 else expected
        assert found[name].dtype == expected.numpy().dtype
        np.testing.assert_array_equal(found[name], expected.numpy())


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_a_pickled_module_is_refused_with_advice(new):
    torch = pytest.importorskip("torch", reason="needs torch: make oracles")
    file = io.BytesIO()
    torch.save(torch.nn.Linear(2, 2), file, _use_new_zipfile_serialization=new)
    with pytest.raises(ConversionFailed, match=r"torch\.nn\.modules\.linear\.Linear") as refused:
        tensors(file.getvalue())
    assert "torch.save(model.state_dict(), path)" in refused.value.hint


def test_reading_does_not_import_torch(tmp_path):
    import subprocess

    (tmp_path / "net.pth").write_bytes(legacy())
    code = (
        "import sys, pathlib; from mien.convert.torch.state import tensors;"
        f"tensors(pathlib.Path({str(tmp_path / 'net.pth')!r}).read_bytes()); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
