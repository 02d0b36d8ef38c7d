"""API keys: issue them, check them, exchange and revoke them.

The text of a key is `mien_`, its identifier, `_` and a secret: 32 random bytes. Of the secret the store keeps
a keyed digest (HMAC-SHA256) only. A slow hash, as passwords need, would protect nothing more, for nobody
guesses 256 random bits, and would cost every request a quarter of a second (Argon2: 227 ms).
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from mien.access.scopes import checked_scopes
from mien.errors import ApiKeyUnknown, BadRequest, GalleryError, Unauthenticated
from mien.gallery.store import api_keys, audit
from mien.gallery.store.api_keys import ApiKey, Secrets
from mien.gallery.store.forgotten import remember_forgotten
from mien.gallery.store.identifiers import fresh
from mien.gallery.store.store import Reading, Store, Writing

_TEXT = re.compile(r"mien_([0-9a-z]{13})_([A-Za-z0-9_-]{43})")
_SECRET_BYTES = 32
_NAME_CHARACTERS = 100
_COLLECTION_CHARACTERS = 200
_COLLECTIONS = 1_000
_HIGHEST_RATE = 1_000_000
_LONGEST_GRACE_S = 30 * 24 * 3600
# How exactly it is known when a key was used.
_TOUCH_S = 60


def create(
    store: Store,
    name: str,
    scopes: Iterable[str],
    *,
    collections: Iterable[str] | None = None,
    rate_per_minute: int | None = None,
    expires: str | None = None,
) -> tuple[ApiKey, str]:
    """Make a key.

    Args:
        store: Where it is kept.
        name: What it is for.
        scopes: What it may do; see `mien.access.scopes`.
        collections: Names of collections to which it is limited, which need not be there yet; None: all.
        rate_per_minute: How many requests it may make; None: as many as it likes.
        expires: Its last day, or a moment; see `read_end`. None: it does not expire.

    Returns:
        The key, and its text, which nobody can find out later.

    Raises:
        BadRequest: One of them is none.
    """
    asked = {
        "name": name,
        "scopes": scopes,
        "collections": collections,
        "rate_per_minute": rate_per_minute,
        "expires": expires,
    }
    key = ApiKey(fresh()[0], created=audit.now(), **{field: _FIELDS[field](asked[field]) for field in asked})
    secret = _new_secret()
    with store.writing(counted=False) as writing:
        api_keys.add(writing, key, Secrets(writing.ring.api_key_mac(key.id, secret)))
        writing.note("made key", key=key.id, scopes=list(key.scopes))
    return key, _text(key, secret)


def check(store: Store, text: str) -> ApiKey:
    """The key that a text is.

    Raises:
        Unauthenticated: It is none, or one that was revoked or has expired; it is not said which.
    """
    found = _TEXT.fullmatch(text)
    if found is None:
        raise _refused()
    key_id, secret = found.groups()
    moment = audit.now()
    with store.reading() as snapshot:
        kept = api_keys.find(snapshot, key_id)
        mac = snapshot.ring.api_key_mac(key_id, secret)
    if kept is None or not _opens(kept[1], mac, moment) or not _is_valid(kept[0], moment):
        raise _refused()
    _touch(store, kept[0])
    return kept[0]


def every(store: Store) -> tuple[ApiKey, ...]:
    """All keys, revoked and expired ones too, oldest first."""
    with store.reading() as snapshot:
        return api_keys.every(snapshot)


def any_key(store: Store) -> bool:
    """Whether there is a key that was not revoked.

    One that has expired counts: what was closed does not open by itself at midnight.
    """
    with store.reading() as snapshot:
        return api_keys.is_any(snapshot)


def edit(store: Store, key_id: str, **changes: Any) -> ApiKey:  # noqa: ANN401 - see below
    """Change a key; its text stays.

    Args:
        store: Where it is kept.
        key_id: Which.
        **changes: `name`, `scopes`, `collections`, `rate_per_minute`, `expires`, as `create` takes them; what
            is not given stays.

    Raises:
        ApiKeyUnknown: There is no such key.
        BadRequest: It was revoked, or a value is none.
    """
    if unknown := changes.keys() - _FIELDS.keys():
        raise BadRequest(f"A key has no {', '.join(sorted(unknown))}.")
    checked = {field: _FIELDS[field](value) for field, value in changes.items()}
    with store.writing(counted=False) as writing:
        key, _ = _usable(writing, key_id)
        key = replace(key, **checked)
        api_keys.change(writing, key)
        writing.note("changed key", key=key.id, fields=sorted(checked))
    return key


def rotate(store: Store, key_id: str, grace_s: float = 0) -> tuple[ApiKey, str]:
    """Give a key another secret.

    Args:
        store: Where it is kept.
        key_id: Which.
        grace_s: For how long the secret that it has now stays valid too; one from before that one does not.

    Returns:
        The key, and its new text.

    Raises:
        ApiKeyUnknown: There is no such key.
        BadRequest: It was revoked, or the time is too long.
    """
    if not 0 <= grace_s <= _LONGEST_GRACE_S:
        raise BadRequest(f"An old key stays valid for at most {_LONGEST_GRACE_S // 86400} days.")
    until = audit.written(datetime.now(UTC) + timedelta(seconds=grace_s))
    secret = _new_secret()
    with store.writing(counted=False) as writing:
        key, kept = _usable(writing, key_id)
        mac = writing.ring.api_key_mac(key.id, secret)
        api_keys.change(writing, key, Secrets(mac, kept.mac, until) if grace_s else Secrets(mac))
        writing.note("rotated key", key=key.id)
    return key, _text(key, secret)


def revoke(store: Store, key_id: str) -> ApiKey:
    """Make a key invalid for good, at once; copies of the store that are put back revoke it too.

    Raises:
        ApiKeyUnknown: There is no such key.
    """
    with store.writing(counted=False) as writing:
        key, _ = _known(writing, key_id)
        if key.revoked is None:
            moment = audit.now()
            key = replace(key, revoked=moment)
            api_keys.revoke(writing, [key.id], moment)
            remember_forgotten(writing, [key.id])
            writing.note("revoked key", key=key.id)
    return key


def read_end(text: str) -> str:
    """Read until when something is valid: a last day, or a moment.

    Args:
        text: ISO 8601, of UTC unless it says otherwise.

    Returns:
        The first moment at which it is not any more, as the store keeps it.

    Raises:
        BadRequest: It is neither, or has passed.
    """
    try:
        if len(text) == len("2030-12-31"):
            moment = datetime.combine(date.fromisoformat(text), time(), UTC) + timedelta(days=1)
        else:
            moment = datetime.fromisoformat(text)
        end = audit.written(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (TypeError, ValueError, OverflowError) as error:
        raise BadRequest("The end is no date.", hint="Such as 2030-12-31 or 2030-12-31T12:00:00Z.") from error
    if end <= audit.now():
        raise BadRequest(f"The end {end} has passed.")
    return end


def _known(snapshot: Reading | Writing, key_id: str) -> tuple[ApiKey, Secrets]:
    found = api_keys.find(snapshot, key_id)
    if found is None:
        raise ApiKeyUnknown(f"There is no key {key_id[:20]!r}.", hint="Keys: mien keys list")
    return found


def _usable(writing: Writing, key_id: str) -> tuple[ApiKey, Secrets]:
    found = _known(writing, key_id)
    if found[0].revoked is not None:
        raise BadRequest(f"The key {key_id} was revoked.", hint="Make another: mien keys create NAME")
    return found


def _opens(kept: Secrets, mac: bytes, moment: str) -> bool:
    """Whether a secret is that of a key, or the one before within its time."""
    is_old = kept.old_mac is not None and hmac.compare_digest(kept.old_mac, mac)
    return hmac.compare_digest(kept.mac, mac) or (is_old and moment < (kept.old_until or ""))


def _is_valid(key: ApiKey, moment: str) -> bool:
    return key.revoked is None and (key.expires is None or moment < key.expires)


def _touch(store: Store, key: ApiKey) -> None:
    before = audit.written(datetime.now(UTC) - timedelta(seconds=_TOUCH_S))
    if key.last_used is None or key.last_used < before:
        with suppress(GalleryError), store.writing(light=True) as writing:  # a full disk locks nobody out
            api_keys.touch(writing, key.id, audit.now())


def _new_secret() -> str:
    return secrets.token_urlsafe(_SECRET_BYTES)


def _text(key: ApiKey, secret: str) -> str:
    return f"mien_{key.id}_{secret}"


def _refused() -> Unauthenticated:
    return Unauthenticated("The key is not valid.", hint="Ask whoever made it for another.")


def _name(name: str) -> str:
    if not isinstance(name, str) or not 0 < len(name.strip()) <= _NAME_CHARACTERS or not name.isprintable():
        raise BadRequest(f"A key needs a name of 1 to {_NAME_CHARACTERS} characters.")
    return name.strip()


def _collections(names: Iterable[str] | None) -> tuple[str, ...] | None:
    if names is None:
        return None
    found = () if isinstance(names, str) else tuple(sorted(set(names)))
    if not 0 < len(found) <= _COLLECTIONS:
        raise BadRequest(f"A key is limited to a list of 1 to {_COLLECTIONS:,} collections, or not at all.")
    if not all(0 < len(one.strip()) <= _COLLECTION_CHARACTERS and one.isprintable() for one in found):
        raise BadRequest("The name of a collection has 1 to 200 characters.")
    return found


def _rate(rate: int | None) -> int | None:
    if rate is None or (type(rate) is int and 0 < rate <= _HIGHEST_RATE):
        return rate
    raise BadRequest(f"A key makes 1 to {_HIGHEST_RATE:,} requests in a minute, or as many as it likes.")


def _end(expires: str | None) -> str | None:
    return None if expires is None else read_end(expires)


# What may be said of a key, and how it is checked.
_FIELDS: dict[str, Any] = {
    "name": _name,
    "scopes": checked_scopes,
    "collections": _collections,
    "rate_per_minute": _rate,
    "expires": _end,
}
