"""The set `open` over HTTP, from a server on this machine that has the publishers' own files."""

import errno
from pathlib import Path

import pytest

from mien import Mien, load_settings
from mien.errors import DownloadFailed, PackError
from mien.packs.builtin import builtin_manifest, builtin_sets
from mien.packs.store import PackStore

NAMES = builtin_sets().sets["open"]


@pytest.fixture(scope="module")
def files(shared):
    return {path.name: path for path in shared("models/open").iterdir()}


@pytest.fixture
def store(tmp_path, site, files):
    def good(handler):
        site.content(handler, files[handler.path.lstrip("/")].read_bytes())

    site.good = good
    site.answer = good
    return PackStore(tmp_path / "packs", site.url)


def test_the_whole_set_installs_and_works(store, site, photos):
    for name in store.expand(["open"]):
        store.install(name)
    wanted = {source.name for name in NAMES for source in builtin_manifest(name).sources}
    assert {path.lstrip("/") for path, _ in site.requests} == wanted
    assert all(store.verify(name) == () for name in NAMES)
    kit = Mien(load_settings(environ={}, home=store.folder.parent))
    (result,) = kit.analyze(photos / "unknown" / "portrait-2012.jpg", kit.available())
    assert len(result.faces) == 1
    assert result.faces[0].embedding.shape == (256,)
    assert result.faces[0].live is not None


def test_a_server_that_vanishes_is_asked_for_the_rest_only(store, site, files):
    content = files["face-reidentification-retail-0095-FP16.bin"].read_bytes()
    site.answer = lambda handler: site.content(
        handler, files[handler.path.lstrip("/")].read_bytes(), stop_after=1_000_000
    )
    with pytest.raises(DownloadFailed):
        store.install("retail0095")
    assert "retail0095" not in store.present()
    site.requests.clear()
    site.answer = site.good
    store.install("retail0095")
    ranges = {path: headers.get("Range") for path, headers in site.requests}
    start = ranges["/face-reidentification-retail-0095-FP16.bin"]
    assert start is not None
    assert 1_000_000 <= int(start.removeprefix("bytes=").removesuffix("-")) < len(content)
    assert "/face-reidentification-retail-0095-FP16.xml" not in ranges, "it had arrived"
    assert store.verify("retail0095") == ()


def test_another_file_under_the_name_is_refused(store, site, files):
    spoilt = bytearray(files["yunet_n_dynamic.onnx"].read_bytes())
    spoilt[1000] ^= 1
    site.answer = lambda handler: site.content(handler, bytes(spoilt))
    with pytest.raises(DownloadFailed):
        store.install("yunet")
    assert store.present() == ()
    site.answer = site.good
    assert store.install("yunet").name == "yunet"


def test_a_captive_portal_is_no_network(store, site):
    page = b"<!DOCTYPE html><html><body>Welcome to our wireless network</body></html>"
    site.answer = lambda handler: site.content(handler, page)
    with pytest.raises(DownloadFailed) as refused:
        store.install("yunet")
    assert refused.value.hint
    assert store.present() == ()
    site.answer = site.good
    store.install("yunet")


def test_a_full_disk_loses_nothing(store, monkeypatch):
    store.install("yunet")
    write = Path.open

    def full(path, mode="r", *args, **kwargs):
        if "w" in mode and ".staging" in path.parts:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, mode, *args, **kwargs)

    monkeypatch.setattr(Path, "open", full)
    with pytest.raises(PackError, match="space"):
        store.install("peppa-68")
    assert store.present() == ("yunet",)
    monkeypatch.undo()
    assert store.install("peppa-68").name == "peppa-68"
