import msgspec
import numpy as np
import pytest

from mien.errors import BadRequest
from mien.runtime.session import Signature
from mien.server.inference.messages import RequestInput
from mien.server.inference.tensors import DATATYPES, arrays, written

MOST = 1 << 20
KINDS = [name for name in DATATYPES if name != "bool"]


def given(data, shape, datatype):
    text = msgspec.UNSET if data is None else msgspec.Raw(data.encode())
    return RequestInput("x", list(shape), datatype, data=text)


def read(data, dtype, shape=(2,)):
    signature = Signature("x", dtype, tuple(None for _ in shape))
    return arrays([given(data, shape, DATATYPES[dtype])], b"", [signature], MOST)["x"]


@pytest.mark.parametrize("dtype", KINDS)
def test_numbers_arrive_in_the_type_of_the_network(dtype):
    found = read("[0, 100]", dtype)
    assert found.dtype == np.dtype(dtype)
    assert found.tolist() == [0, 100]


@pytest.mark.parametrize("dtype", KINDS)
def test_a_type_goes_out_and_comes_back_as_bytes(dtype):
    array = np.array([[1, 2, 3], [4, 5, 100]], dtype)
    row, content = written("x", array, binary=True)
    assert (row.datatype, row.shape, row.data) == (DATATYPES[dtype], [2, 3], msgspec.UNSET)
    sent = RequestInput("x", row.shape, row.datatype, parameters=row.parameters)
    found = arrays([sent], content, [Signature("x", dtype, (None, 3))], MOST)["x"]
    assert found.dtype == array.dtype
    np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("uint8", "[0, 256]"),
        ("uint8", "[-1, 0]"),
        ("uint64", "[-1, 0]"),
        ("int8", "[0, 128]"),
        ("int64", "[0, 9223372036854775808]"),
        ("int64", "[0, 0.5]"),
        ("float16", "[0, 65520]"),
        ("float32", "[0, 1e39]"),
        ("float64", "[0, 1e400]"),
        ("float32", '["1,", 2]'),
        ("bool", "[0, 1]"),
    ],
)
def test_what_a_type_cannot_hold_is_refused(dtype, data):
    with pytest.raises(BadRequest):
        read(data, dtype)


def test_truth_is_true_or_false_or_a_byte_of_one_or_zero():
    assert read("[true, false]", "bool").tolist() == [True, False]
    signature = Signature("x", "bool", (None,))
    sent = RequestInput("x", [2], "BOOL", parameters={"binary_data_size": 2})
    assert arrays([sent], b"\x01\x00", [signature], MOST)["x"].tolist() == [True, False]
    with pytest.raises(BadRequest, match="neither 0 nor 1"):
        arrays([sent], b"\x01\x02", [signature], MOST)
    row, _ = written("x", np.array([True, False]), binary=False)
    assert msgspec.json.encode(row) == b'{"name":"x","datatype":"BOOL","shape":[2],"data":[true,false]}'


def test_bytes_are_little_endian_on_every_machine():
    _, content = written("x", np.array([1, 258], ">i2"), binary=True)
    assert content == b"\x01\x00\x02\x01"


def test_bytes_of_several_inputs_follow_each_other_in_the_order_of_the_request():
    one, two = np.arange(3, dtype=np.float32), np.arange(4, dtype=np.int64)
    sent = [
        RequestInput("b", [4], "INT64", parameters={"binary_data_size": 32}),
        RequestInput("c", [1], "FP32", data=msgspec.Raw(b"[7.5]")),
        RequestInput("a", [3], "FP32", parameters={"binary_data_size": 12}),
    ]
    signatures = [
        Signature("a", "float32", (3,)),
        Signature("b", "int64", (4,)),
        Signature("c", "float32", (1,)),
    ]
    found = arrays(sent, two.tobytes() + one.tobytes(), signatures, MOST)
    np.testing.assert_array_equal(found["a"], one)
    np.testing.assert_array_equal(found["b"], two)
    assert found["c"].tolist() == [7.5]


def test_what_is_no_number_is_null_in_json_and_itself_in_bytes():
    array = np.array([np.nan, np.inf, 1.5], np.float32)
    row, _ = written("x", array, binary=False)
    assert msgspec.json.decode(msgspec.json.encode(row))["data"] == [None, None, 1.5]
    _, content = written("x", array, binary=True)
    np.testing.assert_array_equal(np.frombuffer(content, "<f4"), array)


def test_a_type_that_the_protocol_does_not_carry_is_refused():
    sent = RequestInput("x", [1], "tensor(string)", data=msgspec.Raw(b'["a"]'))
    with pytest.raises(BadRequest):
        arrays([sent], b"", [Signature("x", "tensor(string)", (1,))], MOST)


def test_a_scalar_is_one_number():
    with pytest.raises(BadRequest):
        read("7", "float32", shape=(1,))
    assert read("7", "float32", shape=()).shape == ()
