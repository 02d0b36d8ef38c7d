"""The log and the numbers: one line for each request, and nothing in them that is anybody's business."""

import json
import logging
import re
import socket
import time

import pytest

from mien.server.logs import LOG, Lines, say, write_log
from server.people import photograph

SECRET = "Zuzana-9182"


@pytest.fixture
def lines(server, caplog):
    """The lines of the log since the last call; a line comes a little later than the answer."""
    caplog.set_level(logging.INFO, "mien.server")

    def read(count=0):
        end = time.monotonic() + 10
        while len(caplog.records) < count and time.monotonic() < end:
            time.sleep(0.01)
        found = [json.loads(Lines().format(record)) for record in caplog.records]
        caplog.clear()
        return found

    server.client.get("/v1/me", headers={"x-request-id": "last-of-before"})
    while "last-of-before" not in (line["request_id"] for line in read(1)):
        pass
    return read


def test_a_request_is_a_line(server, lines):
    answer = server.client.get("/v1/collections/none/people", params={"limit": 3})
    (line,) = lines(1)
    assert line.pop("time").endswith("+00:00")
    assert 0 <= line.pop("seconds") < 60
    assert line == {
        "level": "info",
        "event": "request",
        "request_id": answer.headers["x-request-id"],
        "method": "GET",
        "route": "/v1/collections/{collection}/people",
        "status": 404,
        "actor": "local",
        "code": "collection_unknown",
    }


def ask_for_secrets(server):
    """Requests that are full of what nobody may read in a log."""
    client, photo = server.client, photograph("Grace")
    key = {"x-api-key": f"mien_0123456789abc_{SECRET}", "x-secret": SECRET, "user-agent": SECRET}
    server.client.post("/v1/collections", json={"name": SECRET})
    people = f"/v1/collections/{SECRET}/people"
    form = {"name": SECRET, "tags": SECRET, "metadata": json.dumps({SECRET: SECRET}), "consent_note": SECRET}
    client.post(people, files={"photo": (f"{SECRET}.jpg", photo)}, data=form, headers=key)
    client.post(people, files={"photo": (f"{SECRET}.jpg", b"broken")}, data=form)
    client.post(people, files={"photo": photo}, data={SECRET: SECRET})
    client.get(f"{people}/{SECRET}", params={"q": SECRET})
    client.get(f"{people}/{SECRET}-unknown")
    client.patch(f"{people}/{SECRET}", json={"name": f"{SECRET} Jr", "x": SECRET})
    client.patch(f"{people}/{SECRET}", content=SECRET)
    client.get(f"/{SECRET}/{SECRET}")
    client.get(f"/console/{SECRET}")
    client.request("DELETE", f"/v1/{SECRET}")
    client.get("/v1/me", headers={"host": f"{SECRET}.example"})
    client.get("/v1/me", headers={"origin": f"https://{SECRET}.example"})
    client.post(people, content=b"x", headers={"content-type": SECRET})
    client.get("/v1/me", headers={"x-request-id": f"{SECRET}!"})
    client.get(people, params={"cursor": SECRET})
    return 16


def test_nothing_that_was_sent_is_in_the_log(server, lines):
    count = ask_for_secrets(server)
    found = lines(count)
    assert len(found) == count
    assert SECRET.lower() not in json.dumps(found).lower()
    assert {line["event"] for line in found} == {"request"}
    routes = [line["route"] for line in found]
    assert all(re.fullmatch(r"\(unknown\)|/console|(/\w+|/\{\w+\})+", one) for one in routes), routes


def test_nothing_that_was_sent_is_in_the_numbers(server):
    ask_for_secrets(server)
    text = server.client.get("/metrics").text
    assert SECRET.lower() not in text.lower()
    assert "/v1/collections/{collection}/people/{person}" in text


def test_what_goes_well_and_is_asked_all_the_time_is_not_told(server, lines):
    for path in ("/v1/health/live", "/v1/health/ready", "/metrics"):
        assert server.client.get(path).status_code == 200
    server.client.get("/v1/me")
    assert [line["route"] for line in lines(1)] == ["/v1/me"]
    server.client.post("/v1/health/live")
    assert [line["status"] for line in lines(1)] == [405]


@pytest.mark.parametrize("given", ["a", "Ab.9_-", "0" * 64, "5f0c2f5e-1d1c-4a2e-9f57-0c6b3a2b8f11"])
def test_a_request_keeps_the_identifier_that_it_brings(server, lines, given):
    answer = server.client.get("/v1/me", headers={"x-request-id": given})
    assert answer.headers["x-request-id"] == given
    assert lines(1)[0]["request_id"] == given


@pytest.mark.parametrize("given", ["", "0" * 65, "a b", "é", "a/b", '{"a": 1}', "a\tb", "<script>"])
def test_a_request_gets_one_if_it_brings_none_that_is_plain(server, given):
    header = {"x-request-id": given.encode("latin-1")}
    found = {server.client.get("/v1/me", headers=header).headers["x-request-id"] for _ in range(3)}
    assert len(found) == 3
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in found)


@pytest.mark.parametrize("path", ["/v1/packs", "/v1/collections/x/identify"])
def test_a_mistake_of_ours_is_an_answer_and_a_line_that_says_where(server, lines, monkeypatch, path):
    def mistake(*_args, **_kwargs):
        raise ZeroDivisionError(f"division of {SECRET}")

    monkeypatch.setattr("mien.server.v1.machine._packs", mistake)
    monkeypatch.setattr("mien.server.v1.recognising.identify_row", mistake)
    server.client.post("/v1/collections", json={"name": "x"})
    lines(1)
    if path == "/v1/packs":
        answer = server.client.get(path)
    else:
        answer = server.client.post(path, files={"photo": photograph("Grace")})
    assert answer.status_code == 500
    assert answer.json()["error"]["code"] == "defect"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    for word in ("Traceback", "ZeroDivision", SECRET, ".py"):
        assert word not in answer.text
    (line,) = lines(1)
    assert (line["level"], line["status"], line["code"]) == ("error", 500, "defect")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert line["error"] == "ZeroDivisionError"
    assert re.search(r"test_telling\.py:\d+ mistake$", line["places"][-1])
    assert SECRET not in json.dumps(line)
    monkeypatch.undo()
    assert server.client.get("/v1/packs").status_code == 200


def test_who_goes_away_is_no_mistake_of_ours(server, lines):
    host, _, port = server.url.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(
            b"POST /v1/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
            b"Content-Length: 1000\r\n\r\nhalf"
        )
        time.sleep(0.2)
    (line,) = lines(1)
    assert (line["level"], line["status"], line["route"]) == ("info", 499, "/v1/detect")
    assert "places" not in line


def test_lines_are_json_whatever_they_hold():
    def line(message, *values, error=None, **fields):
        record = logging.LogRecord("x", logging.WARNING, "p", 1, message, values, error)
        record.fields = fields
        return Lines().format(record)

    text = line('two\nlines "quoted" %s', "\x1b[31m é 面", number=1, nothing=None)
    assert "\n" not in text
    assert "\x1b" not in text
    assert json.loads(text)["event"] == 'two\nlines "quoted" \x1b[31m é 面'
    with pytest.raises(ValueError, match="9182") as caught:
        int(SECRET)
    shown = json.loads(line("x", error=(caught.type, caught.value, caught.tb)))
    assert shown["error"] == "ValueError"
    assert SECRET not in json.dumps(shown)


def test_the_log_goes_to_standard_error_once(monkeypatch, capfd):
    names = ("mien.server", "uvicorn", "uvicorn.error")
    before = [(one, one.handlers, one.propagate, one.level) for one in map(logging.getLogger, names)]
    try:
        write_log()
        write_log()
        say("started", workers=1)
        for name in names[1:]:
            logging.getLogger(name).warning("%s!", name)
    finally:
        for one, handlers, propagate, level in before:
            one.handlers, one.propagate = handlers, propagate
            one.setLevel(level)
    out, err = capfd.readouterr()
    assert out == ""
    told = [json.loads(line) for line in err.splitlines()]
    assert [line["event"] for line in told] == ["started", "uvicorn!", "uvicorn.error!"]
    assert told[0]["workers"] == 1
    assert LOG.name == "mien.server"
