import subprocess
from datetime import datetime
from importlib.metadata import version

import msgspec
import pytest

from mien.evaluate import provenance as module
from mien.evaluate.provenance import provenance
from mien.packs.builtin import builtin_manifests
from mien.packs.manifest import space


def test_it_says_where_figures_come_from():
    packs = [pack for name, pack in sorted(builtin_manifests().items()) if name in ("yunet", "dlib-resnet29")]
    found = provenance("mien evaluate x", packs, {"images": "LFW/images", "photographs": "12"})
    assert found.packs == {pack.name: space(pack) for pack in packs}
    assert len(found.packs) == 2
    assert found.mien == found.machine.mien == version("mien")
    assert found.data == {"images": "LFW/images", "photographs": "12"}
    made = datetime.fromisoformat(found.made)
    assert made.tzinfo is not None
    assert abs((datetime.now().astimezone() - made).total_seconds()) < 60
    assert msgspec.json.decode(msgspec.json.encode(found))["machine"]["cores"] == found.machine.cores


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ("mien x --store postgres://me:se@cret@db/faces", "mien x --store postgres://…@db/faces"),
        ("rtsp://u:p@cam/1 http://host/a@b", "rtsp://…@cam/1 http://host/a@b"),
        ("photos@home/a.jpg", "photos@home/a.jpg"),
    ],
)
def test_passwords_are_left_out(told, kept):
    found = provenance(told, [], {"images": told})
    assert found.command == found.data["images"] == kept


@pytest.fixture
def clone(tmp_path):
    (tmp_path / "pyproject.toml").write_text("x")
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(tmp_path)]
    for words in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"], ["tag", "v1"]):
        subprocess.run([*git, *words], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    return tmp_path, head.stdout.strip()


def test_the_commit_of_a_clone(clone):
    root, head = clone
    assert module._commit(root) == head
    (root / "pyproject.toml").write_text("y")
    assert module._commit(root) == f"{head}-dirty"


def test_packages_in_a_clone_of_something_else_have_no_commit(clone):
    root, _ = clone
    installed = root / ".venv" / "lib"
    installed.mkdir(parents=True)
    assert module._commit(installed) == ""


def test_without_git_there_is_no_commit(clone, monkeypatch):
    root, _ = clone
    monkeypatch.setenv("PATH", "")
    assert module._commit(root) == ""
    monkeypatch.undo()
    (root / ".git" / "HEAD").unlink()
    assert module._commit(root) == ""
