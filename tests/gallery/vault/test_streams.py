import io

import numpy as np
import pytest

from mien.errors import IndexStale
from mien.gallery.vault import streams
from mien.gallery.vault.sealing import new_key
from mien.gallery.vault.streams import SealedReader, SealedWriter

PIECE = 64
HEAD = 9 + 7
SEALED = PIECE + 16


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch):
    monkeypatch.setattr(streams, "_PIECE", PIECE)


def written(content, key, context="index", at_once=10**9):
    file = io.BytesIO()
    with SealedWriter(file, key, context) as writer:
        for start in range(0, len(content), at_once):
            writer.write(content[start : start + at_once])
    return file.getvalue()


def read(sealed, key, context="index"):
    return SealedReader(io.BytesIO(sealed), key, context).readall()


@pytest.mark.parametrize("size", [0, 1, 63, 64, 65, 127, 128, 129, 1000])
@pytest.mark.parametrize("at_once", [1, 7, 64, 10**6])
def test_what_is_written_is_read(rng, size, at_once):
    key, content = new_key(), rng.bytes(size)
    sealed = written(content, key, at_once=at_once)
    assert read(sealed, key) == content
    assert len(sealed) == HEAD + size + 16 * max(-(-size // PIECE), 1)
    with io.BufferedReader(SealedReader(io.BytesIO(sealed), key, "index")) as buffered:
        assert b"".join(iter(lambda: buffered.read(5), b"")) == content


def test_arrays_are_written_as_they_lie(rng):
    key, array = new_key(), rng.normal(0, 1, (9, 7)).astype(np.float32)
    file = io.BytesIO()
    with SealedWriter(file, key, "index") as writer:
        assert writer.write(array.data) == array.nbytes
    assert read(file.getvalue(), key) == array.tobytes()


@pytest.mark.parametrize("size", [0, 10, 64, 200])
def test_every_cut_is_refused(rng, size):
    key = new_key()
    sealed = written(rng.bytes(size), key)
    for end in range(len(sealed)):
        with pytest.raises(IndexStale):
            read(sealed[:end], key)


def test_every_changed_bit_is_refused(rng):
    key = new_key()
    sealed = written(rng.bytes(150), key)
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(IndexStale):
            read(bytes(changed), key)


def pieces(sealed):
    return [sealed[start : start + SEALED] for start in range(HEAD, len(sealed), SEALED)]


@pytest.mark.parametrize(
    "order",
    [[1, 0, 2, 3], [0, 2, 1, 3], [0, 0, 1, 2, 3], [0, 1, 3], [1, 2, 3], [0, 1, 2], [0, 1, 2, 3, 3], [3]],
)
def test_pieces_that_were_exchanged_repeated_or_left_out_are_refused(rng, order):
    key = new_key()
    sealed = written(rng.bytes(4 * PIECE), key)
    found = pieces(sealed)
    assert len(found) == 4
    with pytest.raises(IndexStale):
        read(sealed[:HEAD] + b"".join(found[i] for i in order), key)


def test_pieces_of_another_file_of_the_same_key_are_refused(rng):
    key = new_key()
    one, other = written(rng.bytes(200), key), written(rng.bytes(200), key)
    mixed = [pieces(one)[0], pieces(other)[1], *pieces(one)[2:]]
    with pytest.raises(IndexStale):
        read(one[:HEAD] + b"".join(mixed), key)


def test_what_was_added_is_refused(rng):
    key = new_key()
    for size in (10, 64):
        sealed = written(rng.bytes(size), key)
        for more in (b"x", rng.bytes(SEALED), sealed):
            with pytest.raises(IndexStale):
                read(sealed + more, key)


def test_another_key_or_another_purpose_is_refused(rng):
    key = new_key()
    sealed = written(rng.bytes(100), key)
    with pytest.raises(IndexStale):
        read(sealed, new_key())
    with pytest.raises(IndexStale):
        read(sealed, key, "another")
    with pytest.raises(IndexStale):
        read(b"something else entirely" * 9, key)


def test_nothing_that_was_written_lies_open(rng):
    content = rng.bytes(1000)
    sealed = written(content, new_key())
    assert not any(content[i : i + 6] in sealed for i in range(len(content) - 6))
    assert written(content, key := new_key()) != written(content, key)
