"""The keys of one store.

    master key -> key of the store -> key of each person -> templates, crops, names, notes
                                   -> key for the order of names, key of the audit log

The master key opens one value only, so that a KMS is asked once, and exchanging it rewrites that value. A
person whose key is deleted cannot be read any more, whatever copies of the ciphertext remain
(crypto-shredding, NIST SP 800-88).
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass

from mien.gallery.vault.master import MasterKey
from mien.gallery.vault.sealing import KEY_BYTES, Seal, new_key


@dataclass(frozen=True, slots=True, repr=False)
class KeyRing:
    """Opened keys of a store.

    Attributes:
        seal: Of the store: wraps the keys of people and of saved indexes.
        name_key: Makes names findable without being readable.
        audit_key: Authenticates the audit log.
    """

    seal: Seal
    name_key: bytes
    audit_key: bytes

    def name_mac(self, collection: str, name: str) -> bytes:
        """What a name is found by: a keyed digest of its composed form, within one collection."""
        # Half a pair of surrogates is no name, but may be asked for: a shell hands over what it was given.
        content = f"{collection}|{same_form(name)}".encode(errors="surrogatepass")
        return hmac.new(self.name_key, content, hashlib.sha256).digest()

    def source_mac(self, collection: str, digest: str) -> bytes:
        """What a photograph is found by: a keyed digest of its digest, within one collection.

        It stays when keys are exchanged: unlike names, digests of photographs cannot be guessed.
        """
        return hmac.new(self.audit_key, f"source|{collection}|{digest}".encode(), hashlib.sha256).digest()

    def api_key_mac(self, key_id: str, secret: str) -> bytes:
        """What the secret of an API key is known by.

        It stays when keys are exchanged, or everybody who was issued one would need another that day. That
        gives nothing away: the secret is random and kept nowhere, so that not even this key finds it.
        """
        return self._lasting_mac("api-key", key_id, secret)

    def request_mac(self, *parts: str) -> bytes:
        """What a request that may be repeated is found and compared by; it stays when keys are exchanged."""
        return self._lasting_mac("request", *parts)

    def _lasting_mac(self, *parts: str) -> bytes:
        content = "\0".join(parts).encode()
        return hmac.new(self.audit_key, content, hashlib.sha256).digest()

    def wrap(self, key: bytes, whose: str) -> bytes:
        """Seal a key for the store."""
        return self.seal.close(key, f"key|{whose}")

    def unwrap(self, wrapped: bytes, whose: str) -> bytes:
        """Open a key. Raises StoreCorrupt."""
        return self.seal.open(wrapped, f"key|{whose}")


@dataclass(frozen=True, slots=True, repr=False)
class SealedRing:
    """A key ring as it lies in the store.

    Attributes:
        master_id: Which master key opens it.
        wrapped: The key of the store, wrapped by the master key.
        secrets: The other two, sealed by the key of the store.
    """

    master_id: str
    wrapped: bytes
    secrets: bytes


def same_form(name: str) -> str:
    """A name as it is compared: in composed form (Unicode NFC), without space around it."""
    return unicodedata.normalize("NFC", name.strip())


def make_ring(
    master: MasterKey, store_id: str, *, audit_key: bytes | None = None
) -> tuple[KeyRing, SealedRing]:
    """Make new keys for a store.

    Args:
        master: Wraps them.
        store_id: Whose they are.
        audit_key: Kept when keys are exchanged, so that what was written before can still be verified.
    """
    key, name_key, audit_key = new_key(), new_key(), audit_key or new_key()
    ring = KeyRing(Seal(key), name_key, audit_key)
    secrets = ring.seal.close(name_key + audit_key, f"secrets|{store_id}")
    return ring, SealedRing(master.id, master.wrap(key, f"store|{store_id}"), secrets)


def open_ring(master: MasterKey, store_id: str, sealed: SealedRing) -> KeyRing:
    """Open the keys of a store.

    Raises:
        KeyWrong: The master key is another.
        StoreCorrupt: They were changed.
    """
    seal = Seal(master.unwrap(sealed.wrapped, f"store|{store_id}"))
    secrets = seal.open(sealed.secrets, f"secrets|{store_id}")
    return KeyRing(seal, secrets[:KEY_BYTES], secrets[KEY_BYTES:])
