"""`mien serve` as a process: its words, its log, its end."""

import json
import os
import ssl
import subprocess
import sys

import httpx
import pytest

from server.people import photograph
from server.process import serving

SERVE = "from mien.cli.main import main; main()"


@pytest.fixture
def home(mien_home, tmp_path):
    """A home of one's own with the starter packs."""
    found = tmp_path / "home"
    found.mkdir()
    (found / "packs").symlink_to(mien_home / "packs")
    return found


def mien(home, *words, **environ):
    """Run a command to its end: exit code, stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-c", SERVE, *words],
        env={**os.environ, "MIEN_HOME": str(home), "COLUMNS": "200", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_it_serves_until_it_is_told_to_stop(home, mien_home):
    with serving(home, mien_home, "--no-console", MIEN_SERVER_MAX_PHOTOGRAPHS="3") as process:
        with process.client() as client:
            found = client.post("/v1/detect", files={"photo": photograph("Grace")})
            assert len(found.json()["faces"]) == 1
            assert client.get("/v1/system").json()["limits"]["max_photographs"] == 3
            assert client.get("/").status_code == 404, "without the console"
            assert client.get("/openapi.json").status_code == 200
            assert "server" not in client.get("/v1/me").headers
        assert process.stop() == 0
        said = process.said().splitlines()
    assert said[0].startswith("Mien answers at http://127.0.0.1:")
    events = [json.loads(line)["event"] for line in said[1:]]
    assert "started" in events
    assert "stopped" in events
    assert events.count("request") >= 3
    assert not any("Traceback" in line for line in said)


def test_ctrl_c_is_no_error_either(home, mien_home):
    with serving(home, mien_home) as process:
        process.child.send_signal(2)
        assert process.child.wait(30) == 0
        assert "Traceback" not in process.said()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for this machine, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    cert, key = folder / "cert.pem", folder / "key.pem"
    made = subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(cert)),
        ],
        capture_output=True,
        check=False,
    )
    if made.returncode:
        pytest.skip("needs openssl")
    return cert, key


def test_it_speaks_https(home, mien_home, certificate):
    cert, key = certificate
    words = ("--tls-cert", str(cert), "--tls-key", str(key))
    with serving(home, mien_home, *words, wait=False) as process:
        assert process.url.startswith("https://")
        with httpx.Client(
            base_url=process.url, verify=ssl.create_default_context(cafile=str(cert)), trust_env=False
        ) as client:
            answer = client.get("/v1/health/live")
            assert answer.status_code == 200
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            origin = {"origin": process.url}
            assert client.get("/v1/me", headers=origin).status_code == 200
            other = {"origin": process.url.replace("https", "http")}
            assert client.get("/v1/me", headers=other).status_code == 403
        assert process.stop() == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--host", "0.0.0.0"), "Without API keys"),
        (("--port", "70000"), "port must be at most 65535"),
        (("--port", "x"), "Invalid value for '--port'"),
        (("--workers", "0"), "workers must be at least 1"),
        (("--tls-cert", "none.pem"), "tls_cert and tls_key come together"),
        (("--tls-cert", "none.pem", "--tls-key", "none.pem"), "There is no file none.pem"),
        (("--reload",), "No such option"),
    ],
    ids=lambda one: one if isinstance(one, str) else " ".join(one),
)
def test_what_cannot_be_is_said_in_a_sentence(home, words, said):
    code, out, err = mien(home, "serve", *words)
    assert code != 0
    assert out == ""
    assert said in err
    assert "Traceback" not in err


def test_a_store_that_cannot_be_opened_is_said_before_anything_starts(home):
    (home / "broken.db").write_bytes(b"no database at all" * 100)
    code, _, err = mien(home, "serve", "--store", str(home / "broken.db"))
    assert code != 0
    assert "Traceback" not in err
    assert "Uvicorn" not in err


def test_a_place_that_is_taken_is_said_in_a_sentence(home, mien_home):
    with serving(home, mien_home, wait=False) as process:
        port = process.url.rpartition(":")[2]
        code, _, err = mien(home, "serve", "--port", port)
        assert code == 8
        assert f"port {port}: Address already in use" in err
        assert "--port" in err
        assert "answers at" not in err
        assert "Traceback" not in err


def test_with_a_key_it_listens_beyond_this_machine(home, mien_home):
    code, out, _ = mien(home, "keys", "create", "admin", "--scope", "admin", "--json")
    assert code == 0
    key = {"x-api-key": json.loads(out)["key"]}
    with serving(home, mien_home, "--host", "0.0.0.0", wait=False) as process:
        url = process.url.replace("0.0.0.0", "127.0.0.1")
        assert httpx.get(f"{url}/v1/me").status_code == 401
        assert httpx.get(f"{url}/v1/me", headers=key).json()["open"] is False
        assert process.stop() == 0
        assert json.loads(out)["key"] not in process.said()


def test_help_says_what_there_is(home):
    code, out, _ = mien(home, "serve", "--help")
    assert code == 0
    for option in ("--host", "--port", "--workers", "--tls-cert", "--tls-key", "--no-console", "--store"):
        assert option in out
