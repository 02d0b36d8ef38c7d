"""Sealed files: what is written to one is encrypted in pieces, so that a gigabyte needs little memory.

Each piece is sealed by AES-256-GCM under a nonce of a random beginning and the piece's number, and knows
whether it is the last, so that pieces cannot be exchanged, repeated or cut off (as in the STREAM
construction: V. T. Hoang et al., CRYPTO 2015).
"""

from __future__ import annotations

import io
import os
import struct
from typing import TYPE_CHECKING, BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mien.errors import IndexStale

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

_MAGIC = b"MIENSEAL1"
_PIECE = 4 * 1024 * 1024
_TAG = 16
_RANDOM = 7


class SealedWriter(io.RawIOBase):
    """Encrypts what is written; `close` writes the last piece, and does not close the file.

    Args:
        file: Where to.
        key: 32 bytes, of this file only.
        context: What the file is.
    """

    def __init__(self, file: BinaryIO, key: bytes, context: str) -> None:
        super().__init__()
        self._file, self._cipher, self._context = file, AESGCM(key), context.encode()
        self._beginning = os.urandom(_RANDOM)
        self._number = 0
        self._waiting = bytearray()
        file.write(_MAGIC + self._beginning)

    def writable(self) -> bool:
        """True."""
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        """Take bytes."""
        view = memoryview(data).cast("B")
        self._waiting += view
        while len(self._waiting) > _PIECE:
            self._put(bytes(self._waiting[:_PIECE]), last=False)
            del self._waiting[:_PIECE]
        return len(view)

    def close(self) -> None:
        """Write what is left, as the last piece."""
        if not self.closed:
            self._put(bytes(self._waiting), last=True)
            self._waiting.clear()
        super().close()

    def _put(self, piece: bytes, *, last: bool) -> None:
        nonce = _nonce(self._beginning, self._number, last=last)
        self._file.write(self._cipher.encrypt(nonce, piece, self._context))
        self._number += 1


class SealedReader(io.RawIOBase):
    """Decrypts what a `SealedWriter` wrote.

    Args:
        file: Where from.
        key: The key it was written with.
        context: What the file is.

    Raises:
        IndexStale: It was written with another key or for something else, or is damaged or cut off; here or
            while reading.
    """

    def __init__(self, file: BinaryIO, key: bytes, context: str) -> None:
        super().__init__()
        self._file, self._cipher, self._context = file, AESGCM(key), context.encode()
        head = file.read(len(_MAGIC) + _RANDOM)
        if head[: len(_MAGIC)] != _MAGIC:
            raise IndexStale("It is no sealed file.")
        self._beginning = head[len(_MAGIC) :]
        self._number = 0
        self._next = file.read(_PIECE + _TAG)
        if not self._next:  # even of nothing there is one piece
            raise IndexStale("It is cut off.")
        self._ready = memoryview(b"")

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Give bytes; 0 at the end."""
        view = memoryview(buffer).cast("B")
        if not self._ready and self._next:
            self._ready = memoryview(self._get())
        taken = min(len(view), len(self._ready))
        view[:taken] = self._ready[:taken]
        self._ready = self._ready[taken:]
        return taken

    def _get(self) -> bytes:
        piece, self._next = self._next, self._file.read(_PIECE + _TAG)
        nonce = _nonce(self._beginning, self._number, last=not self._next)
        self._number += 1
        try:
            return self._cipher.decrypt(nonce, piece, self._context)
        except InvalidTag as error:
            raise IndexStale("It is damaged, or sealed by another key.") from error


def _nonce(beginning: bytes, number: int, *, last: bool) -> bytes:
    return beginning + struct.pack(">IB", number, last)
