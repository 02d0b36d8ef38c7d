"""What is on the disk when installers are killed or meet each other; real processes, real SIGKILL."""

import random
import signal
import subprocess
import sys
import threading
import time

import pytest

from mien.errors import PackMissing
from mien.packs.store import PackStore

# Dies by SIGKILL just before its n-th change of the disk; prints how many there are if it survives.
DIE_AT = """
import os, signal, sys
from pathlib import Path
from mien.convert import table
from mien.packs import builtin
from mien.packs.store import PackStore

root, shipped, die_at = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
builtin.files = lambda _: shipped
changes = 0

def hook(event, args):
    global changes
    writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR)
    if event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"} or writes:
        changes += 1
        if changes == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
PackStore(Path(root)).install("toy", force=True)
print(changes)
"""

# Installs over and over, old and new in turn, until it is killed.
FOREVER = """
import sys
from pathlib import Path
from mien.packs import builtin
from mien.packs.store import PackStore

store, times = PackStore(Path(sys.argv[1])), int(sys.argv[2])
print("ready", flush=True)
for i in range(times):
    builtin.files = lambda _: Path(sys.argv[3 + i % 2])
    store.install("toy", force=True)
"""

VERSIONS = {1: b"old weights" * 1000, 2: b"newer weights" * 1000}


@pytest.fixture
def ships(tmp_path, toy, shipped):
    """Two folders of manifests that ship, by version of the toy pack."""
    folders = {}
    for version, content in VERSIONS.items():
        (tmp_path / f"weights{version}").write_bytes(content)
        folders[version] = tmp_path / f"ship{version}"
        (folders[version] / "manifests").mkdir(parents=True)
        (folders[version] / "sets.toml").write_text("[sets]\n[defaults]\n")
        text = toy(content, f"file:{tmp_path}/weights{version}", version=version)
        (folders[version] / "manifests" / "toy.toml").write_text(text)
    shipped(toy=text)
    return folders


@pytest.fixture
def store(tmp_path):
    return PackStore(tmp_path / "packs")


@pytest.fixture
def run():
    """Start a script; whatever still runs at the end of the test is killed."""
    started = []

    def start(script, *arguments):
        command = [sys.executable, "-c", script, *map(str, arguments)]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def version_of(store):
    """Version of the installed pack after proving that it is whole; 0 if there is none."""
    try:
        pack = store.get("toy")
    except PackMissing:
        return 0
    assert store.verify("toy") == ()
    assert pack.file("weights.onnx").read_bytes() == VERSIONS[pack.manifest.version]
    return pack.manifest.version


def leftovers(store):
    return [
        path for place in (".staging", ".aside", ".downloads") for path in (store.folder / place).glob("*")
    ]


@pytest.mark.parametrize("before", [0, 1])
def test_killed_before_every_change_of_the_disk(tmp_path, run, ships, before):
    seen, died = set(), 0
    for die_at in range(1, 100):
        store = PackStore(tmp_path / f"packs{die_at}")
        if before:
            run(FOREVER, store.folder, 1, ships[1], ships[2]).communicate()
            assert version_of(store) == 1
        process = run(DIE_AT, store.folder, ships[2], die_at)
        output, errors = process.communicate()
        if process.returncode == 0:
            assert int(output) == die_at - 1
            break
        assert process.returncode == -signal.SIGKILL, errors
        died += 1
        seen.add(version_of(store))
        assert store.install("toy").manifest.version == 2
        assert version_of(store) == 2
        assert leftovers(store) == []
    assert died >= 8, died
    assert seen == ({1, 2} if before else {0})  # a first installation ends with its rename


def test_killed_at_random_moments(store, run, ships):
    chance = random.Random(7)
    for _ in range(10):
        process = run(FOREVER, store.folder, 10**6, ships[1], ships[2])
        assert process.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0, 0.06))
        process.kill()
        _, errors = process.communicate()
        assert process.returncode == -signal.SIGKILL, errors
        assert version_of(store) in {0, 1, 2}
    store.install("toy")
    assert version_of(store) == 2
    assert leftovers(store) == []


def test_concurrent_installers_and_a_reader(store, run, ships):
    run(FOREVER, store.folder, 1, ships[1], ships[2]).communicate()
    processes = [run(FOREVER, store.folder, 25, ships[1], ships[2]) for _ in range(2)]
    versions = set()
    while any(process.poll() is None for process in processes):
        versions.add(store.get("toy").manifest.version)
    for process in processes:
        _, errors = process.communicate()
        assert process.returncode == 0, errors
    assert versions
    assert versions <= {1, 2}
    assert version_of(store) in {1, 2}
    assert leftovers(store) == []


def test_the_second_installer_waits_and_finds_the_work_done(store, shipped, toy, site):
    content = VERSIONS[1]
    arrived, released = threading.Event(), threading.Event()

    def answer(handler):
        arrived.set()
        released.wait(10)
        site.content(handler, content)

    site.answer = answer
    shipped(toy=toy(content, f"{site.url}/w"))
    threads = [threading.Thread(target=store.install, args=("toy",)) for _ in range(2)]
    threads[0].start()
    assert arrived.wait(10)
    stages = []
    threads[1] = threading.Thread(
        target=store.install,
        args=("toy",),
        kwargs={"progress": lambda stage, *_: (stages.append(stage), released.set())},
    )
    threads[1].start()
    for thread in threads:
        thread.join()
    assert stages == ["wait for another process at toy"]
    assert len(site.requests) == 1
    assert version_of(store) == 1
