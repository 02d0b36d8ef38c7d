import hashlib
import re
from importlib import metadata

import pytest

from mien.convert.table import CONVERTERS
from mien.packs.builtin import builtin_files, builtin_manifest, builtin_manifests, builtin_sets
from mien.packs.sources import SCHEMES

INTEL = "https://storage.openvinotoolkit.org/repositories/open_model_zoo/"
NAMES = sorted(builtin_files())


def test_open_sets_allow_commercial_use_and_research_asks():
    sets, manifests = builtin_sets().sets, builtin_manifests()
    for name in (*sets["open"], *sets["open-more"]):
        assert manifests[name].licence.commercial, name
        assert not manifests[name].licence.restricted, name
    assert all(manifests[name].licence.restricted for name in sets["research"])


def test_starter_is_complete():
    assert set(builtin_sets().sets["starter"]) == {"mtcnn", "mmod", "dlib-5", "dlib-68", "dlib-resnet29"}


def test_sets_and_defaults_name_packs_that_ship():
    sets, manifests = builtin_sets(), builtin_manifests()
    assert {name for members in sets.sets.values() for name in members} <= manifests.keys()
    for column, names in sets.defaults.items():
        assert all(column in manifests[name].gives for name in names)
    assert not sets.sets.keys() & manifests.keys()


@pytest.mark.parametrize("name", NAMES)
def test_manifest_is_sound(name):
    manifest = builtin_manifest(name)
    assert manifest.name == name
    assert {file.convert for file in manifest.files} <= CONVERTERS.keys() | {None}
    assert {source.url.split(":")[0] for source in manifest.sources} <= SCHEMES.keys() - {"http", "file"}
    for text in (manifest.summary, manifest.licence.note, manifest.origin.training_data):
        assert text
    assert manifest.licence.url.startswith("https://")


@pytest.mark.parametrize("name", NAMES)
def test_mirrored_sources_are_the_files_of_the_mirror(name, shared):
    """Against `SOURCES.md` of the mirror, which was written from the files themselves."""
    listed = {
        line.split("|")[1].strip(): [cell.strip() for cell in line.split("|")[2:6]]
        for line in shared("models/SOURCES.md").read_text().splitlines()
        if line.startswith(("| open/", "| research/"))
    }
    manifest = builtin_manifest(name)
    for source in manifest.sources:
        for folder in ("open", "research"):
            if (path := f"{folder}/{source.name}") in listed:
                size, digest, origin, _ = listed[path]
                assert (str(source.bytes), source.sha256) == (size, digest)
                assert manifest.licence.commercial == (folder == "open")
                assert manifest.licence.restricted == (folder == "research")
                repository, rest = origin.split("@")
                commit, inside = rest.split(":")
                if source.url.startswith(INTEL):  # what that repository holds is a copy
                    assert source.url.rsplit("/", 3)[1:] == inside.rsplit("/", 3)[1:]
                    continue
                assert re.fullmatch(
                    rf"https://github\.com/{repository}/raw/{commit}[0-9a-f]{{28}}/{re.escape(inside)}",
                    source.url,
                )


def test_no_two_sources_share_a_name():
    """A mirror serves each under its name."""
    seen = {}
    for manifest in builtin_manifests().values():
        for source in manifest.sources:
            assert seen.setdefault(source.name, source.sha256) == source.sha256


@pytest.mark.parametrize("name", NAMES)
def test_package_sources_are_the_files_of_the_distribution(name):
    for source in builtin_manifest(name).sources:
        if not source.url.startswith("package:"):
            continue
        distribution, inside = source.url.removeprefix("package:").split("/", 1)
        try:
            content = metadata.distribution(distribution).locate_file(inside).read_bytes()
        except metadata.PackageNotFoundError:
            pytest.skip(f"needs the distribution {distribution}")
        assert len(content) == source.bytes
        assert hashlib.sha256(content).hexdigest() == source.sha256


def test_the_non_commercial_landmarks_say_so():
    licence = builtin_manifest("dlib-68").licence
    assert not licence.commercial
    assert "300-W" in licence.note
    assert "dlib-68" not in builtin_sets().defaults["box"] + builtin_sets().defaults["corners"]


def test_unknown_manifest_is_none():
    assert builtin_manifest("nobody") is None
