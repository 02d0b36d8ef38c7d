"""Whose faces a request is about: CompreFace has no collections, it has a key for each."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from mien.errors import CollectionUnknown, GalleryError
from mien.gallery.gallery import Gallery
from mien.server.asking import Ask

T = TypeVar("T")


def collection_of(ask: Ask) -> str:
    """The collection that the key is for, if it is for one only; else the one that settings name.

    Raises:
        Forbidden: The key is for others.
    """
    own = ask.caller.collections
    name = own[0] if own is not None and len(own) == 1 else ask.service.settings.collection
    ask.caller.demand_collection(name)
    return name


async def to_enrol(ask: Ask) -> Gallery:
    """The people of that collection, which is made with the first of them.

    Raises:
        Forbidden: The key is for others.
        SpaceMismatch: The collection is of another embedder.
    """
    name = collection_of(ask)

    def make() -> None:
        if not ask.service.has_collection(name):
            ask.service.kit.let_go(name)  # what is known of one that was deleted
            ask.service.kit.gallery(name)

    await ask.do(make)
    return await ask.gallery(name)


async def to_search(ask: Ask) -> Gallery | None:
    """The people of that collection; None before there is one.

    Raises:
        Forbidden: The key is for others.
        SpaceMismatch: The collection is of another embedder.
    """
    try:
        return await ask.gallery(collection_of(ask))
    except CollectionUnknown:
        return None


async def look_after(ask: Ask, work: Callable[[Gallery], T], otherwise: T | GalleryError) -> T:
    """Do something with the people of that collection, whatever embedder it is of.

    Args:
        ask: The request.
        work: What to do, in a thread.
        otherwise: Given, or raised, before there is a collection.

    Raises:
        Forbidden: The key is for others.
    """
    name = collection_of(ask)

    def done() -> T:
        try:
            gallery = ask.service.known(name)
        except CollectionUnknown:
            if isinstance(otherwise, GalleryError):
                raise otherwise from None
            return otherwise
        return work(gallery)

    return await ask.do(done)
