"""Authenticated encryption of small values: AES-256-GCM (NIST SP 800-38D).

A sealed value is one byte of format, 12 bytes of nonce, the ciphertext and a tag of 16 bytes. What the value
is and whose (`context`) is authenticated with it, so that a value that was moved to another row does not
open.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mien.errors import StoreCorrupt

KEY_BYTES = 32
_FORMAT = b"\x01"
_NONCE_BYTES = 12


def new_key() -> bytes:
    """32 random bytes of the operating system."""
    return os.urandom(KEY_BYTES)


class Seal:
    """One key, ready for use; its repr shows nothing."""

    __slots__ = ("_cipher",)

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def close(self, value: bytes, context: str) -> bytes:
        """Encrypt a value.

        Args:
            value: Anything below 64 GB.
            context: What it is and whose; to be given again when it is opened.
        """
        nonce = os.urandom(_NONCE_BYTES)
        return _FORMAT + nonce + self._cipher.encrypt(nonce, value, context.encode())

    def open(self, sealed: bytes, context: str) -> bytes:
        """Decrypt a value.

        Raises:
            StoreCorrupt: It was sealed by another key or for another place, or was changed.
        """
        body = 1 + _NONCE_BYTES
        if sealed[:1] != _FORMAT:
            raise StoreCorrupt(f"What is sealed as {context} is of an unknown format.")
        try:
            return self._cipher.decrypt(sealed[1:body], sealed[body:], context.encode())
        except (InvalidTag, ValueError) as error:
            raise StoreCorrupt(f"What is sealed as {context} does not open.") from error
