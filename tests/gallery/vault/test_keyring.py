import hashlib
import hmac
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gallery.known import KEY, OTHER_KEY, refused
from mien.errors import KeyWrong, StoreCorrupt
from mien.gallery.vault.keyring import SealedRing, make_ring, open_ring, same_form


def test_a_ring_opens_again():
    ring, sealed = make_ring(KEY, "store")
    again = open_ring(KEY, "store", sealed)
    assert (again.name_key, again.audit_key) == (ring.name_key, ring.audit_key)
    assert again.unwrap(ring.wrap(b"k" * 32, "ada"), "ada") == b"k" * 32
    assert sealed.master_id == KEY.id
    assert len({ring.name_key, ring.audit_key, b"k" * 32}) == 3


def test_another_master_or_another_store_does_not_open_it():
    _, sealed = make_ring(KEY, "store")
    assert type(refused(open_ring, OTHER_KEY, "store", sealed)) is KeyWrong
    assert type(refused(open_ring, KEY, "another", sealed)) is KeyWrong
    _, other = make_ring(KEY, "store")
    mixed = SealedRing(sealed.master_id, sealed.wrapped, other.secrets)
    assert type(refused(open_ring, KEY, "store", mixed)) is StoreCorrupt


def test_a_key_does_not_open_in_the_place_of_another():
    ring, _ = make_ring(KEY, "store")
    wrapped = ring.wrap(b"k" * 32, "ada")
    with pytest.raises(StoreCorrupt):
        ring.unwrap(wrapped, "bo")


def test_exchanged_keys_are_new_but_for_the_log():
    old, _ = make_ring(KEY, "store")
    new, _ = make_ring(OTHER_KEY, "store", audit_key=old.audit_key)
    assert new.audit_key == old.audit_key
    assert new.name_key != old.name_key
    assert new.source_mac("c", "digest") == old.source_mac("c", "digest")
    assert new.name_mac("c", "Ada") != old.name_mac("c", "Ada")


@given(st.text(min_size=1, max_size=30))
def test_a_name_is_found_in_every_form(name):
    ring, _ = _RING
    forms = {ring.name_mac("c", unicodedata.normalize(form, name)) for form in ("NFC", "NFD")}
    assert forms == {ring.name_mac("c", f" {name}\n")}
    assert ring.name_mac("c2", name) not in forms
    assert same_form(same_form(name)) == same_form(name)


_RING = make_ring(KEY, "store")


def test_different_names_are_found_apart():
    ring, _ = _RING
    names = ["Ada", "ada", "Ada ", "A da", "Adá", "Ada|", "|Ada", "\ud800", "\ud801", "x\0y", "xy"]
    assert len({ring.name_mac("c", name) for name in names}) == len(names) - 1, (
        "space at the end is not meant"
    )


def test_digests_of_secrets_and_requests_outlast_an_exchange_of_keys():
    old, _ = make_ring(KEY, "store")
    new, _ = make_ring(OTHER_KEY, "store", audit_key=old.audit_key)
    other, _ = make_ring(KEY, "store")
    expected = hmac.new(old.audit_key, b"api-key\0ada\0secret", hashlib.sha256).digest()
    assert old.api_key_mac("ada", "secret") == new.api_key_mac("ada", "secret") == expected
    assert old.request_mac("ada", "secret") == new.request_mac("ada", "secret")
    macs = [
        *(
            old.api_key_mac("ada", "secret"),
            old.api_key_mac("ad", "asecret"),
            old.api_key_mac("bo", "secret"),
        ),
        *(old.request_mac("ada", "secret"), other.api_key_mac("ada", "secret")),
    ]
    assert len(set(macs)) == len(macs)
