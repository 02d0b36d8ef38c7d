import os

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from gallery.known import refused
from mien.errors import StoreCorrupt
from mien.gallery.vault.sealing import Seal, new_key


@given(st.binary(max_size=300), st.text(max_size=40))
def test_what_was_sealed_opens_in_its_place_only(value, context):
    seal = Seal(new_key())
    sealed = seal.close(value, context)
    assert seal.open(sealed, context) == value
    with pytest.raises(StoreCorrupt):
        seal.open(sealed, context + "x")
    with pytest.raises(StoreCorrupt):
        Seal(new_key()).open(sealed, context)


def test_it_is_aes_256_gcm():
    key = bytes(range(32))
    sealed = Seal(key).close(b"value", "person|1")
    assert (sealed[:1], len(sealed)) == (b"\x01", 1 + 12 + 5 + 16)
    assert AESGCM(key).decrypt(sealed[1:13], sealed[13:], b"person|1") == b"value"


def test_every_change_of_every_bit_is_refused():
    seal = Seal(new_key())
    sealed = seal.close(b"a template", "c")
    for bit in range(8 * len(sealed)):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StoreCorrupt):
            seal.open(bytes(changed), "c")


def test_every_shortening_and_lengthening_is_refused():
    seal = Seal(new_key())
    sealed = seal.close(b"a template", "c")
    for end in range(len(sealed)):
        with pytest.raises(StoreCorrupt):
            seal.open(sealed[:end], "c")
    for more in (b"\0", os.urandom(16), sealed):
        with pytest.raises(StoreCorrupt):
            seal.open(sealed + more, "c")


def test_equal_values_are_sealed_differently():
    seal = Seal(new_key())
    assert len({seal.close(b"same", "c") for _ in range(1000)}) == 1000
    assert len({new_key() for _ in range(1000)}) == 1000
    assert len(new_key()) == 32


def test_nothing_of_the_key_is_shown():
    key = new_key()
    error = refused(Seal(key).open, b"\x01" + bytes(40), "person|1")
    for text in (repr(Seal(key)), str(error)):
        assert key.hex()[:8] not in text
        assert repr(key)[2:14] not in text
