"""The server knows that it is told to stop before it begins to."""

import os
import signal
import threading
from contextlib import suppress

import pytest

from mien.server.stopping import told_to_stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def heard():
    """Signals that whoever handled them before has heard."""
    before = {one: signal.getsignal(one) for one in SIGNALS}
    found = []
    for one in SIGNALS:
        signal.signal(one, lambda number, _frame: found.append(number))
    yield found
    for one, handler in before.items():
        signal.signal(one, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_it_is_known_first_and_then_told_to_whoever_handled_it(heard, number):
    handlers, stopping, seen = {one: signal.getsignal(one) for one in SIGNALS}, threading.Event(), []
    handler = handlers[number]
    signal.signal(number, lambda *told: (seen.append(stopping.is_set()), handler(*told)))
    with told_to_stop(stopping):
        assert not stopping.is_set()
        os.kill(os.getpid(), number)
        assert stopping.wait(10)
    assert seen == [True]
    assert heard == [number]


def test_afterwards_everything_is_as_it_was(heard):
    before = [signal.getsignal(one) for one in SIGNALS]
    with told_to_stop(threading.Event()):
        assert [signal.getsignal(one) for one in SIGNALS] != before
    with suppress(ZeroDivisionError), told_to_stop(threading.Event()):
        1 / 0  # noqa: B018
    assert [signal.getsignal(one) for one in SIGNALS] == before


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_a_signal_that_nobody_handled_is_known_all_the_same(heard, ignored):
    signal.signal(signal.SIGTERM, ignored)
    stopping = threading.Event()
    with told_to_stop(stopping):
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.wait(10)


def test_in_another_thread_signals_stay_alone(heard):
    before, found = [signal.getsignal(one) for one in SIGNALS], []

    def work():
        with told_to_stop(threading.Event()):
            found.extend(signal.getsignal(one) for one in SIGNALS)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == before
