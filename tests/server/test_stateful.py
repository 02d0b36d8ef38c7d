"""Whatever is done to people over HTTP, in whatever order: what is there is what a simple model says.

The model is a dictionary of who has which photographs. MIEN_TEST_STEPS says how long a run is.
"""

import itertools
import os

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from server.people import enrol, photograph

STEPS = int(os.environ.get("MIEN_TEST_STEPS", "25"))
WHO = ("Grace", "Eileen", "Barack")
# Of each person the same picture at several sizes: other photographs, other faces, one person.
PHOTOS = {(who, side): photograph(who, side) for who in WHO for side in (200, 212, 224)}
NAMES = ("Ada", "Bea", "Cleo", "面", "name with spaces")
TAGS = st.lists(st.sampled_from(("red", "blue")), max_size=2, unique=True)
photos, names = st.sampled_from(sorted(PHOTOS)), st.sampled_from(NAMES)
which = st.integers(0, 99)
_serial = itertools.count()


def somebody(condition=lambda one: True):
    """A rule for when there is somebody of a kind."""
    return precondition(lambda self: any(condition(one) for one in self.known.values()))


class Someone:
    """What the model knows of a person."""

    def __init__(self, identifier, name, tags):
        self.id, self.name, self.tags, self.version = identifier, name, set(tags), 1
        # Identifier of each face: the photograph it is of.
        self.faces = {}


class People(RuleBasedStateMachine):
    """Does something, and looks whether everything is as it should be."""

    server = None

    def __init__(self):
        super().__init__()
        self.client = httpx.Client(base_url=self.server.url, trust_env=False, timeout=60)
        self.collection = f"c{next(_serial)}"
        self.root = f"/v1/collections/{self.collection}"
        self.known = {}
        self.client.post("/v1/collections", json={"name": self.collection}).raise_for_status()

    def teardown(self):
        assert self.client.get("/v1/audit/verify").status_code == 200
        self.client.delete(self.root).raise_for_status()
        self.client.close()

    def send(self, method, path, status, **sent):
        answer = self.client.request(method, f"{self.root}{path}", **sent)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def by_name(self, name):
        return next((one for one in self.known.values() if one.name == name), None)

    def someone(self, number, condition=lambda one: True):
        """One of those who are of a kind."""
        fitting = [one for one in self.known.values() if condition(one)]
        return fitting[number % len(fitting)]

    @initialize(photo=photos)
    def begin(self, photo):
        self.enrol("Ada", [photo], [])

    # What is done

    @rule(name=names, photo=st.lists(photos, min_size=1, max_size=2), tags=TAGS)
    def enrol(self, name, photo, tags):
        answer = enrol(self.client, self.collection, name, *(PHOTOS[one] for one in photo), tags=tags)
        assert answer.status_code == 201, answer.text
        row, someone = answer.json(), self.by_name(name)
        assert row["failures"] == []
        had = set(someone.faces.values()) if someone else set()
        new = list(dict.fromkeys(one for one in photo if one not in had))
        assert (len(row["faces"]), row["repeated"]) == (len(new), len(photo) - len(new))
        if someone is None:
            someone = self.known[row["person_id"]] = Someone(row["person_id"], name, tags)
        assert row["person_id"] == someone.id
        someone.faces |= dict(zip(row["faces"], new, strict=True))
        someone.tags = set(tags) or someone.tags
        self.follow(someone)

    @somebody()
    @rule(who=which, photo=photos)
    def add_face(self, who, photo):
        someone = self.someone(who)
        answer = self.client.post(f"{self.root}/people/{someone.id}/faces", files={"photo": PHOTOS[photo]})
        if someone.name is None:
            assert answer.status_code == 400
            return
        assert answer.status_code == 201, answer.text
        row = answer.json()
        assert row["repeated"] == (photo in someone.faces.values())
        someone.faces |= dict.fromkeys(row["faces"], photo)
        self.follow(someone)

    @somebody()
    @rule(who=which, name=names, tags=TAGS, stale=st.booleans())
    def edit(self, who, name, tags, stale):
        someone, holder = self.someone(who), self.by_name(name)
        headers = {"if-match": f'"{someone.version - stale}"'}
        status = 412 if stale else 409 if holder not in (None, someone) else 200
        told = {"name": name, "tags": tags}
        row = self.send("PATCH", f"/people/{someone.id}", status, json=told, headers=headers)
        if status == 200:
            someone.name, someone.tags = name, set(tags)
            assert row["version"] > someone.version
            someone.version = row["version"]

    @precondition(lambda self: len(self.known) > 1)
    @rule(who=which, other=which)
    def merge(self, who, other):
        into = self.someone(who)
        gone = self.someone(other, lambda one: one is not into)
        self.send("POST", f"/people/{into.id}/merge", 400, json={"others": [into.id]})
        row = self.send("POST", f"/people/{into.id}/merge", 200, json={"others": [gone.id]})
        into.faces |= gone.faces
        into.tags |= gone.tags
        del self.known[gone.id]
        assert (row["id"], row["faces"]) == (into.id, len(into.faces))
        self.follow(into)

    @somebody(lambda one: len(one.faces) > 1)
    @rule(who=which, to=st.sampled_from((None, "somebody new")))
    def split(self, who, to):
        someone = self.someone(who, lambda one: len(one.faces) > 1)
        hypothesis.assume(to is None or self.by_name(to) is None)
        face = min(someone.faces)
        row = self.send("POST", f"/people/{someone.id}/split", 200, json={"faces": [face], "to": to})
        self.known[row["id"]] = Someone(row["id"], to, [])
        self.went(face, someone, row)

    @precondition(lambda self: len(self.known) > 1 and any(one.faces for one in self.known.values()))
    @rule(who=which, to=which)
    def move(self, who, to):
        someone = self.someone(who, lambda one: one.faces)
        other = self.someone(to, lambda one: one is not someone)
        face = max(someone.faces)
        row = self.send("POST", "/faces/move", 200, json={"faces": [face], "to": other.id})
        assert row["id"] == other.id
        self.went(face, someone, row)

    def went(self, face, someone, row):
        """A face of somebody is somebody else's now."""
        target = self.known[row["id"]]
        target.faces[face] = someone.faces.pop(face)
        assert (row["name"], row["faces"]) == (target.name, len(target.faces))
        self.follow(target)
        if someone.name is None and not someone.faces:  # then nothing is left of somebody
            self.send("GET", f"/people/{someone.id}", 404)
            del self.known[someone.id]
        else:
            self.follow(someone)

    @somebody(lambda one: one.faces)
    @rule(who=which)
    def drop_face(self, who):
        someone = self.someone(who, lambda one: one.faces)
        face = min(someone.faces)
        self.send("DELETE", f"/faces/{face}", 204)
        self.send("GET", f"/faces/{face}", 404)
        del someone.faces[face]
        self.follow(someone)

    @somebody()
    @rule(who=which)
    def forget(self, who):
        someone = self.someone(who)
        self.send("DELETE", f"/people/{someone.id}", 204)
        self.send("GET", f"/people/{someone.id}", 404)
        for face in someone.faces:
            self.send("GET", f"/faces/{face}", 404)
        del self.known[someone.id]

    def follow(self, someone):
        """Versions rise whenever somebody changes, and never fall."""
        row = self.send("GET", f"/people/{someone.id}", 200)
        assert row["version"] >= someone.version
        someone.version = row["version"]

    # What is asked

    @rule(photo=photos, tags=TAGS)
    def identify(self, photo, tags):
        found = self.send(
            "POST", "/identify", 200, files={"photo": PHOTOS[photo]}, params={"tag": tags, "k": 100}
        )
        (who,) = found["people"]
        allowed = {one.id for one in self.known.values() if set(tags) <= one.tags and one.faces}
        assert {one["person_id"] for one in who["candidates"]} == allowed
        same = {
            one.id
            for one in self.known.values()
            if one.id in allowed and any(face[0] == photo[0] for face in one.faces.values())
        }
        # Everybody who has a face of this person is within the threshold, and nobody else.
        assert {one["person_id"] for one in who["candidates"] if one["accepted"]} == same
        assert (who["decision"] == "unknown") == (not same)

    @rule(photo=photos)
    def search(self, photo):
        found = self.send("POST", "/search", 200, files={"photo": PHOTOS[photo]}, params={"k": 1000})["faces"]
        faces = {face: one for one in self.known.values() for face in one.faces}
        assert {one["face_id"]: one["person_id"] for one in found} == {
            face: one.id for face, one in faces.items()
        }
        exact = [face for face, one in faces.items() if one.faces[face] == photo]
        assert {one["face_id"] for one in found[: len(exact)]} == set(exact), "itself is the nearest"

    @somebody()
    @rule(who=which, photo=photos)
    def verify(self, who, photo):
        someone = self.someone(who)
        status = 200 if someone.faces else 400
        path = f"/people/{someone.id}/verify"
        row = self.send("POST", path, status, files={"photo": PHOTOS[photo]})
        if someone.faces:
            assert row["verified"] == any(face[0] == photo[0] for face in someone.faces.values())

    # What always holds

    def listed(self, **params):
        found = []
        while True:
            part = self.send("GET", "/people", 200, params={"limit": 2, **params})
            found += part["items"]
            if part["next"] is None:
                return found
            params["cursor"] = part["next"]

    @invariant()
    def everybody_is_listed(self):
        found = {one["id"]: one for one in self.listed()}
        assert found.keys() == self.known.keys()
        for one in self.known.values():
            row = found[one.id]
            assert (row["name"], set(row["tags"]), row["faces"]) == (one.name, one.tags, len(one.faces))
            assert row["version"] == one.version

    @invariant()
    def counts_agree(self):
        row = self.send("GET", "", 200)
        faces = sum(len(one.faces) for one in self.known.values())
        assert (row["people"], row["faces"]) == (len(self.known), faces)

    @somebody()
    @rule(who=which)
    def faces_are_whose_they_are(self, who):
        someone = self.someone(who)
        rows = self.send("GET", f"/people/{someone.id}/faces", 200)["items"]
        assert {one["id"] for one in rows} == set(someone.faces)
        for face in someone.faces:
            assert self.send("GET", f"/faces/{face}", 200)["person_id"] == someone.id

    @rule(tags=TAGS)
    def those_with_tags(self, tags):
        found = {one["id"] for one in self.listed(tag=tags)}
        assert found == {one.id for one in self.known.values() if set(tags) <= one.tags}


@pytest.mark.slow
def test_people_are_as_the_model_says(server):
    People.server = server
    hypothesis.stateful.run_state_machine_as_test(
        People,
        settings=hypothesis.settings(
            max_examples=max(5, STEPS // 2),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )
