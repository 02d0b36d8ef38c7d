"""Identifiers of people and faces: short text that sorts by time and says nothing else."""

from __future__ import annotations

import secrets
import time

# Crockford's base 32: no letter that is taken for a digit.
_DIGITS = "0123456789abcdefghjkmnpqrstvwxyz"
_LENGTH = 13
_RANDOM_BITS = 22
# 2026-01-01, in milliseconds; 42 bits from there last until 2165.
_EPOCH_MS = 1_767_225_600_000


def fresh(count: int = 1) -> list[str]:
    """Make identifiers that nobody else has made, rising.

    42 bits of time in milliseconds and 22 that start at random: two processes meet once in four million
    calls within the same millisecond, and the store then refuses the second.
    """
    start = (int(time.time() * 1000) - _EPOCH_MS) << _RANDOM_BITS | secrets.randbits(_RANDOM_BITS)
    return [_text(start + i) for i in range(count)]


def is_identifier(text: str) -> bool:
    """Whether a text may be an identifier."""
    return len(text) == _LENGTH and set(text) <= set(_DIGITS)


def _text(number: int) -> str:
    return "".join(_DIGITS[number >> 5 * place & 31] for place in reversed(range(_LENGTH)))
