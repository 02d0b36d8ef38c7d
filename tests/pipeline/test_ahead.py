import threading
import time

import numpy as np
import pytest

from mien.core.analysis import Failure
from mien.core.image import Image
from mien.errors import BadRequest, UnreadableImage
from mien.pipeline.ahead import read_ahead


def picture(side=10):
    return Image(np.zeros((side, side, 3), np.uint8))


def readers():
    return [thread for thread in threading.enumerate() if thread.name.startswith("mien-read-ahead")]


def until(condition):
    """Wait a moment for another thread."""
    for _ in range(500):
        if condition():
            return True
        time.sleep(0.01)
    return False


def test_everything_comes_in_order():
    items = [picture(), Failure("x", UnreadableImage("no")), picture(), picture()]
    assert [id(item) for item in read_ahead(iter(items), 2)] == [id(item) for item in items]
    assert list(read_ahead(iter([]), 2)) == []
    assert not readers()


def test_it_reads_ahead_and_not_further():
    read = []

    def items():
        for number in range(20):
            read.append(number)
            yield picture()

    ahead = read_ahead(items(), 3)
    next(ahead)
    assert until(lambda: len(read) == 4), "one is handed on and three wait"
    time.sleep(0.05)
    assert len(read) == 4
    assert len(list(ahead)) == 19


def test_large_pictures_wait_alone(monkeypatch):
    monkeypatch.setattr("mien.pipeline.ahead._MOST_PIXELS", 150)
    read = []

    def items():
        for number in range(5):
            read.append(number)
            yield picture(10)

    ahead = read_ahead(items(), 4)
    next(ahead)
    assert until(lambda: len(read) == 2)
    time.sleep(0.05)
    assert len(read) == 2
    assert len(list(ahead)) == 4


def test_what_the_source_raises_comes_in_its_turn():
    def items():
        yield picture()
        raise BadRequest("broken")

    ahead = read_ahead(items(), 4)
    assert isinstance(next(ahead), Image)
    with pytest.raises(BadRequest, match="broken"):
        next(ahead)
    assert not readers()


def test_nothing_runs_on_when_nobody_wants_more():
    def endless():
        while True:
            yield picture()

    ahead = read_ahead(endless(), 2)
    next(ahead)
    assert readers()
    ahead.close()
    assert not readers()


def test_live_sources_are_asked_when_their_turn_comes(kit, photos):
    asked = []

    def camera():
        for number in range(12):
            asked.append(number)
            yield photos / "unknown" / "rocket.jpg"

    results = kit.analyze(camera())
    next(results)
    assert len(asked) == kit.settings.batch
    assert not readers()
    results.close()
