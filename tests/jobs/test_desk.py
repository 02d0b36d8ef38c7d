import pytest

from jobs.working import (
    Kit,
    attached,
    ended,
    make_collection,
    many,
    now,
    ordered,
    rows,
    sent,
    wait_for,
    working,
)
from mien.access.grants import Caller, local
from mien.errors import BadRequest, BodyTooLarge, CollectionUnknown, Forbidden, JobRefused, JobUnknown
from mien.gallery.forgetting import drop_collection
from mien.gallery.store import audit, documents, reading
from mien.gallery.store.forgotten import forgotten_ids
from mien.jobs import desk, holding
from mien.jobs.job import job_row


def caller(name, *scopes, collections=None):
    return Caller(f"key:{name}", name, scopes, collections)


EVE = caller("eve", "detect", "search", "enroll")
MAL = caller("mal", "detect", "search", "enroll")
ADMIN = caller("adm", "admin")


def test_a_job_waits_until_it_is_started(kit, store):
    job = ordered(kit, "analyze", many(2, 1), start=False)
    kept = desk.add(store, local(), job, many(3, 2))
    assert (kept.state, kept.job.total, kept.owner) == ("waiting", 5, "local")
    with working(kit):
        assert desk.start(store, local(), job).state == "queued"
        ended(kit, job)
    assert [row.source for row in rows(kit, job)] == ["0.png", "1.png", "0.png", "1.png", "2.png"]
    assert desk.start(store, local(), job).state == "done", "to start twice does no harm"
    with pytest.raises(JobRefused, match="done"):
        desk.add(store, local(), job, many(1, 1))
    with pytest.raises(JobRefused, match="done"):
        desk.cancel(store, local(), job)


def test_without_photographs_nothing_is_started(kit, store):
    with pytest.raises(JobRefused):
        ordered(kit, "analyze")
    with store.reading() as snapshot:
        assert documents.listed(snapshot, "job") == ()
    job = ordered(kit, "analyze", start=False)
    with pytest.raises(JobRefused):
        desk.start(store, local(), job)


def test_what_has_not_begun_is_cancelled_at_once(kit, store):
    for begun in (False, True):
        job = ordered(kit, "analyze", many(1, 1), start=begun)
        kept = desk.cancel(store, local(), job)
        assert (kept.state, kept.job.options) == ("cancelled", {})
        with pytest.raises(JobRefused, match="cancelled"):
            desk.start(store, local(), job)
        with pytest.raises(JobRefused, match="cancelled"):
            desk.add(store, local(), job, many(1, 1))


@pytest.mark.parametrize(
    ("kind", "collection", "scopes"),
    [
        ("analyze", None, ("search", "enroll", "verify")),
        ("identify", "people", ("detect", "enroll", "verify")),
        ("enroll", "people", ("detect", "search", "verify")),
        ("cluster", "people", ("detect", "search", "verify")),
    ],
)
def test_a_kind_needs_its_scope(kit, kind, collection, scopes):
    with pytest.raises(Forbidden):
        ordered(kit, kind, many(1, 1), collection, caller=caller("k", *scopes))
    needed = {"detect", "search", "enroll"} - set(scopes)
    assert ordered(kit, kind, many(1, 1), collection, caller=caller("k", *needed))


def test_a_key_orders_for_its_collections_only(kit, store):
    make_collection(store, "others")
    limited = caller("k", "search", collections=("people",))
    job = ordered(kit, "identify", many(1, 1), "people", caller=limited)
    for name in ("others", "nowhere"):
        with pytest.raises(Forbidden):
            ordered(kit, "identify", many(1, 1), name, caller=limited)
    assert [one.id for one in desk.jobs(store, limited)] == [job]
    less = caller("k", "search", collections=("others",))
    assert desk.jobs(store, less) == (), "it is not for this collection any more"
    with pytest.raises(JobUnknown):
        desk.look_up(store, less, job)


def test_who_administers_a_collection_sees_its_jobs(kit, store):
    make_collection(store, "others")
    about = {name: ordered(kit, "identify", many(1, 1), name, caller=EVE) for name in ("people", "others")}
    ordered(kit, "analyze", many(1, 1), caller=EVE)
    limited = caller("adm", "admin", collections=("people",))
    assert [one.id for one in desk.jobs(store, limited)] == [about["people"]]
    desk.cancel(store, limited, about["people"])
    with pytest.raises(JobUnknown):
        desk.cancel(store, limited, about["others"])


@pytest.mark.parametrize(
    ("kind", "collection"), [("analyze", "people"), ("identify", None), ("enroll", None), ("video", None)]
)
def test_what_makes_no_sense_is_refused(kit, kind, collection):
    with pytest.raises(BadRequest):
        ordered(kit, kind, many(1, 1), collection)


def test_no_collection_is_made_by_a_job(kit, store):
    with pytest.raises(CollectionUnknown):
        ordered(kit, "enroll", many(1, 1), "nowhere", person="Ada")
    with store.reading() as snapshot:
        assert [one.name for one in reading.collections(snapshot)] == ["people"]


def test_jobs_are_seen_by_their_owner_and_by_admins(kit, store):
    hers = [ordered(kit, "analyze", many(1, 1), caller=EVE) for _ in range(3)]
    his = ordered(kit, "analyze", many(1, 1), caller=MAL)
    assert [one.id for one in desk.jobs(store, EVE)] == hers[::-1]
    assert [one.id for one in desk.jobs(store, MAL)] == [his]
    assert [one.id for one in desk.jobs(store, ADMIN)] == [his, *hers[::-1]]
    for forbidden in (
        lambda: desk.look_up(store, MAL, hers[0]),
        lambda: desk.add(store, MAL, hers[0], many(1, 1)),
        lambda: desk.start(store, MAL, hers[0]),
        lambda: desk.cancel(store, MAL, hers[0]),
        lambda: desk.delete(store, MAL, hers[0]),
        lambda: desk.look_up(store, MAL, "nothing"),
        lambda: desk.look_up(store, MAL, "\0'--"),
    ):
        with pytest.raises(JobUnknown):
            forbidden()
    assert now(kit, hers[0], EVE).state == "queued"
    desk.delete(store, ADMIN, hers[0])
    assert len(desk.jobs(store, EVE)) == 2


def test_what_is_deleted_holds_nothing_at_once_and_is_wiped_later(kit, store):
    job = ordered(kit, "analyze", many(3, 1), start=False)
    desk.delete(store, local(), job)
    assert attached(store, job) == ()
    assert desk.jobs(store, local()) == ()
    for anything in (desk.look_up, desk.start, desk.cancel, desk.delete):
        with pytest.raises(JobUnknown):
            anything(store, local(), job)
    assert holding.claim(store) is None
    assert holding.deleted_jobs(store) == (job,)
    with working(kit):
        wait_for(lambda: not holding.deleted_jobs(store))
    with store.reading() as snapshot:
        assert documents.read(snapshot, "job", job) is None
        assert job in forgotten_ids(snapshot)


def test_jobs_of_one_owner_hold_only_so_much(kit, store, monkeypatch):
    photos = many(2, 1)
    size_bytes = sum(len(one.content) for one in photos)
    monkeypatch.setattr(desk, "MOST_OPEN_BYTES", 2 * size_bytes)
    first, second = (ordered(kit, "analyze", photos, caller=EVE, start=False) for _ in range(2))
    for more in (
        lambda: ordered(kit, "analyze", many(1, 1), caller=EVE),
        lambda: desk.add(store, EVE, second, many(1, 1)),
    ):
        with pytest.raises(JobRefused, match="MiB"):
            more()
    assert len(desk.jobs(store, EVE)) == 2
    ordered(kit, "analyze", photos, caller=MAL)
    desk.delete(store, EVE, first)
    assert desk.add(store, EVE, second, many(1, 1)).job.total == 3


def test_pages_of_jobs(kit, store):
    make_collection(store, "others")
    ids = [ordered(kit, "identify", many(1, 1), name, caller=EVE) for name in ("people", "others") * 4]
    limited = caller("eve", "search", collections=("people",))
    first = desk.jobs(store, limited, limit=3)
    rest = desk.jobs(store, limited, after=first[-1].id, limit=3)
    assert [one.id for one in (*first, *rest)] == ids[-2::-2]


def test_limits(kit, store, monkeypatch):
    monkeypatch.setattr(desk, "MOST_PHOTOGRAPHS", 3)
    with pytest.raises(BodyTooLarge):
        ordered(kit, "analyze", many(4, 1))
    job = ordered(kit, "analyze", many(2, 1), start=False)
    with pytest.raises(BodyTooLarge):
        desk.add(store, local(), job, many(2, 1))
    assert now(kit, job).job.total == 2
    monkeypatch.setattr(desk, "MOST_BYTES", now(kit, job).job.size_bytes + 10)
    with pytest.raises(BodyTooLarge):
        desk.add(store, local(), job, many(1, 1))
    monkeypatch.setattr(desk, "MOST_OPEN", 2)
    ordered(kit, "analyze", many(1, 1), caller=EVE)
    ordered(kit, "analyze", many(1, 1))
    with pytest.raises(JobRefused, match="have not ended"):
        ordered(kit, "analyze", many(1, 1))
    desk.cancel(store, local(), job)
    ordered(kit, "analyze", many(1, 1))


def test_a_job_goes_with_its_collection(kit, store):
    job = ordered(kit, "enroll", [sent("a.png", 1)], "people", person="Ada")
    with store.reading() as snapshot:
        here = reading.collection_named(snapshot, "people")
    drop_collection(store, here)
    with pytest.raises(JobUnknown):
        now(kit, job)


def test_what_is_told_of_a_job(kit):
    job = ordered(kit, "enroll", [sent("Ada/1.png", 1)], "people")
    row = job_row(now(kit, job))
    assert (row.id, row.kind, row.collection, row.state, row.owner) == (
        job,
        "enroll",
        "people",
        "queued",
        "local",
    )
    assert (row.done, row.failed, row.total) == (0, 0, 1)
    assert (row.started, row.finished, row.error, row.summary) == (None, None, None, None)
    with working(kit):
        ended(kit, job)
    row = job_row(now(kit, job))
    assert (row.state, row.done, row.summary) == ("done", 1, {"faces": 1, "repeated": 0, "people": 1})
    assert row.created <= row.started <= row.finished


def test_neither_names_nor_pictures_are_shown_or_logged(kit, store):
    photograph = sent("Ada Lovelace/1.png", 1)
    job = ordered(kit, "enroll", [photograph], "people", metadata={"secret": "room 7"})
    kept = now(kit, job)
    with working(kit):
        ended(kit, job)
    shown = [repr(one) for one in (photograph, kept, kept.job, now(kit, job), *rows(kit, job)[:0])]
    with store.reading() as snapshot:
        shown += [str(one) for one in audit.entries(snapshot.connection)]
    for text in shown:
        assert "Lovelace" not in text
        assert "room 7" not in text
        assert "PNG" not in text


def test_on_every_store(place):
    store = place.store()
    make_collection(store, "people")
    kit = Kit(store)
    job = ordered(kit, "enroll", [sent("Ada/1.png", 1), sent("Bo/1.png", 2)], "people")
    with working(kit):
        assert ended(kit, job).state == "done"
    assert [row.person for row in rows(kit, job)] == ["Ada", "Bo"]
    kit.gallery("people").forget("Ada")
    assert [row.person for row in rows(kit, job)] == ["Bo"]
    desk.delete(store, local(), job)
    assert desk.jobs(store, local()) == ()
