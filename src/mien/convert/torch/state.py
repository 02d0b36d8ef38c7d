"""Reading the tensors of a PyTorch file without PyTorch, and without pickle's power to call anything.

Both formats of `torch.save` are read: the zip archive (since 1.6) and the older one, a row of
pickles that starts with a magic number. In both, a pickle describes tensors, and their numbers lie
beside it. Such a pickle needs a handful of names and opcodes; everything else is refused.
"""

from __future__ import annotations

import io
import math
import pickle
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import ConversionFailed

_MAGIC = 0x1950A86A20F9469CFC6C
_PROTOCOL = 1001
# Under which a training script keeps the network's tensors beside its optimiser's.
_WRAPPERS = ("state_dict", "model_state_dict", "model", "net")
_HINT = (
    "Mien reads files of tensors only: torch.save(model.state_dict(), path). "
    "Ask the publisher for one, or compare the file's sha256 with theirs."
)


@dataclass(frozen=True)
class _Kind:
    """Stands for a class of torch storages: how its numbers lie in the file."""

    code: str
    brain: bool = False

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(self.code)


@dataclass(frozen=True)
class _Storage:
    """What the pickle says about a run of numbers that lies beside it."""

    key: str
    kind: _Kind
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view into a storage; offset and strides in elements."""

    storage: _Storage
    offset: int
    size: tuple[int, ...]
    stride: tuple[int, ...]


def tensors(data: bytes) -> dict[str, NDArray[Any]]:
    """Read the tensors of a state dict.

    A checkpoint that keeps the state dict under a customary key (`state_dict`, `model`, ...) is
    read likewise. Entries that are not tensors are left out.

    Returns:
        Read-only views into the file's numbers, in their own type (bfloat16 becomes float32).

    Raises:
        ConversionFailed: Damaged, not a PyTorch file, or holding anything but tensors.
    """
    try:
        found, storages = (_read_zip if data.startswith(b"PK") else _read_legacy)(data)
        named = {key: value for key, value in _state(found).items() if isinstance(value, _Tensor)}
        read = {key: _view(value, storages[value.storage.key]) for key, value in named.items()}
    except (
        pickle.UnpicklingError,
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        OSError,
        ValueError,
        TypeError,
        AttributeError,
        IndexError,
        KeyError,
        OverflowError,
        MemoryError,
        struct.error,
    ) as error:
        raise ConversionFailed(f"Not a PyTorch file of tensors: {error}.", hint=_HINT) from error
    if not read:
        raise ConversionFailed("The PyTorch file holds no named tensors.", hint=_HINT)
    return read


def _state(found: object) -> Mapping[str, object]:
    if not isinstance(found, dict):
        raise pickle.UnpicklingError("it holds no state dict")
    if any(isinstance(value, _Tensor) for value in found.values()):
        return found
    return next((found[key] for key in _WRAPPERS if isinstance(found.get(key), dict)), {})


def _ordered(items: Iterable[tuple[str, object]] = ()) -> dict[str, object]:
    """Stands for `collections.OrderedDict`."""
    return {_checked(key): value for key, value in items}


def _rebuild_tensor(
    storage: _Storage, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> _Tensor:
    """Stands for `torch._utils._rebuild_tensor_v2`."""
    numbers = (offset, *size, *stride)
    if not isinstance(storage, _Storage) or not all(type(n) is int and n >= 0 for n in numbers):
        raise pickle.UnpicklingError("a tensor without a proper storage, offset, size or stride")
    if len(size) != len(stride):
        raise pickle.UnpicklingError("a tensor with more sizes than strides, or fewer")
    return _Tensor(storage, offset, size, stride)


def _rebuild_parameter(tensor: _Tensor, *_: object) -> _Tensor:
    """Stands for `torch._utils._rebuild_parameter`."""
    return tensor


_STORAGES = {
    "Float": _Kind("<f4"),
    "Double": _Kind("<f8"),
    "Half": _Kind("<f2"),
    "BFloat16": _Kind("<u2", brain=True),
    "Long": _Kind("<i8"),
    "Int": _Kind("<i4"),
    "Short": _Kind("<i2"),
    "Char": _Kind("<i1"),
    "Byte": _Kind("<u1"),
    "Bool": _Kind("?"),
}
_ALLOWED: dict[tuple[str, str], object] = {
    ("collections", "OrderedDict"): _ordered,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    **{("torch", f"{name}Storage"): kind for name, kind in _STORAGES.items()},
}
# Protocol 2, which torch writes, and what 4 adds to say the same.
_OPCODES = (
    *("PROTO", "FRAME", "STOP", "MARK", "GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "BINPERSID"),
    *("MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET"),
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("BINUNICODE", "SHORT_BINUNICODE", "BINSTRING", "SHORT_BINSTRING"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
    *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS"),
)

# The unpickler written in Python: only its opcodes can be taken away.
_PurePython: Any = pickle._Unpickler  # noqa: SLF001


class _Unpickler(_PurePython):  # type: ignore[misc]
    """Knows the opcodes that tensors need; the only things it can call are the stand-ins above."""

    dispatch = {  # noqa: RUF012 - the base class keeps its table there
        code: _PurePython.dispatch[code] for code in (getattr(pickle, name)[0] for name in _OPCODES)
    }

    def __init__(self, file: io.BytesIO) -> None:
        super().__init__(file, encoding="latin1")
        self.storages: dict[str, _Storage] = {}

    def load(self) -> Any:  # noqa: ANN401 - whatever the pickle holds
        try:
            return super().load()
        except KeyError as error:
            raise pickle.UnpicklingError(f"an opcode or memo that tensors do not need ({error})") from error

    def find_class(self, module: str, name: str) -> object:
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"it wants to call {module}.{name}, which is not a tensor") from None

    def persistent_load(self, identity: tuple[Any, ...]) -> _Storage:
        tag, kind, key, _, count, *view = identity
        if tag != "storage" or not isinstance(kind, _Kind) or type(count) is not int or count < 0:
            raise pickle.UnpicklingError("a storage that is not described as one")
        if view not in ([], [None]):
            raise pickle.UnpicklingError("a storage that is a view of another")
        storage = _Storage(_checked(key), kind, count)
        if self.storages.setdefault(storage.key, storage) != storage:
            raise pickle.UnpicklingError(f"two storages of the same name {key!r}")
        return storage

    def load_build(self) -> None:
        self.stack.pop()  # an OrderedDict's attributes (versions of modules); nobody needs them

    def load_setitem(self) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        self.stack[-1][_checked(key)] = value

    def load_setitems(self) -> None:
        items = self.pop_mark()
        self.stack[-1].update(_ordered(zip(items[::2], items[1::2], strict=True)))

    dispatch[pickle.BUILD[0]] = load_build
    dispatch[pickle.SETITEM[0]] = load_setitem
    dispatch[pickle.SETITEMS[0]] = load_setitems


def _checked(key: object) -> str:
    """Let only text be a key: hashing nested tuples may take for ever, or overflow the stack."""
    if not isinstance(key, str):
        raise pickle.UnpicklingError("a key that is not text")
    return key


def _read_zip(data: bytes) -> tuple[object, dict[str, NDArray[Any]]]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries):
            raise zipfile.BadZipFile("its archive is compressed, as torch never does")
        if sum(entry.file_size for entry in entries) > len(data):
            raise zipfile.BadZipFile("its archive claims more than it holds")
        names = {entry.filename for entry in entries}
        root = next((name[: -len("data.pkl")] for name in sorted(names) if name.endswith("/data.pkl")), None)
        if root is None:
            raise zipfile.BadZipFile("its archive has no data.pkl")
        if f"{root}byteorder" in names and archive.read(f"{root}byteorder") != b"little":
            raise zipfile.BadZipFile("its numbers are not little-endian")
        unpickler = _Unpickler(io.BytesIO(archive.read(f"{root}data.pkl")))
        found = unpickler.load()
        storages = {
            key: _numbers(archive.read(f"{root}data/{key}"), storage)
            for key, storage in unpickler.storages.items()
        }
    return found, storages


def _read_legacy(data: bytes) -> tuple[object, dict[str, NDArray[Any]]]:
    file = io.BytesIO(data)
    if _Unpickler(file).load() != _MAGIC or _Unpickler(file).load() != _PROTOCOL:
        raise pickle.UnpicklingError("it does not start as one")
    if _Unpickler(file).load()["little_endian"] is not True:
        raise pickle.UnpicklingError("its numbers are not little-endian")
    unpickler = _Unpickler(file)
    found = unpickler.load()
    storages = {}
    for key in _Unpickler(file).load():
        storage = unpickler.storages[_checked(key)]
        if struct.unpack("<q", file.read(8))[0] != storage.count:
            raise pickle.UnpicklingError(f"the storage {key} has another size than announced")
        storages[key] = _numbers(file.read(storage.count * storage.kind.dtype.itemsize), storage)
    return found, storages


def _numbers(raw: bytes, storage: _Storage) -> NDArray[Any]:
    if len(raw) != storage.count * storage.kind.dtype.itemsize:
        raise pickle.UnpicklingError(f"the storage {storage.key} is cut short, or too long")
    numbers = np.frombuffer(raw, storage.kind.dtype)
    # A bfloat16 is the upper half of a float32.
    return (numbers.astype(np.uint32) << 16).view(np.float32) if storage.kind.brain else numbers


def _view(tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    count = math.prod(tensor.size)
    if count == 0:
        return np.empty(tensor.size, numbers.dtype)
    last = tensor.offset + sum((n - 1) * step for n, step in zip(tensor.size, tensor.stride, strict=True))
    if last >= len(numbers) or count > len(numbers):
        raise pickle.UnpicklingError("a tensor reaches beyond its storage")
    strides = [step * numbers.itemsize for step in tensor.stride]
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.size, strides, writeable=False)
