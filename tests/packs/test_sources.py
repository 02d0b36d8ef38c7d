import hashlib
import shutil

import pytest

from mien.errors import DownloadFailed, ExtraMissing, ManifestInvalid, SettingsError
from mien.packs.manifest import Source
from mien.packs.sources import discard, fetch

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "downloads"


def test_file_absolute_relative_and_escaped(tmp_path, monkeypatch, folder, source):
    (tmp_path / "a b.bin").write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    for url in (f"file:{tmp_path}/a b.bin", "file:a b.bin", f"file://{tmp_path}/a%20b.bin"):
        assert fetch(source(CONTENT, url), folder) == CONTENT
    assert not folder.exists()


def test_reports_progress(tmp_path, folder, source):
    (tmp_path / "w").write_bytes(CONTENT)
    told = []
    fetch(source(CONTENT, f"file:{tmp_path}/w"), folder, progress=lambda *step: told.append(step))
    assert told[-1] == ("read Weights.bin", len(CONTENT), len(CONTENT))


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (CONTENT[:-1], "10,239 bytes long"),
        (CONTENT + b"x", "longer"),
        (b"", "0 bytes long"),
        (CONTENT[:-1] + b"x", "sha256"),
    ],
)
def test_wrong_content_is_refused(tmp_path, folder, source, there, said):
    (tmp_path / "w").write_bytes(there)
    with pytest.raises(DownloadFailed, match=said) as failure:
        fetch(source(CONTENT, f"file:{tmp_path}/w"), folder)
    assert failure.value.hint


def test_missing_file_and_folder_are_refused(tmp_path, folder, source):
    for url in (f"file:{tmp_path}/nothing", f"file:{tmp_path}"):
        with pytest.raises(DownloadFailed, match="does not exist"):
            fetch(source(CONTENT, url), folder)


def installed_distribution(tmp_path, monkeypatch, content=CONTENT):
    site = tmp_path / "site"
    (site / "toy_weights").mkdir(parents=True)
    (site / "toy_weights" / "w.bin").write_bytes(content)
    (site / "toy_weights" / "__init__.py").write_text("raise RuntimeError('imported')")
    info = site / "toy_weights-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-weights\nVersion: 1.2\n")
    monkeypatch.syspath_prepend(str(site))


def test_package_is_found_and_never_imported(tmp_path, monkeypatch, folder, source):
    installed_distribution(tmp_path, monkeypatch)
    assert fetch(source(CONTENT, "package:toy-weights/toy_weights/w.bin"), folder) == CONTENT


def test_missing_package_names_the_extra(folder, source):
    with pytest.raises(ExtraMissing, match="no-such-distribution") as failure:
        fetch(source(CONTENT, "package:no-such-distribution/w.bin"), folder)
    assert failure.value.hint.startswith("pip install 'mien[starter]'")


def test_package_without_the_file_or_with_another(tmp_path, monkeypatch, folder, source):
    installed_distribution(tmp_path, monkeypatch, CONTENT[::-1])
    with pytest.raises(DownloadFailed, match=r"toy-weights 1\.2 does not contain x\.bin"):
        fetch(source(CONTENT, "package:toy-weights/x.bin"), folder)
    with pytest.raises(DownloadFailed, match="sha256"):
        fetch(source(CONTENT, "package:toy-weights/toy_weights/w.bin"), folder)
    with pytest.raises(ManifestInvalid, match="leaves its package"):
        fetch(source(CONTENT, "package:toy-weights/../secret"), folder)


@pytest.mark.parametrize("url", ["ftp://host/w", "w", "data:,w", "http://example.org/w", "http://10.0.0.1/w"])
def test_other_addresses_are_refused(folder, source, url):
    with pytest.raises(ManifestInvalid) as failure:
        fetch(source(CONTENT, url), folder)
    assert url in failure.value.message


def test_mirror_comes_first_then_the_publisher(tmp_path, folder, source):
    (tmp_path / "own").write_bytes(CONTENT)
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    here = source(CONTENT, f"file:{tmp_path}/own")
    assert fetch(here, folder, mirror=f"file:{mirror}") == CONTENT
    (mirror / "Weights.bin").write_bytes(CONTENT)
    (tmp_path / "own").unlink()
    assert fetch(here, folder, mirror=f"file:{mirror}/") == CONTENT
    (mirror / "Weights.bin").write_bytes(b"damaged")
    with pytest.raises(DownloadFailed, match=r"own does not exist.*mirror failed too.*7 bytes"):
        fetch(here, folder, mirror=f"file:{mirror}")


def test_mirror_replaces_a_missing_package_but_is_not_asked_before_it(tmp_path, monkeypatch, folder, source):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "Weights.bin").write_bytes(b"not asked")
    installed_distribution(tmp_path, monkeypatch)
    assert fetch(source(CONTENT, "package:toy-weights/toy_weights/w.bin"), folder, mirror=f"file:{mirror}")
    (mirror / "Weights.bin").write_bytes(CONTENT)
    assert fetch(source(CONTENT, "package:not-there/w"), folder, mirror=f"file:{mirror}") == CONTENT
    (mirror / "Weights.bin").unlink()
    with pytest.raises(ExtraMissing, match="mirror failed too"):
        fetch(source(CONTENT, "package:not-there/w"), folder, mirror=f"file:{mirror}")


def test_mirror_must_be_an_address(folder, source):
    with pytest.raises(SettingsError, match="/mnt/models"):
        fetch(source(CONTENT, "file:w"), folder, mirror="/mnt/models")


def test_mirror_of_real_models(tmp_path, folder, source, shared):
    model = shared("models/open/face_detection_yunet_2023mar.onnx")
    known = "8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4"
    here = source(model.read_bytes(), "https://127.0.0.1:9/unreachable", name=model.name)
    assert here.sha256 == known
    assert hashlib.sha256(fetch(here, folder, mirror=f"file:{model.parent}")).hexdigest() == known


def test_http_mirror_and_loopback_source(folder, source, site):
    site.answer = lambda handler: site.content(handler, CONTENT)
    assert fetch(source(CONTENT, "file:nowhere"), folder, mirror=f"{site.url}/base/") == CONTENT
    assert site.requests[0][0] == "/base/Weights.bin"
    shutil.rmtree(folder)
    assert fetch(source(CONTENT, f"{site.url}/w"), folder) == CONTENT


def test_a_finished_download_is_not_fetched_again_until_discarded(folder, source, site):
    site.answer = lambda handler: site.content(handler, CONTENT)
    here = source(CONTENT, f"{site.url}/w")
    assert fetch(here, folder) == fetch(here, folder) == CONTENT
    assert len(site.requests) == 1
    discard(here, folder)
    assert not list(folder.glob("*.part")) + list(folder.glob("*.json"))
    assert fetch(here, folder) == CONTENT
    assert len(site.requests) == 2


def test_wrong_digest_is_not_kept(folder, source, site):
    site.answer = lambda handler: site.content(handler, CONTENT[::-1])
    with pytest.raises(DownloadFailed, match="sha256"):
        fetch(source(CONTENT, f"{site.url}/w"), folder)
    assert not list(folder.glob("*.part"))
    assert len(site.requests) == 1


def test_halves_of_two_files_are_noticed_and_fetched_once_more(folder, source, site):
    site.answer = lambda handler: site.content(handler, CONTENT[::-1], stop_after=1000)
    here = source(CONTENT, f"{site.url}/w")
    with pytest.raises(DownloadFailed, match="1,000 of 10,240"):
        fetch(here, folder)
    site.answer = lambda handler: site.content(handler, CONTENT)  # under the same ETag
    assert fetch(here, folder) == CONTENT
    assert [headers.get("Range") for _, headers in site.requests] == [None, "bytes=1000-", None]


def test_what_nobody_serves_is_to_be_brought(tmp_path):
    content = b"weights out of an archive"
    source = Source(
        "w.onnx", "bring:https://example.org/all.zip", hashlib.sha256(content).hexdigest(), len(content)
    )
    with pytest.raises(DownloadFailed, match=r"all\.zip") as failure:
        fetch(source, tmp_path / "parts")
    assert "w.onnx" in failure.value.hint
    (tmp_path / "w.onnx").write_bytes(content)
    assert fetch(source, tmp_path / "parts", mirror=f"file:{tmp_path}") == content
