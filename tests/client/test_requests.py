"""What each method sends, recomputed from the contract; both clients."""

import importlib
import inspect
import json
import re
from datetime import date
from pathlib import Path

import msgspec
import pytest
from fastapi.routing import APIRoute

from mien import load_settings
from mien.answers.pictures import PhotoRow
from mien.client import Refused, calls
from mien.client.call import Form
from mien.client.calls import jobs, people
from mien.client.events import Watch
from mien.client.nouns import Operations
from mien.client.operations import Bound, Following, Listing, Operation, Procedure
from mien.server.app import make_app
from mien.server.plans import plan_of

C = "/v1/collections/staff"
HERE = {"collection": "staff"}
A = b"photograph a"
B = b"photograph b"
PHOTO_A = ("photo", "photograph-1", A)
PHOTO_B = ("photo", "photograph-2", B)
UNTIL = date(2031, 2, 3)

# What is called, what is asked, and what is sent: a query, a form as a list, JSON as a dict.
TABLE = [
    (lambda c: c.live(), "GET /v1/health/live", None),
    (lambda c: c.ready(), "GET /v1/health/ready", None),
    (lambda c: c.me(), "GET /v1/me", None),
    (lambda c: c.system(), "GET /v1/system", None),
    (lambda c: list(c.packs()), "GET /v1/packs", None),
    (lambda c: c.detect(A), "POST /v1/detect", [PHOTO_A]),
    (lambda c: c.analyze(A), "POST /v1/analyze", [PHOTO_A]),
    (lambda c: c.analyze(A, ["age", "pose"]), "POST /v1/analyze", [("columns", "age,pose"), PHOTO_A]),
    (lambda c: c.liveness(A, threshold=0.25), "POST /v1/liveness", [("threshold", "0.25"), PHOTO_A]),
    (
        lambda c: c.anonymise(A, "blur", grow=0.5),
        "POST /v1/anonymise",
        [("way", "blur"), ("grow", "0.5"), PHOTO_A],
    ),
    (lambda c: c.anonymise(A), "POST /v1/anonymise", [PHOTO_A]),
    (lambda c: c.embeddings(A), "POST /v1/embeddings", [PHOTO_A]),
    (
        lambda c: c.verify(A, B, face="largest"),
        "POST /v1/verify",
        [("face", "largest"), ("photo_a", *PHOTO_A[1:]), ("photo_b", *PHOTO_B[1:])],
    ),
    (
        lambda c: c.identify(A, 5, tags=["a", "b"], **HERE),
        f"POST {C}/identify",
        [("k", "5"), ("tag", "a"), ("tag", "b"), PHOTO_A],
    ),
    (lambda c: c.identify(A), "POST /v1/collections/default/identify", [PHOTO_A]),
    (
        lambda c: c.search(A, 3, face="only", tags=["a"], **HERE),
        f"POST {C}/search",
        [("k", "3"), ("face", "only"), ("tag", "a"), PHOTO_A],
    ),
    (lambda c: list(c.collections.list()), "GET /v1/collections", None),
    (lambda c: c.collections.create("staff"), "POST /v1/collections", {"name": "staff"}),
    (lambda c: c.collections.get("staff"), f"GET {C}", None),
    (lambda c: c.collections.forget("staff"), f"DELETE {C}", None),
    (lambda c: c.collections.sweep("staff"), f"POST {C}/sweep", None),
    (lambda c: list(c.people.list()), "GET /v1/collections/default/people", None),
    (
        lambda c: list(c.people.list(tags=["a", "b"], name="Ada L", containing="d&", **HERE)),
        f"GET {C}/people?tag=a&tag=b&name=Ada+L&q=d%26",
        None,
    ),
    (lambda c: c.people.enroll(A, "Ada", **HERE), f"POST {C}/people", [("name", "Ada"), PHOTO_A]),
    (
        lambda c: c.people.enroll(
            [A, B],
            "Ada",
            tags=["x", "y"],
            metadata={"room": 7},
            consent_note="on paper",
            consent_until=UNTIL,
            face="largest",
            gate="strict",
            keep_picture=False,
            **HERE,
        ),
        f"POST {C}/people",
        [
            ("name", "Ada"),
            ("tags", "x"),
            ("tags", "y"),
            ("metadata", '{"room":7}'),
            ("consent_note", "on paper"),
            ("consent_until", "2031-02-03"),
            ("face", "largest"),
            ("gate", "strict"),
            ("keep_picture", "false"),
            PHOTO_A,
            PHOTO_B,
        ],
    ),
    (lambda c: c.people.get("Ada L", **HERE), f"GET {C}/people/Ada%20L", None),
    (lambda c: c.people.edit("p1", **HERE), f"PATCH {C}/people/p1", {}),
    (
        lambda c: c.people.edit(
            "p1",
            name="Ada",
            tags=("x",),
            metadata={},
            consent_note="",
            consent_until=None,
            version=4,
            **HERE,
        ),
        f"PATCH {C}/people/p1",
        {"name": "Ada", "tags": ["x"], "metadata": {}, "consent_note": "", "consent_until": None},
    ),
    (
        lambda c: c.people.edit("p1", consent_until=UNTIL),
        "PATCH /v1/collections/default/people/p1",
        {"consent_until": "2031-02-03"},
    ),
    (lambda c: c.people.forget("p1", **HERE), f"DELETE {C}/people/p1", None),
    (lambda c: list(c.people.faces("p1", **HERE)), f"GET {C}/people/p1/faces", None),
    (
        lambda c: c.people.add("p1", [A], face="largest", gate="off", keep_picture=True, **HERE),
        f"POST {C}/people/p1/faces",
        [("face", "largest"), ("gate", "off"), ("keep_picture", "true"), PHOTO_A],
    ),
    (lambda c: c.people.merge("p1", ["p2"], **HERE), f"POST {C}/people/p1/merge", {"others": ["p2"]}),
    (
        lambda c: c.people.split("p1", iter(["f1"]), "Eve", **HERE),
        f"POST {C}/people/p1/split",
        {"faces": ["f1"], "to": "Eve"},
    ),
    (
        lambda c: c.people.verify("p1", A, face="only", **HERE),
        f"POST {C}/people/p1/verify",
        [("face", "only"), PHOTO_A],
    ),
    (lambda c: c.faces.get("f1", **HERE), f"GET {C}/faces/f1", None),
    (lambda c: c.faces.crop("f1", **HERE), f"GET {C}/faces/f1/picture", None),
    (lambda c: c.faces.forget("f1", **HERE), f"DELETE {C}/faces/f1", None),
    (lambda c: c.faces.move(["f1"], **HERE), f"POST {C}/faces/move", {"faces": ["f1"], "to": None}),
    (lambda c: list(c.clusters.list(**HERE)), f"GET {C}/clusters", None),
    (lambda c: c.clusters.add([A, B], **HERE), f"POST {C}/clusters", [PHOTO_A, PHOTO_B]),
    (lambda c: c.clusters.name("g1", "Ada", **HERE), f"POST {C}/clusters/g1/name", {"name": "Ada"}),
    (
        lambda c: c.clusters.name("g1", "Ada", to="default", **HERE),
        f"POST {C}/clusters/g1/name",
        {"name": "Ada", "collection": "default"},
    ),
    (lambda c: c.clusters.merge("g1", ["g2"], **HERE), f"POST {C}/clusters/g1/merge", {"others": ["g2"]}),
    (
        lambda c: c.clusters.move(["f1"], "g2", **HERE),
        f"POST {C}/clusters/move",
        {"faces": ["f1"], "to": "g2"},
    ),
    (lambda c: list(c.cases.list(**HERE)), f"GET {C}/cases", None),
    (
        lambda c: c.cases.create(
            [A, B], "Ada", notes="n", tags=["t"], taken=["1999", ""], face="largest", **HERE
        ),
        f"POST {C}/cases",
        [
            ("title", "Ada"),
            ("notes", "n"),
            ("tags", "t"),
            ("taken", "1999"),
            ("taken", ""),
            ("face", "largest"),
            PHOTO_A,
            PHOTO_B,
        ],
    ),
    (lambda c: c.cases.create(A), "POST /v1/collections/default/cases", [PHOTO_A]),
    (lambda c: c.cases.get("c1", **HERE), f"GET {C}/cases/c1", None),
    (lambda c: c.cases.run("c1", **HERE), f"POST {C}/cases/c1/run", None),
    (
        lambda c: c.cases.review("c1", "p1", "unsure", "the ear", **HERE),
        f"PUT {C}/cases/c1/reviews/p1",
        {"says": "unsure", "note": "the ear"},
    ),
    (lambda c: c.cases.forget("c1", **HERE), f"DELETE {C}/cases/c1", None),
    (lambda c: c.cases.picture("c1", "probe-1.jpg", **HERE), f"GET {C}/cases/c1/pictures/probe-1.jpg", None),
    (lambda c: c.calibration.get(), "GET /v1/calibration", None),
    (lambda c: c.calibration.measure(1e-4, **HERE), f"POST {C}/calibrate", {"fmr": 1e-4}),
    (lambda c: c.calibration.forget(), "DELETE /v1/calibration", None),
    (lambda c: list(c.audit.list()), "GET /v1/audit", None),
    (lambda c: list(c.audit.list(after=9, newest_first=True)), "GET /v1/audit?after=9&order=desc", None),
    (lambda c: c.audit.verify(), "GET /v1/audit/verify", None),
    (lambda c: list(c.keys.list()), "GET /v1/keys", None),
    (
        lambda c: c.keys.create("door", ["detect"]),
        "POST /v1/keys",
        {
            "name": "door",
            "scopes": ["detect"],
            "collections": None,
            "rate_per_minute": None,
            "expires": None,
        },
    ),
    (
        lambda c: c.keys.create(
            "door", ("search",), collections=("staff",), rate_per_minute=60, expires="2031-02-03"
        ),
        "POST /v1/keys",
        {
            "name": "door",
            "scopes": ["search"],
            "collections": ["staff"],
            "rate_per_minute": 60,
            "expires": "2031-02-03",
        },
    ),
    (lambda c: c.keys.edit("k1"), "PATCH /v1/keys/k1", {}),
    (
        lambda c: c.keys.edit("k1", name="n", scopes=["admin"], collections=None, rate_per_minute=1),
        "PATCH /v1/keys/k1",
        {"name": "n", "scopes": ["admin"], "collections": None, "rate_per_minute": 1},
    ),
    (
        lambda c: c.keys.edit("k1", collections=iter(["staff"])),
        "PATCH /v1/keys/k1",
        {"collections": ["staff"]},
    ),
    (lambda c: c.keys.rotate("k1", grace_s=60), "POST /v1/keys/k1/rotate", {"grace_s": 60}),
    (lambda c: c.keys.revoke("k1"), "DELETE /v1/keys/k1", None),
    (lambda c: list(c.jobs.list()), "GET /v1/jobs", None),
    (
        lambda c: c.jobs.create("identify", [A], collection="staff", options={"k": 3}),
        "POST /v1/jobs",
        [("kind", "identify"), ("collection", "staff"), ("options", '{"k":3}'), ("start", "true"), PHOTO_A],
    ),
    (
        lambda c: c.jobs.create("analyze", folder="/photos/2024", start=False),
        "POST /v1/jobs",
        [("kind", "analyze"), ("folder", "/photos/2024"), ("start", "false")],
    ),
    (lambda c: c.jobs.add("j1", [A, B]), "POST /v1/jobs/j1/photographs", [PHOTO_A, PHOTO_B]),
    (lambda c: c.jobs.start("j1"), "POST /v1/jobs/j1/start", None),
    (lambda c: c.jobs.get("j1"), "GET /v1/jobs/j1", None),
    (lambda c: c.jobs.cancel("j1"), "POST /v1/jobs/j1/cancel", None),
    (lambda c: list(c.jobs.results("j1", PhotoRow)), "GET /v1/jobs/j1/results", None),
    (lambda c: c.jobs.forget("j1"), "DELETE /v1/jobs/j1", None),
    (lambda c: list(c.jobs.events("j1")), "GET /v1/jobs/j1/events", None),
    (lambda c: c.jobs.wait("j1"), "GET /v1/jobs/j1/events", None),
]
IDS = [f"{asked.replace('/v1/', '')}-{number}" for number, (_, asked, _) in enumerate(TABLE)]


@pytest.mark.parametrize(("act", "asked", "sent"), TABLE, ids=IDS)
def test_what_is_sent(act, asked, sent, connect, server, refusing, parts):
    mien = server(refusing(418, "bad_request"))
    client = connect("http://127.0.0.1:1/base", "mien_key", transport=mien.transport)
    with pytest.raises(Refused) as caught:
        act(client)
    assert caught.value.status == 418
    (request,) = mien.requests
    method, _, target = asked.partition(" ")
    assert request.method == method
    assert str(request.url) == f"http://127.0.0.1:1/base{target}"
    assert request.headers["authorization"] == "Bearer mien_key"
    assert request.headers["user-agent"].startswith("mien/")
    if isinstance(sent, list):
        found = [
            (name, content.decode()) if file is None else (name, file, content)
            for name, file, _, content in parts(request)
        ]
        assert found == sent
    elif sent is not None:
        assert json.loads(request.content) == sent
        assert request.headers["content-type"] == "application/json"
    else:
        assert request.content == b""


@pytest.mark.parametrize(
    "act",
    [
        lambda c, version: c.people.edit("p1", name="Ada", version=version),
        lambda c, version: c.cases.run("c1", version=version),
        lambda c, version: c.cases.review("c1", "p1", "yes", version=version),
    ],
)
def test_only_the_version_that_was_seen_is_changed(act, connect, server, refusing):
    mien = server(refusing(412, "version_stale"))
    client = connect(transport=mien.transport)
    for version, header in ((None, None), (4, '"4"')):
        with pytest.raises(Refused, match="No"):
            act(client, version)
        assert mien.requests[-1].headers.get("if-match") == header


def test_no_name_leads_to_another_route(connect, server):
    mien = server(AssertionError("nothing is to be sent"))
    client = connect(transport=mien.transport)
    for act in (
        lambda: client.people.forget(""),
        lambda: client.people.forget("p1/faces/f1"),
        lambda: client.collections.forget(".."),
        lambda: client.people.get("Ada", collection=""),
        lambda: list(client.people.list(collection="../keys")),
        lambda: client.jobs.wait(""),
    ):
        with pytest.raises(Exception, match="address"):
            act()
    assert mien.requests == []


class Recorder:
    """Takes questions, and asks nobody."""

    def __init__(self):
        self.builds, self.calls = set(), []

    def take(self, build, args, named):
        self.builds.add(build)
        made = build(*args, **named)
        first = next(made) if inspect.isgenerator(made) else made
        self.calls.append(first.call if isinstance(first, Watch) else first)
        return []

    ask = items = follow = carry_out = take


KINDS = (Operation, Listing, Following, Procedure)
NOUNS = [Operations, *Bound.__subclasses__()]


def test_every_question_is_a_method_and_is_tried_here():
    files = Path(calls.__file__).parent.glob("[a-z]*.py")
    modules = [importlib.import_module(f"{calls.__name__}.{file.stem}") for file in files]
    described = {
        build
        for module in modules
        for name, build in vars(module).items()
        if inspect.isfunction(build) and build.__module__ == module.__name__ and not name.startswith("_")
    }
    offered = {one.build for noun in NOUNS for one in vars(noun).values() if isinstance(one, KINDS)}
    assert described - {people.forgotten} == offered  # which reads answers
    recorder = Recorder()
    for act, _, _ in TABLE:
        act(Operations(recorder))
    assert offered - recorder.builds == {jobs.run}  # tried in test_clients


def test_the_server_has_these_routes_and_no_others(tmp_path):
    app = make_app(load_settings(environ={}, home=tmp_path, store="memory"))
    routes = {
        (method, route.path): (re.compile(re.sub(r"{\w+}", "[^/]+", route.path)), plan_of(route))
        for route in app.api.routes
        if isinstance(route, APIRoute) and route.path.startswith("/v1/")
        for method in route.methods
    }
    recorder = Recorder()
    for act, _, _ in TABLE:
        act(Operations(recorder))
    met = set()
    for call in recorder.calls:
        fitting = [
            (key, plan)
            for key, (pattern, plan) in routes.items()
            if key[0] == call.method and pattern.fullmatch(call.path)
        ]
        # Of several, the one without a place holder where the call has a word: /faces/move.
        key, plan = min(fitting, key=lambda one: one[0][1].count("{"))
        met.add(key)
        assert (call.repeat == "keyed") == plan.repeatable, key
        if isinstance(call.body, Form):
            known = {one.encode_name for one in msgspec.structs.fields(plan.options)}
            assert {name for name, _ in call.body.fields} <= known, key
            assert {name for name, _ in call.body.photographs} <= set(plan.photos), key
        elif call.body is not None:
            msgspec.json.decode(call.body, type=plan.body)
        known = {one.encode_name for one in msgspec.structs.fields(plan.options)}
        assert {name for name, _ in call.query} <= known, key
    assert met == set(routes)


def test_methods_say_what_they_do():
    client = Operations(Recorder())
    for noun in NOUNS:
        for name, one in vars(noun).items():
            if isinstance(one, KINDS):
                assert getattr(noun, name) is one.build
                assert one.build.__doc__
    assert client.people.enroll.__doc__ == people.enroll.__doc__
    assert "consent_until" in inspect.signature(client.people.enroll).parameters
