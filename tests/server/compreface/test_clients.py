"""The official clients of CompreFace, as their publisher gives them out, against our server."""

import json
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from server.people import photograph, together

HERE, ORACLES = Path(__file__).parent, Path(__file__).resolve().parents[3] / ".oracles"
PYTHON = (ORACLES / "compreface" / "bin" / "python", [HERE / "with_python.py"], ORACLES)
JAVASCRIPT = (
    ORACLES / "compreface-js" / "node_modules",
    ["node", HERE / "with_javascript.mjs"],
    ORACLES / "compreface-js",
)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("photographs")
    sent = {
        "grace": photograph("Grace"),
        "again": photograph("Grace", 210),
        "both": together("Grace", "Eileen"),
    }
    for name, content in sent.items():
        (folder / f"{name}.jpg").write_bytes(content)
    return folder


@pytest.fixture(params=[PYTHON, JAVASCRIPT], ids=["python", "javascript"])
def told(request, serve, photographs):
    needed, command, cwd = request.param
    if not needed.exists():
        pytest.skip("needs the clients of CompreFace: make oracles-server")
    words = command if command[0] == "node" else [needed, *command]
    with serve() as server:
        key = server.key("detect", "verify", "search", "enroll")["authorization"].removeprefix("Bearer ")
        address = urlsplit(server.url)
        arguments = [f"{address.scheme}://{address.hostname}", str(address.port), key, photographs]
        ran = subprocess.run(
            [*words, *arguments], cwd=cwd, capture_output=True, text=True, timeout=120, check=False
        )
    assert ran.returncode == 0, ran.stderr
    return json.loads(ran.stdout)


def test_a_client_gets_what_it_asks_for(told):
    saved = told["saved"]
    assert saved["subject"] == "Grace"
    assert told["listed"]["faces"] == [saved]
    names = {
        face["subjects"][0]["subject"]: face["subjects"][0]["similarity"]
        for face in told["recognised"]["result"]
    }
    assert names.keys() == {"Grace"}
    assert sorted(face["subjects"][0]["similarity"] > 0.5 for face in told["recognised"]["result"]) == [
        False,
        True,
    ]
    assert told["recognised"]["plugins_versions"].keys() == {"detector", "calculator"}
    (verified,) = told["verified"]["result"]
    assert verified["similarity"] > 0.5
    assert len(verified["landmarks"]) == 5
    (detected,) = told["detected"]["result"]
    assert len(detected["embedding"]) == 128
    (compared,) = told["compared"]["result"]
    assert sorted(match["similarity"] > 0.5 for match in compared["face_matches"]) == [False, True]
    assert told["added"] == {"subject": "Ada"}
    assert told["renamed"] == {"updated": True}
    assert sorted(told["subjects"]["subjects"]) == ["Countess", "Grace"]
    assert told["forgotten"] == {"subject": "Countess"}
    assert told["deleted"] in (saved, [saved])
    assert told["none"] == {"deleted": 0}
    assert told["all"] == {"deleted": 0}
    if "refused" in told:
        assert told["refused"]["code"] == 21
    if "base64" in told:
        assert len(told["base64"]["result"]) == 1
