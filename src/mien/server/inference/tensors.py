"""Tensors in requests and answers: as numbers in JSON, or as bytes behind it.

https://github.com/kserve/open-inference-protocol and, for bytes, the extension `binary_tensor_data` of
https://github.com/triton-inference-server/server/tree/main/docs/protocol.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from mien.errors import BadRequest
from mien.runtime.session import Signature
from mien.server.inference.messages import Parameters, RequestInput, ResponseOutput

Array = NDArray[Any]

# What the protocol calls types, by NumPy's names.
DATATYPES = {
    "bool": "BOOL",
    "uint8": "UINT8",
    "uint16": "UINT16",
    "uint32": "UINT32",
    "uint64": "UINT64",
    "int8": "INT8",
    "int16": "INT16",
    "int32": "INT32",
    "int64": "INT64",
    "float16": "FP16",
    "float32": "FP32",
    "float64": "FP64",
}
# Enough for a photograph of 1,182 pixels square. What a network makes of it on its way takes many times as
# much, and so do numbers in JSON.
MOST_ELEMENTS = 4 * 1024 * 1024
_UNSUPPORTED = ("shared_memory_region", "classification")
# Kinds of NumPy in which numbers of JSON may arrive, by the kind that is wanted.
_FITTING = {"b": "b", "u": "iu", "i": "iu", "f": "iuf"}


def datatype_of(signature: Signature) -> str:
    """What the protocol calls the type of a tensor."""
    return DATATYPES.get(signature.dtype, signature.dtype)


def arrays(
    given: Sequence[RequestInput], binary: bytes, signatures: Sequence[Signature], most_bytes: int
) -> dict[str, Array]:
    """The inputs of a network, by name.

    Args:
        given: What was sent.
        binary: The bytes behind the JSON.
        signatures: What the network takes.
        most_bytes: Of one tensor.

    Raises:
        BadRequest: They do not fit what the network takes; the message names the input.
    """
    known = {one.name: one for one in signatures}
    names = [one.name for one in given]
    if sorted(names) != sorted(known):
        raise BadRequest(
            f"The inputs {', '.join(names) or '(none)'} are not those of this model.",
            hint=f"Each once: {', '.join(known)}.",
        )
    found: dict[str, Array] = {}
    start = 0
    for one in given:
        shape = _shape(one, known[one.name], most_bytes)
        size = _binary_size(one)
        if size is None:
            found[one.name] = _of_json(one, shape, np.dtype(known[one.name].dtype))
        else:
            found[one.name] = _of_bytes(one.name, binary[start : start + size], size, shape, known[one.name])
            start += size
    if start != len(binary):
        raise BadRequest(f"{len(binary)} bytes follow the JSON, and the inputs claim {start}.")
    return found


def written(name: str, array: Array, *, binary: bool) -> tuple[ResponseOutput, bytes]:
    """An output, and its bytes if they are to follow the JSON."""
    kind = DATATYPES.get(array.dtype.name, array.dtype.name)
    shape = list(array.shape)
    if not binary:
        return ResponseOutput(name, kind, shape, data=array.ravel().tolist()), b""
    content = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return ResponseOutput(name, kind, shape, parameters={"binary_data_size": len(content)}), content


def flag(parameters: Parameters, name: str, *, default: bool) -> bool:
    """A parameter that is true or false.

    Raises:
        BadRequest: It is neither, or another parameter asks for what is not done here.
    """
    refuse(parameters)
    value = parameters.get(name, default)
    if not isinstance(value, bool):
        raise BadRequest(f"The parameter {name} is true or false.")
    return value


def refuse(parameters: Parameters) -> None:
    """Raise BadRequest for parameters that change what an answer means, and are not known here."""
    for name in _UNSUPPORTED:
        if parameters.get(name):
            raise BadRequest(
                f"The parameter {name} is not supported.", hint="Send and take tensors as they are."
            )


def _shape(given: RequestInput, wanted: Signature, most_bytes: int) -> tuple[int, ...]:
    """The shape of an input, once it and the type are as the network wants them."""
    if wanted.dtype not in DATATYPES or given.datatype != datatype_of(wanted):
        raise BadRequest(f"{given.name} is of the type {datatype_of(wanted)}, not {given.datatype!r}.")
    sides = tuple(given.shape)
    fits = len(sides) == len(wanted.shape) and all(
        side >= 1 and want in {None, side} for side, want in zip(sides, wanted.shape, strict=True)
    )
    if not fits:
        shown = [-1 if side is None else side for side in wanted.shape]
        raise BadRequest(
            f"{given.name} has the shape {shown}, not {given.shape}; -1 is any length from 1 on."
        )
    most = min(MOST_ELEMENTS, most_bytes // np.dtype(wanted.dtype).itemsize)
    if math.prod(sides) > most:
        raise BadRequest(f"{given.name} has at most {most:,} elements.", hint="Send fewer at once.")
    return sides


def _binary_size(given: RequestInput) -> int | None:
    """How many bytes behind the JSON are of an input; None: its data are in the JSON."""
    refuse(given.parameters)
    size = given.parameters.get("binary_data_size")
    if (size is None) == (given.data is msgspec.UNSET):
        raise BadRequest(f"{given.name} wants either data, or the parameter binary_data_size.")
    if size is not None and (not isinstance(size, int) or isinstance(size, bool) or size < 0):
        raise BadRequest(f"The parameter binary_data_size of {given.name} is a number of bytes.")
    return size


def _of_bytes(name: str, content: bytes, size: int, shape: tuple[int, ...], wanted: Signature) -> Array:
    kind = np.dtype(wanted.dtype)
    needed = math.prod(shape) * kind.itemsize
    if size != needed or len(content) != needed:
        raise BadRequest(f"{name} has {needed} bytes; {size} are claimed, and {len(content)} were sent.")
    if kind.kind == "b" and content.translate(None, b"\x00\x01"):
        raise BadRequest(f"{name} has bytes that are neither 0 nor 1.")
    found: Array = np.frombuffer(content, kind.newbyteorder("<")).reshape(shape)
    return found.astype(kind, copy=False)


def _of_json(given: RequestInput, shape: tuple[int, ...], kind: np.dtype[Any]) -> Array:
    text = bytes(given.data)  # type: ignore[arg-type]  # it is there: `_binary_size` has looked
    elements = math.prod(shape)
    # Before it is decoded, because numbers take many times the room of their text.
    if text.count(b",") != elements - 1:
        raise BadRequest(f"{given.name} has {elements} elements, and data of another number was sent.")
    try:
        found: Array = np.array(msgspec.json.decode(text))
    except (msgspec.DecodeError, ValueError, OverflowError, RecursionError) as error:
        raise BadRequest(f"The data of {given.name} is no array of numbers.") from error
    if found.dtype.kind not in _FITTING[kind.kind] or found.shape not in {shape, (elements,)}:
        raise BadRequest(
            f"The data of {given.name} is not flat or of its shape, or not {DATATYPES[kind.name]}."
        )
    with np.errstate(over="ignore"):
        made = found.astype(kind)
    exact = np.isfinite(made).all() if kind.kind == "f" else np.array_equal(made, found)
    if not exact:
        raise BadRequest(f"The data of {given.name} holds numbers beyond {DATATYPES[kind.name]}.")
    return made.reshape(shape)


def names_wanted(wanted: Mapping[str, Parameters], there: Sequence[str]) -> None:
    """Raise BadRequest if an output is wanted that the network does not give."""
    if unknown := wanted.keys() - set(there):
        raise BadRequest(f"There is no output {min(unknown)!r}.", hint=f"Outputs: {', '.join(there)}.")
