"""Rows of the store to records and back; what is sealed is bound to the row that it lies in."""

from __future__ import annotations

from datetime import date
from typing import Any, TypeVar

import msgspec
import numpy as np
import sqlalchemy as sa

from mien.errors import StoreCorrupt
from mien.gallery.store.records import About, Collection, Person, Provenance, StoredFace, Vector
from mien.gallery.vault.keyring import KeyRing
from mien.gallery.vault.sealing import Seal, new_key

Row = sa.Row[*tuple[Any, ...]]
T = TypeVar("T", About, Provenance)


def person_key(ring: KeyRing, person_id: str, key: bytes) -> Seal:
    """Open the key of a person."""
    return Seal(ring.unwrap(key, person_id))


def new_index_key(ring: KeyRing, collection_id: str) -> bytes:
    """A new key for saved indexes of a collection, wrapped; what was saved before opens no more."""
    return ring.wrap(new_key(), f"index|{collection_id}")


def document_key(ring: KeyRing, document_id: str, key: bytes) -> Seal:
    """Open the key of a document."""
    return Seal(ring.unwrap(key, f"document|{document_id}"))


def wrap_document_key(ring: KeyRing, document_id: str, key: bytes) -> bytes:
    """Wrap the key of a document."""
    return ring.wrap(key, f"document|{document_id}")


def rewrap_document_key(old: KeyRing, new: KeyRing, document_id: str, key: bytes) -> bytes:
    """Wrap the key of a document by the keys that a store is to have."""
    return new.wrap(old.unwrap(key, f"document|{document_id}"), f"document|{document_id}")


def seal_document(seal: Seal, document_id: str, value: bytes) -> bytes:
    """Seal what a document says."""
    return seal.close(value, f"document|{document_id}")


def open_document(seal: Seal, document_id: str, sealed: bytes) -> bytes:
    """Open what a document says."""
    return seal.open(sealed, f"document|{document_id}")


def seal_attachment(seal: Seal, document_id: str, name: str, content: bytes) -> bytes:
    """Seal what is attached to a document."""
    return seal.close(content, f"attachment|{document_id}|{name}")


def open_attachment(seal: Seal, document_id: str, name: str, sealed: bytes) -> bytes:
    """Open what is attached to a document."""
    return seal.open(sealed, f"attachment|{document_id}|{name}")


def seal_key_name(ring: KeyRing, key_id: str, name: str) -> bytes:
    """Seal what an API key is called."""
    return ring.seal.close(name.encode(), f"api-key|{key_id}")


def open_key_name(ring: KeyRing, key_id: str, sealed: bytes) -> str:
    """Open what an API key is called."""
    return ring.seal.open(sealed, f"api-key|{key_id}").decode()


def seal_answer(ring: KeyRing, mac: bytes, answer: bytes) -> bytes:
    """Seal what was answered to a request."""
    return ring.seal.close(answer, f"answer|{mac.hex()}")


def open_answer(ring: KeyRing, mac: bytes, sealed: bytes) -> bytes:
    """Open what was answered to a request."""
    return ring.seal.open(sealed, f"answer|{mac.hex()}")


def seal_about(seal: Seal, person_id: str, about: About) -> bytes:
    """Seal what is known about a person."""
    return seal.close(msgspec.json.encode(about), f"about|{person_id}")


def open_about(seal: Seal, person_id: str, sealed: bytes) -> About:
    """Open what is known about a person."""
    return _decoded(seal.open(sealed, f"about|{person_id}"), About)


def seal_provenance(seal: Seal, face_id: str, provenance: Provenance) -> bytes:
    """Seal where a face came from."""
    return seal.close(msgspec.json.encode(provenance), f"face|{face_id}")


def open_provenance(seal: Seal, face_id: str, sealed: bytes) -> Provenance:
    """Open where a face came from."""
    return _decoded(seal.open(sealed, f"face|{face_id}"), Provenance)


def seal_crop(seal: Seal, face_id: str, crop: bytes) -> bytes:
    """Seal the picture of a face."""
    return seal.close(crop, f"crop|{face_id}")


def open_crop(seal: Seal, face_id: str, sealed: bytes) -> bytes:
    """Open the picture of a face."""
    return seal.open(sealed, f"crop|{face_id}")


def seal_vector(seal: Seal, face_id: str, space: str, vector: Vector) -> bytes:
    """Seal a template `(d,)`."""
    return seal.close(vector.astype("<f4").tobytes(), f"template|{face_id}|{space}")


def open_vector(seal: Seal, face_id: str, space: str, sealed: bytes) -> Vector:
    """Open a template `(d,)` float32."""
    return np.frombuffer(seal.open(sealed, f"template|{face_id}|{space}"), "<f4").astype(
        np.float32, copy=False
    )


def person_of(row: Row, ring: KeyRing, faces: int) -> Person:
    """A row of `person`, and how many faces there are."""
    about = open_about(person_key(ring, row.id, row.key), row.id, row.sealed)
    until = date.fromisoformat(row.consent_until) if row.consent_until else None
    return Person(row.id, about, until, faces, row.created, row.version)


def face_of(row: Row, seal: Seal) -> StoredFace:
    """A row of `face` whose column `has_crop` says whether there is a crop."""
    return StoredFace(
        row.id,
        row.person_id,
        open_provenance(seal, row.id, row.sealed),
        bool(row.has_crop),
        bool(row.by_hand),
        row.created,
    )


def collection_of(row: Row) -> Collection:
    """A row of `collection`."""
    return Collection(row.id, row.name, row.space, row.embedder, row.next_space, row.created)


def _decoded(content: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.DecodeError as error:
        raise StoreCorrupt("What was sealed is not of a kind that this version knows.") from error
