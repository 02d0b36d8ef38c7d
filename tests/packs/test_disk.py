import subprocess
import sys

import pytest

from mien.errors import DownloadFailed, PackError
from mien.packs import disk
from mien.packs.disk import locked, locked_if_free, writing

HOLD = """
import sys
from pathlib import Path
from mien.packs.disk import locked
with locked(Path(sys.argv[1]), lambda: None):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that holds a lock until it is told to end."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "a.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with process:
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_lock_of_another_process_is_waited_for(tmp_path, holder):
    told = []

    def waiting():
        told.append("waiting")
        holder.stdin.close()

    with locked(tmp_path / "a.lock", waiting):
        assert told == ["waiting"]


def test_lock_of_a_killed_process_is_free(tmp_path, holder):
    with locked_if_free(tmp_path / "a.lock") as free:
        assert not free
    holder.kill()
    holder.wait()
    with locked_if_free(tmp_path / "a.lock") as free:
        assert free


def test_waiting_ends(tmp_path, holder, monkeypatch):
    monkeypatch.setattr(disk, "LOCK_TIMEOUT_S", 0.1)
    with pytest.raises(PackError, match="Another process"), locked(tmp_path / "a.lock", lambda: None):
        pass


def test_writing_lets_other_errors_pass(tmp_path):
    with pytest.raises(ZeroDivisionError), writing(tmp_path):
        1 / 0  # noqa: B018
    with pytest.raises(DownloadFailed, match="No such file"), writing(tmp_path, DownloadFailed):
        (tmp_path / "nowhere" / "x").write_bytes(b"")
