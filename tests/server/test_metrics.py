"""What Prometheus is told."""

import re
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mien.server.metrics import FOLDER, Metrics
from server.people import nobody, photograph, together


def numbers(text):
    """Samples by name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def of(found, name, **labels):
    return found.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
def read(server):
    return lambda: numbers(server.client.get("/metrics").text)


def risen(before, after, name, **labels):
    return of(after, name, **labels) - of(before, name, **labels)


def test_numbers_of_two_servers_in_a_process_are_apart():
    one, other = Metrics(), Metrics()
    one.faces.inc(3)
    one.batched(5, 0.02)
    one.observed("pack", 5, 0.2)
    found, empty = numbers(one.text().decode()), numbers(other.text().decode())
    assert of(found, "mien_faces_total") == 3
    assert of(empty, "mien_faces_total") == 0
    assert of(found, "mien_batch_photographs_sum") == 5
    assert of(found, "mien_batch_photographs_bucket", le="8.0") == 1
    assert of(found, "mien_batch_photographs_bucket", le="4.0") == 0
    assert of(found, "mien_batch_wait_seconds_sum") == pytest.approx(0.02)
    assert of(found, "mien_stage_seconds_sum", pack="pack") == pytest.approx(0.2)


def test_requests_are_counted_by_route_method_and_status(server, read):
    before = read()
    for _ in range(3):
        server.client.get("/v1/me")
    server.client.get("/v1/collections/none")
    server.client.delete("/v1/me")
    server.client.get("/nowhere")
    server.client.get("/console/js/api.js")
    server.client.get("/console/nowhere")
    after = read()
    count = "mien_requests_total"
    assert risen(before, after, count, route="/v1/me", method="GET", status="200") == 3
    assert risen(before, after, count, route="/v1/me", method="DELETE", status="405") == 1
    assert risen(before, after, count, route="/v1/collections/{collection}", method="GET", status="404") == 1
    assert risen(before, after, count, route="(unknown)", method="GET", status="404") == 1
    assert risen(before, after, "mien_errors_total", code="collection_unknown") == 1
    assert risen(before, after, count, route="/console", method="GET", status="200") == 1
    assert risen(before, after, count, route="/console", method="GET", status="404") == 1
    assert risen(before, after, "mien_errors_total", code="route_unknown") == 2
    assert risen(before, after, "mien_request_seconds_count", route="/v1/me") == 4


def test_photographs_and_faces_are_counted(server, read):
    before = read()
    for photo, faces in ((photograph("Grace"), 1), (together("Grace", "Eileen"), 2), (nobody(), 0)):
        found = server.client.post("/v1/detect", files={"photo": photo}).json()["faces"]
        assert len(found) == faces
    server.client.post("/v1/detect", files={"photo": b"no picture"})
    after = read()
    assert risen(before, after, "mien_faces_total") == 3
    assert risen(before, after, "mien_batch_photographs_sum") == 3
    assert risen(before, after, "mien_batch_wait_seconds_count") == risen(
        before, after, "mien_batch_photographs_count"
    )
    assert risen(before, after, "mien_stage_seconds_count", pack="mtcnn") >= 1
    assert of(after, "mien_photographs_waiting") == 0
    assert risen(before, after, "mien_errors_total", code="unreadable_image") == 1


def test_there_are_not_more_of_them_the_more_is_asked(server, read):
    for number in range(3):
        server.client.get(f"/v1/collections/c{number}/people/p{number}")
        server.client.get(f"/x{number}/y")
        server.client.get("/v1/me", headers={"x-request-id": f"r{number}"})
    before = read()
    for number in range(3, 40):
        server.client.get(f"/v1/collections/c{number}/people/p{number}")
        server.client.get(f"/x{number}/y")
        server.client.get(f"/console/{number}")
        server.client.get("/v1/me", headers={"x-request-id": f"r{number}"})
    new = {name for name, _ in read().keys() - before.keys()}
    labels = {label for _, labels in read().keys() - before.keys() for label in labels}
    assert labels <= {("route", "/console"), ("method", "GET"), ("status", "404"), ("le", "+Inf")} | {
        one for one in labels if one[0] == "le"
    }, new


def test_the_text_is_that_of_prometheus(server):
    answer = server.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.text)}
    ours = [name for name in families if not name.endswith("_created")]
    assert all(re.fullmatch(r"mien_[a-z_]+", name) and families[name].documentation for name in ours)
    assert families["mien_photographs_waiting"].type == "gauge"


def test_workers_that_are_gone_leave_counts_and_nothing_that_waits(tmp_path, monkeypatch):
    """Two workers as processes: one is killed while five photographs wait with it."""
    monkeypatch.setenv(FOLDER, str(tmp_path))
    work = (
        "import os, signal; from mien.server.metrics import Metrics; made = Metrics();"
        "made.faces.inc(3); made.waiting.set(5); print(made.text().decode(), flush=True);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    dead = subprocess.run([sys.executable, "-c", work], capture_output=True, text=True, check=False)
    assert of(numbers(dead.stdout), "mien_photographs_waiting") == 5
    alive = "from mien.server.metrics import Metrics; made = Metrics(); print(made.text().decode())"
    told = subprocess.run([sys.executable, "-c", alive], capture_output=True, text=True, check=True).stdout
    assert of(numbers(told), "mien_photographs_waiting") == 0
    assert of(numbers(told), "mien_faces_total") == 3
