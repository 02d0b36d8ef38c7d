"""What is asked for twice is done once."""

import multiprocessing
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from access import repeating
from gallery.known import refused
from mien.access import answers_given
from mien.access.answers_given import GivenAnswer, Ticket
from mien.errors import BadRequest, IdempotencyMismatch, RequestInProgress
from mien.gallery.sql.schema import ANSWER
from mien.gallery.store import audit
from mien.gallery.store.store import Store
from mien.gallery.vault.master import random_key

ANSWER_GIVEN = GivenAnswer(201, "application/json", b'{"person": "grobwixel"}', (("location", "/v1/x"),))


@pytest.fixture
def store():
    with Store("memory", random_key()) as found:
        yield found


def begin(store, actor="key:1", key="k", digest="d"):
    return answers_given.begin(store, actor, key, digest)


def ago(store, **time):
    with store.writing() as writing:
        moment = audit.written(datetime.now(UTC) - timedelta(**time))
        writing.connection.execute(ANSWER.update().values(created=moment))


def rows(store):
    with store.reading() as snapshot:
        return snapshot.connection.execute(sa.select(ANSWER)).all()


def test_a_request_is_done_once_and_answered_again(store):
    ticket = begin(store)
    assert isinstance(ticket, Ticket)
    error = refused(begin, store)
    assert type(error) is RequestInProgress
    assert error.retry_after_s
    answers_given.finish(store, ticket, ANSWER_GIVEN)
    assert begin(store) == begin(store) == ANSWER_GIVEN
    assert "grobwixel" not in repr(ANSWER_GIVEN)


def test_any_answer_comes_back_as_it_was(store, rng):
    for i, answer in enumerate(
        [GivenAnswer(204, "", b""), GivenAnswer(422, "a/b", rng.bytes(100_000), (("x", "é"), ("x", "y")))]
    ):
        answers_given.finish(store, begin(store, key=str(i)), answer)
        assert begin(store, key=str(i)) == answer


def test_the_same_key_for_another_request_is_refused(store):
    ticket = begin(store)
    assert type(refused(begin, store, digest="other")) is IdempotencyMismatch
    answers_given.finish(store, ticket, ANSWER_GIVEN)
    assert type(refused(begin, store, digest="other")) is IdempotencyMismatch
    assert begin(store) == ANSWER_GIVEN


def test_keys_of_others_do_not_matter(store):
    answers_given.finish(store, begin(store), ANSWER_GIVEN)
    for other in (
        {"actor": "key:2"},
        {"key": "k2"},
        {"actor": "key:1k", "key": "x"},
        {"actor": "key:", "key": "1k"},
    ):
        assert isinstance(begin(store, **other), Ticket)


def test_what_was_abandoned_may_be_done(store):
    answers_given.abandon(store, begin(store))
    assert isinstance(begin(store, digest="other"), Ticket)


def test_what_was_answered_is_not_abandoned(store):
    ticket = begin(store)
    answers_given.finish(store, ticket, ANSWER_GIVEN)
    answers_given.abandon(store, ticket)
    answers_given.finish(store, ticket, GivenAnswer(500, "", b""))
    assert begin(store) == ANSWER_GIVEN


def test_who_died_is_taken_over_and_changes_nothing_any_more(store):
    dead = begin(store)
    ago(store, seconds=119)
    assert type(refused(begin, store)) is RequestInProgress
    ago(store, seconds=121)
    dead = Ticket(dead.mac, rows(store)[0].created)
    ticket = begin(store)
    assert isinstance(ticket, Ticket)
    answers_given.finish(store, dead, GivenAnswer(200, "", b"late"))
    answers_given.abandon(store, dead)
    assert type(refused(begin, store)) is RequestInProgress
    answers_given.finish(store, ticket, ANSWER_GIVEN)
    assert begin(store) == ANSWER_GIVEN


def test_answers_are_kept_for_a_day(store):
    answers_given.finish(store, begin(store), ANSWER_GIVEN)
    ago(store, hours=23, minutes=59)
    assert begin(store) == ANSWER_GIVEN
    ago(store, hours=24, minutes=1)
    assert isinstance(begin(store, key="another"), Ticket)
    assert len(rows(store)) == 1, "the old one was deleted on the way"
    assert isinstance(begin(store), Ticket)


@pytest.mark.parametrize("key", ["", "x" * 201, "é", "a\nb", "\0", "\x7f", "\ud800"])
def test_a_key_that_is_none_is_refused(store, key):
    assert type(refused(begin, store, key=key)) is BadRequest
    assert rows(store) == []


def test_every_printable_character_may_be_in_a_key(store):
    text = "".join(map(chr, range(32, 127)))
    answers_given.finish(store, begin(store, key=text), ANSWER_GIVEN)
    assert begin(store, key=text) == ANSWER_GIVEN
    assert isinstance(begin(store, key="x" * 200), Ticket)


def test_nothing_of_it_can_be_read(store):
    answers_given.finish(store, begin(store, actor="key:1", key="flumpert", digest="krumbholz"), ANSWER_GIVEN)
    content = repr(rows(store))
    for text in ("grobwixel", "flumpert", "krumbholz", "application/json", "key:1"):
        assert text not in content


def test_of_many_at_once_one_does_it(tmp_path):
    context = multiprocessing.get_context("spawn")
    start, answers = context.Event(), context.Queue()
    address = str(tmp_path / "people.db")
    repeating.opened(address).close()
    processes = [context.Process(target=repeating.repeat, args=(address, start, answers)) for _ in range(3)]
    for process in processes:
        process.start()
    start.set()
    got = [answers.get(timeout=60) for _ in processes]
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    assert sum(part.count("did") for part in got) == 20
    assert sorted(len(part) for part in got) == [20, 20, 20]
