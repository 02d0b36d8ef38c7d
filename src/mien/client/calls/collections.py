"""About collections: people of one purpose."""

from __future__ import annotations

from mien.answers.service import Page
from mien.client.call import Call, json, page, path, row
from mien.client.calls.people import forgotten
from mien.gallery.forgetting import Forgotten
from mien.gallery.overview import CollectionOverview


def listed() -> Call[Page[CollectionOverview]]:
    """List the collections that the key may see, in numbers. Scope `search`."""
    return Call("GET", path("collections"), page(CollectionOverview))


def create(name: str) -> Call[CollectionOverview]:
    """Make a collection. Scope `enroll`.

    Raises:
        CollectionExists: There is one of that name.
    """
    return Call("POST", path("collections"), row(CollectionOverview), body=json(name=name), repeat="keyed")


def get(name: str) -> Call[CollectionOverview]:
    """A collection in numbers. Scope `search`."""
    return Call("GET", path("collections", name), row(CollectionOverview))


def forget(name: str) -> Call[Forgotten | None]:
    """Forget a collection and everybody in it, for good. Scope `admin`."""
    return Call("DELETE", path("collections", name), forgotten, repeat="keyed")


def sweep(name: str) -> Call[Forgotten]:
    """Forget everybody whose consent has run out. Scope `admin`."""
    return Call("POST", path("collections", name, "sweep"), row(Forgotten), repeat="never")
