"""Requests are counted by a clock that the test holds."""

import threading

import pytest

from gallery.known import refused
from mien.access.grants import Caller, local
from mien.access.rates import Rates
from mien.errors import RateLimited


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def rates(clock):
    return Rates(clock)


def caller(rate, actor="key:1"):
    return Caller(actor, "n", ("detect",), rate_per_minute=rate)


def taken(rates, who, count):
    """How many of so many requests are let through."""
    return sum(not isinstance(_try(rates, who), RateLimited) for _ in range(count))


def _try(rates, who):
    try:
        rates.take(who)
    except RateLimited as error:
        return error
    return None


def test_as_many_as_a_minute_allows_then_as_time_passes(rates, clock):
    who = caller(6)
    assert taken(rates, who, 20) == 6
    error = refused(rates.take, who)
    assert error.retry_after_s == pytest.approx(10)
    clock.now += 9.9
    assert refused(rates.take, who).retry_after_s == pytest.approx(0.1)
    clock.now += 0.2
    assert taken(rates, who, 5) == 1
    clock.now += 30
    assert taken(rates, who, 20) == 3


def test_who_waits_as_told_is_let_through(rates, clock):
    who = caller(7)
    for _ in range(100):
        error = _try(rates, who)
        if error is not None:
            clock.now += error.retry_after_s + 1e-9
            rates.take(who)
    assert clock.now - 1000 == pytest.approx((100 - 7) / 7 * 60, rel=0.6)


def test_a_quiet_hour_saves_no_more_than_a_minute(rates, clock):
    who = caller(5)
    rates.take(who)
    clock.now += 3600
    assert taken(rates, who, 50) == 5


def test_callers_do_not_use_up_each_other(rates):
    assert taken(rates, caller(3, "key:1"), 10) == 3
    assert taken(rates, caller(2, "key:2"), 10) == 2


def test_who_has_no_rate_is_never_refused(rates):
    assert taken(rates, caller(None), 1000) == 1000
    assert taken(rates, local(), 1000) == 1000


def test_a_rate_that_was_changed_counts_from_then_on(rates, clock):
    assert taken(rates, caller(100), 10) == 10
    assert taken(rates, caller(3), 10) == 3
    clock.now += 60
    assert taken(rates, caller(50), 100) == 50


def test_threads_together_get_no_more(rates):
    who, through = caller(40), []

    def ask():
        through.append(taken(rates, who, 25))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(through) == 40
