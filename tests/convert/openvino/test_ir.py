import re

import numpy as np
import pytest

from irfiles import Ir
from mien.convert.openvino.ir import read_layers
from mien.convert.openvino.network import network
from mien.errors import ConversionFailed


def small():
    """Input, weights, product, result; layers 0 to 3."""
    ir = Ir()
    x, w = ir.input((1, 4)), ir.const(np.ones((4, 2), np.float32))
    ir.result(ir.one("MatMul", (x, w), (1, 2)))
    return ir


def test_layers_come_after_what_they_read_wherever_they_stand():
    ir = small()
    ir.layers.reverse()
    assert [layer.kind for layer in read_layers(ir.xml)] == ["Const", "Parameter", "MatMul", "Result"]
    assert network(ir.xml, ir.weights)


BOMB = b'<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><net version="10">&b;</net>'
DAMAGE = {
    "empty": (b"^.*$", b"", "not well-formed"),
    "not XML": (b"^.*$", b"\x08\x01\x12\x04onnx", "not well-formed"),
    "cut off": (b".{200}$", b"", "not well-formed"),
    "a document type": (b"^.*$", BOMB, "document types"),
    "a document type in UTF-16": (b"^.*$", BOMB.decode().encode("utf-16"), "not well-formed"),
    "a document type in UTF-16 without a mark": (b"^.*$", BOMB.decode().encode("utf-16-le"), "not text"),
    "a document type in EBCDIC": (
        b"^.*$",
        b'<?xml version="1.0" encoding="cp037"?>' + BOMB.decode().encode("cp037"),
        "not well-formed",
    ),
    "another language": (b"^.*$", b"<html/>", "expected a <net>"),
    "an old version": (b'net name="small" version="11"', b'net name="small" version="7"', "version '7'"),
    "no result": (b'type="Result"', b'type="ReLU"', "no result"),
    "from no layer": (b'from-layer="0"', b'from-layer="9"', "leads nowhere"),
    "from no port": (b'from-layer="0" from-port="0"', b'from-layer="0" from-port="7"', "leads nowhere"),
    "to no layer": (b'to-layer="3"', b'to-layer="33"', "leads nowhere"),
    "not connected": (b'<edge from-layer="0"[^>]*>', b"", "not connected"),
    "two into one": (b'(<edge from-layer="0"[^>]*>)', rb"\1\1", "two edges"),
    "the same id": (b'layer id="1"', b'layer id="0"', "two layers"),
    "a cycle": (b'from-layer="0" from-port="0"', b'from-layer="2" from-port="2"', "cycle"),
    "beyond the weights": (b'offset="0"', b'offset="1"', "outside the file of weights"),
    "a negative offset": (b'offset="0"', b'offset="-32"', "out of range"),
    "a size without end": (b'size="32"', b'size="' + b"9" * 5000 + b'"', "whole number"),
    "a size that is no number": (b'size="32"', b'size="all"', "whole number"),
    "more values than bytes": (b'shape="4,2"', b'shape="4,3"', "does not fit its size"),
    "far more values": (b'shape="4,2"', b'shape="2000000000,2000000000"', "grow far beyond"),
    "a negative shape": (b'shape="4,2"', b'shape="-4,-2"', "out of range"),
    "an unknown type": (b'element_type="f32" shape="4,2"', b'element_type="q5" shape="4,2"', "'q5'"),
    "a type of text": (b'(shape="1,4" element_type)="f32"', rb'\1="string"', "not a picture"),
    "no attributes": (b'<data element_type="f32" shape="4,2"[^>]*>', b"", "lacks the attribute"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGE)
def test_damaged_and_hostile_files_are_refused(name):
    pattern, replacement, message = DAMAGE[name]
    ir = small()
    xml, count = re.subn(pattern, replacement, ir.xml, count=1, flags=re.DOTALL)
    assert count == 1
    assert xml != ir.xml
    with pytest.raises(ConversionFailed, match=message) as failure:
        network(xml, ir.weights)
    assert failure.value.hint


def test_shapes_that_do_not_fit_are_refused():
    ir = Ir()
    ir.result(ir.one("MatMul", (ir.input((1, 4)), ir.const(np.ones((4, 2), np.float32))), (1, 7)))
    with pytest.raises(ConversionFailed, match="inconsistent"):
        network(ir.xml, ir.weights)


def outer(ir, x):
    column, row = (ir.one("Unsqueeze", (x, ir.ints(axis)), (1,)) for axis in (-1, 0))
    return ir.one("Multiply", (column, row), (1,))


GROWING = {
    "concat": lambda ir, x: ir.one("Concat", (x, x), (1,), axis="0"),
    "outer": outer,
    "gather": lambda ir, x: ir.one(
        "Gather", (x, ir.const(np.zeros((4, 4), np.int64)), ir.const(np.array(0, np.int64))), (1,)
    ),
}


@pytest.mark.parametrize("name", GROWING)
def test_constants_that_multiply_themselves_are_refused_at_once(name):
    ir = Ir()
    x = ir.const(np.ones(16, np.float32))
    for _ in range(60):
        x = GROWING[name](ir, x)
    ir.result(x)
    with pytest.raises(ConversionFailed, match="grow far beyond"):
        network(ir.xml, ir.weights)


def test_the_same_bytes_may_not_be_read_without_end():
    ir = Ir()
    ir.weights = bytes(1 << 20)
    said = {"element_type": "i8", "shape": "1048576", "offset": "0", "size": "1048576"}
    parts = [ir.one("Const", (), (1 << 20,), **said) for _ in range(100)]
    ir.result(ir.one("Concat", parts, (100 << 20,), axis="0"))
    with pytest.raises(ConversionFailed, match="grow far beyond"):
        network(ir.xml, ir.weights)


def test_anchors_without_end_are_refused():
    ir = Ir()
    sizes = [ir.ints(1 << 30, 1 << 30) for _ in range(2)]
    ir.result(ir.one("PriorBoxClustered", sizes, (2, 4), width="1", height="1", offset="0.5"))
    with pytest.raises(ConversionFailed, match="grow far beyond"):
        network(ir.xml, ir.weights)


def test_a_long_chain_needs_no_deep_stack():
    ir = Ir()
    x = ir.input((1, 2))
    for _ in range(3000):
        x = ir.one("ReLU", (x,), (1, 2))
    ir.result(x)
    assert len(read_layers(ir.xml)) == 3002


def test_damaged_numbers_end_in_a_refusal_or_a_network(rng):
    ir = small()
    refused = 0
    numbers = list(re.finditer(rb"\d+", ir.xml))
    for number in numbers:
        for other in (b"0", b"-1", b"3", b"4294967296", b"x", b"1e9", b""):
            try:
                network(ir.xml[: number.start()] + other + ir.xml[number.end() :], ir.weights)
            except ConversionFailed:
                refused += 1
    assert refused > len(numbers)
