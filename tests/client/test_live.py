"""Both clients against a real server, on real photographs."""

import contextlib
import io
import logging
import re
import socket
import time
from datetime import date
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from mien import Image
from mien.access import keys
from mien.answers.jobs import EnrolledRow
from mien.answers.pictures import IdentifyRow, PhotoRow
from mien.client import Client, Photograph, Refused, Retries, in_folder
from mien.client import calls as asked
from mien.errors import (
    BadRequest,
    CaseUnknown,
    CollectionExists,
    CollectionUnknown,
    FaceUnknown,
    Forbidden,
    IdempotencyMismatch,
    JobRefused,
    JobUnknown,
    NoFace,
    PackMissing,
    PersonExists,
    PersonUnknown,
    ServerUnreachable,
    Unauthenticated,
    UnreadableImage,
    VersionStale,
)
from server.serving import served

PAGE = Path(__file__).resolve().parents[2] / "docs" / "client.md"


@pytest.fixture(scope="module")
def live(mien_home, tmp_path_factory):
    """A server that wants keys, its address and a key for everything."""
    with served(tmp_path_factory.mktemp("live"), mien_home) as found:
        _, key = keys.create(found.service.store, "tests", ["admin"])
        found.service.forget_keys()
        yield found.url, key


@pytest.fixture
def mien(live, connect):
    return connect(*live)


@pytest.fixture
def team(mien):
    """A collection of this test's own."""
    name = f"team {time.monotonic_ns()}"
    mien.collections.create(name)
    yield name
    with contextlib.suppress(CollectionUnknown):
        mien.collections.forget(name)


@pytest.fixture
def obama(photos):
    return sorted((photos / "known" / "Barack Obama").iterdir())


def test_who_and_what_runs_there(mien):
    assert mien.live().status == "live"
    assert mien.ready().status == "ready"
    me = mien.me()
    assert (me.name, me.scopes, me.open) == ("tests", ["admin"], False)
    system = mien.system()
    assert system.limits.max_photographs == 100
    assert system.columns["box"] == "mtcnn"
    packs = {one.name: one for one in mien.packs()}
    assert packs["mtcnn"].state == "installed"
    assert "box" in packs["mtcnn"].chosen_for


def test_photographs_in_every_form_give_the_same(mien, obama):
    path = obama[0]
    pixels = np.asarray(PIL.Image.open(path).convert("RGB"))
    with path.open("rb") as file:
        found = [mien.detect(one) for one in (path, str(path), path.read_bytes(), file)]
    boxes = [[face.box for face in one.faces] for one in found]
    assert boxes[1:] == boxes[:1] * 3
    assert len(boxes[0]) == 1
    assert [one.source for one in found] == [path.name, path.name, "photograph-1", path.name]
    near = mien.detect(Image.from_rgb(pixels)).faces
    assert np.allclose(near[0].box, boxes[0][0], atol=2)
    assert near[0].age is None


def test_faces_are_looked_at_hidden_and_compared(mien, obama, photos):
    collins = photos / "known" / "Eileen Collins" / "portrait.jpg"
    assert mien.analyze(obama[0], ["landmarks"]).faces[0].landmarks is not None
    assert mien.verify(*obama[:2]).verified
    assert not mien.verify(obama[0], collins).verified
    hidden = mien.anonymise(collins, "solid", grow=0.5)
    with PIL.Image.open(collins) as before, PIL.Image.open(io.BytesIO(hidden.content)) as after:
        assert after.size == before.size
    assert mien.detect(hidden.content).faces == []
    (face,) = mien.embeddings(collins).faces
    assert len(face.embedding) == 128
    with pytest.raises(PackMissing):
        mien.liveness(collins, threshold=0.3)


def test_people_from_beginning_to_end(mien, team, obama, photos):
    here = {"collection": team}
    done = mien.people.enroll(
        obama[:1],
        "Barack Obama",
        tags=["guest", "a,b"],
        metadata={"room": [7, None]},
        consent_note="on paper",
        consent_until=date(2099, 2, 3),
        keep_picture=True,
        **here,
    )
    person = mien.people.get("Barack Obama", **here)
    assert person == mien.people.get(done.person_id, **here)
    assert (person.tags, person.metadata) == (("a,b", "guest"), {"room": [7, None]})
    assert (person.consent_note, person.consent_until) == ("on paper", date(2099, 2, 3))

    added = mien.people.add(person.id, obama[1], **here)
    assert len(added.faces) == 1
    rows = list(mien.people.faces(person.id, **here))
    assert {row.id for row in rows} == {*done.faces, *added.faces}
    assert mien.faces.get(done.faces[0], **here).person_id == person.id
    assert mien.faces.crop(done.faces[0], **here).media_type == "image/jpeg"
    with pytest.raises(FaceUnknown):
        mien.faces.crop(added.faces[0], **here)

    probe = photos / "unknown" / "portrait-2012.jpg"
    (who,) = mien.identify(probe, 3, tags=["a,b"], **here).people
    assert (who.person, who.decision) == ("Barack Obama", "known")
    assert mien.identify(probe, tags=["nobody's"], **here).people[0].person is None
    assert mien.search(probe, 5, face="largest", **here).faces[0].person_id == person.id
    assert mien.people.verify(person.id, probe, **here).verified

    changed = mien.people.edit(person.id, name="President", consent_until=None, **here)
    assert (changed.name, changed.consent_until, changed.tags) == ("President", None, ("a,b", "guest"))
    with pytest.raises(VersionStale):
        mien.people.edit(person.id, tags=[], version=changed.version - 1, **here)
    assert mien.people.edit(person.id, tags=[], version=changed.version, **here).tags == ()

    other = mien.people.split(person.id, added.faces, "Somebody", **here)
    assert [one.name for one in mien.people.list(containing="some", **here)] == ["Somebody"]
    with pytest.raises(PersonExists):
        mien.people.edit(other.id, name="President", **here)
    moved = mien.faces.move(added.faces, person.id, **here)
    assert moved.faces == 2
    third = mien.people.enroll(photos / "known" / "Grace Hopper", "Grace", **here)
    assert mien.people.merge(person.id, [third.person_id], **here).faces == 3
    mien.faces.forget(third.faces[0], **here)
    assert mien.people.forget(person.id, **here) is None
    with pytest.raises(PersonUnknown) as caught:
        mien.people.get(person.id, **here)
    assert isinstance(caught.value, Refused)
    assert caught.value.status == 404
    assert caught.value.request_id
    assert mien.collections.sweep(team).people == ()


def test_lists_come_in_parts_and_whole(mien, team, obama):
    source = obama[0].read_bytes()
    for number in range(3):
        mien.people.enroll(source + bytes(number + 1), f"Person {number}", collection=team)
    call = asked.people.listed(collection=team)
    short = type(call)(call.method, call.path, call.answer, (*call.query, ("limit", "2")))
    first = mien.send(short)
    assert len(first.items) == 2
    rest = mien.send(short.at(first.next))
    assert rest.next is None
    assert [*first.items, *rest.items] == list(mien.people.list(collection=team))


def test_a_repeated_write_is_done_once(mien, team, obama):
    call = asked.people.enroll(obama[0], "Ada", collection=team).keyed(f"{team} 1")
    assert mien.send(call) == mien.send(call)
    assert mien.collections.get(team).faces == 1
    with pytest.raises(IdempotencyMismatch):
        mien.send(asked.people.enroll(obama[1], "Ada", collection=team).keyed(f"{team} 1"))


def test_what_cannot_be_is_told_as_on_this_machine(mien, team, photos, live, connect):
    grey = Image.from_rgb(np.full((80, 80, 3), 127, np.uint8))
    with pytest.raises(NoFace):
        mien.people.enroll(grey, "Nobody", collection=team)
    with pytest.raises(UnreadableImage) as caught:
        mien.people.enroll([Photograph(b"x", "x.jpg"), b"y"], "Nobody", collection=team)
    assert "x.jpg" in str(caught.value.details["failures"][0])
    with pytest.raises(UnreadableImage) as caught:
        mien.detect(b"not a photograph")
    assert isinstance(caught.value, Refused)
    with pytest.raises(CollectionExists):
        mien.collections.create(team)
    with pytest.raises(BadRequest):
        mien.people.enroll(photos / "known" / "Grace Hopper", "", collection=team)
    mien.people.enroll(photos / "known" / "Barack Obama", "Ada", collection=team)
    with pytest.raises(BadRequest, match="photographs"):
        mien.calibration.measure(1e-6, collection=team)
    with pytest.raises(Unauthenticated):
        connect(live[0]).me()
    with pytest.raises(Unauthenticated):
        connect(live[0], "mien_0000000000000_" + "a" * 43).me()


def test_groups_are_made_named_and_taken_over(mien, team, photos):
    here = {"collection": team}
    done = mien.clusters.add(sorted((photos / "known").rglob("*.jpg")), **here)
    assert done.photographs == 4
    groups = list(mien.clusters.list(**here))
    assert sorted(len(one.faces) for one in groups) == [1, 1, 2]
    assert mien.clusters.name(groups[0].id, "Barack", **here).name == "Barack"
    assert mien.clusters.merge(groups[1].id, [groups[2].id], **here).faces == 2
    face = groups[2].faces[0].face
    assert mien.clusters.move([face], **here).faces == 1


def test_cases_are_run_and_reviewed(mien, team, photos, obama):
    here = {"collection": team}
    known = mien.people.enroll(obama, "Barack Obama", **here)
    probe = photos / "unknown" / "portrait-2012.jpg"
    case = mien.cases.create([probe], "Who is it?", notes="n", taken=["2012"], **here)
    assert (case.title, case.notes, case.probes[0].taken, case.run) == ("Who is it?", "n", "2012", None)
    ran = mien.cases.run(case.id, version=case.version, **here)
    assert ran.run.candidates[0].person_id == known.person_id
    said = mien.cases.review(case.id, known.person_id, "yes", "the ears", **here)
    assert (said.reviews[known.person_id].says, said.reviews[known.person_id].note) == ("yes", "the ears")
    with pytest.raises(VersionStale):
        mien.cases.review(case.id, known.person_id, "no", version=case.version, **here)
    (row,) = mien.cases.list(**here)
    assert (row.id, row.probes, row.reviewed) == (case.id, 1, 1)
    assert mien.cases.picture(case.id, "probe-1.jpg", **here).media_type == "image/jpeg"
    assert mien.cases.forget(case.id, **here) is None
    with pytest.raises(CaseUnknown):
        mien.cases.get(case.id, **here)


def test_jobs_from_beginning_to_end(mien, team, photos):
    job = mien.jobs.run("enroll", in_folder(photos / "known"), collection=team)
    seen = list(mien.jobs.events(job.id, timeout_s=120))
    assert (seen[-1].state, seen[-1].done, seen[-1].total) == ("done", 4, 4)
    assert mien.jobs.wait(job.id) == mien.jobs.get(job.id) == seen[-1]
    rows = list(mien.jobs.results(job.id, EnrolledRow))
    assert sorted(row.person for row in rows) == [
        "Barack Obama",
        "Barack Obama",
        "Eileen Collins",
        "Grace Hopper",
    ]
    with pytest.raises(JobRefused):
        mien.jobs.cancel(job.id)
    found = mien.jobs.create("identify", [photos / "unknown" / "rocket.jpg"], collection=team)
    assert mien.jobs.wait(found.id, timeout_s=120).state == "done"
    assert [row.people for row in mien.jobs.results(found.id, IdentifyRow)] == [[]]
    waiting = mien.jobs.create("analyze", start=False)
    mien.jobs.add(waiting.id, b"not a photograph")
    mien.jobs.start(waiting.id)
    assert mien.jobs.wait(waiting.id, timeout_s=120).failed == 1
    (row,) = mien.jobs.results(waiting.id, PhotoRow)
    assert row.error.code == "unreadable_image"
    assert {one.id for one in mien.jobs.list()} >= {job.id, found.id, waiting.id}
    idle = mien.jobs.create("analyze", [b"x"], start=False)
    assert mien.jobs.cancel(idle.id).state == "cancelled"
    assert mien.jobs.forget(idle.id) is None
    with pytest.raises(JobUnknown):
        list(mien.jobs.events(idle.id))


def test_keys_are_made_limited_exchanged_and_revoked(mien, team, live, connect):
    made = mien.keys.create("door", ["search"], collections=[team], rate_per_minute=600, expires="2099-01-01")
    assert made.key not in repr(made)
    door = connect(live[0], made.key)
    assert door.me().collections == [team]
    assert [one.name for one in door.collections.list()] == [team]
    with pytest.raises(Forbidden):
        list(door.people.list(collection="other"))
    with pytest.raises(Forbidden):
        door.keys.create("more", ["admin"])
    changed = mien.keys.edit(made.id, scopes=["search", "detect"], rate_per_minute=None)
    assert (set(changed.scopes), changed.rate_per_minute) == ({"search", "detect"}, None)
    fresh = mien.keys.rotate(made.id, grace_s=0)
    assert connect(live[0], fresh.key).me().name == "door"
    mien.keys.revoke(made.id)
    with pytest.raises(Unauthenticated):
        connect(live[0], fresh.key).me()
    (row,) = (one for one in mien.keys.list() if one.id == made.id)
    assert row.revoked


def test_the_log_tells_who(mien):
    entries = list(mien.audit.list(newest_first=True))
    assert entries[0].actor.startswith("key:")
    assert [one.seq for one in entries] == sorted((one.seq for one in entries), reverse=True)
    assert mien.audit.verify().entries >= entries[0].seq
    after = list(mien.audit.list(after=entries[1].seq))
    assert [one.seq for one in after[:1]] == [entries[0].seq]
    assert mien.calibration.get().decision.source == "manifest"
    assert mien.calibration.forget() is None


def test_the_environment_leads_nowhere_else(live, connect, monkeypatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    assert connect(*live).live().status == "live"
    led = connect(*live, trust_env=True, retries=Retries(again=0))
    with pytest.raises(ServerUnreachable):
        led.live()


def test_libraries_log_no_key(live, connect, caplog, obama):
    with caplog.at_level(logging.DEBUG):
        connect(*live).detect(obama[0])
    assert "/v1/detect" in caplog.text
    assert live[1] not in caplog.text
    assert live[1][-43:] not in caplog.text


def test_nobody_there_is_told(connect):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(ServerUnreachable, match="cannot be reached"):
            connect(address, retries=Retries(again=1, first_s=0)).live()


def test_examples_of_the_page_run(photos, mien_home, tmp_path, monkeypatch, capsys):
    (tmp_path / "examples").symlink_to(photos.parent)
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```py\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(blocks) == 6
    space = {}
    with served(tmp_path / "home", mien_home) as found:
        for block in blocks:
            exec(block.replace("http://127.0.0.1:8000", found.url), space)
        space["mien"].close()
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "False"
    assert any(line.startswith("Barack Obama known") for line in printed)
    assert printed[-1] == "True"
    assert any(line.startswith("collection_unknown 404") for line in printed)


def test_a_closed_client_says_so(live):
    client = Client(*live)
    client.close()
    with pytest.raises(RuntimeError):
        client.live()
