import errno
import hashlib
import json
import os

import pytest

from mien.convert import table
from mien.errors import (
    ConversionFailed,
    DownloadFailed,
    ExtraMissing,
    LicenceNotAccepted,
    ManifestInvalid,
    PackCorrupt,
    PackError,
    PackMissing,
)
from mien.packs import install as installation
from mien.packs.store import PackStore

CONTENT = b"weights of a toy"
CONVERT = 'convert = "toy-reverse"\n'


def reverse(content):
    return content[::-1]


def broken(content):
    raise ConversionFailed("Not a toy.")


def needy(content):
    raise ModuleNotFoundError("No module named 'onnx'", name="onnx")


@pytest.fixture
def converters(monkeypatch):
    for name in ("reverse", "broken", "needy"):
        monkeypatch.setitem(table.CONVERTERS, f"toy-{name}", f"{__name__}:{name}")


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "weights"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def store(tmp_path):
    return PackStore(tmp_path / "packs")


@pytest.fixture
def shipped_toy(shipped, toy, weights):
    """Ship the toy pack, with changes."""
    return lambda **changes: shipped(toy=toy(CONTENT, f"file:{weights}", **changes))


@pytest.fixture
def packaged(tmp_path, monkeypatch, shipped, toy):
    """Ship a toy that comes out of an installed distribution."""
    site = tmp_path / "site"
    (site / "toys-1.dist-info").mkdir(parents=True)
    (site / "toys-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: toys\nVersion: 1\n")
    (site / "w").write_bytes(CONTENT)
    monkeypatch.syspath_prepend(str(site))
    return lambda **changes: shipped(toy=toy(CONTENT, "package:toys/w", **changes))


def leftovers(store):
    return [
        path.name
        for place in (".staging", ".aside", ".downloads")
        for path in (store.folder / place).glob("*")
        if path.suffix != ".lock"
    ]


def test_install_writes_pack_and_record(store, shipped_toy, converters):
    shipped_toy(more=CONVERT)
    told = []
    pack = store.install("toy", progress=lambda *step: told.append(step))
    assert pack == store.get("toy")
    assert pack.file("weights.onnx").read_bytes() == CONTENT[::-1]
    assert sorted(path.name for path in pack.folder.iterdir()) == [
        "installed.json",
        "pack.toml",
        "weights.onnx",
    ]
    record = json.loads((pack.folder / "installed.json").read_text())
    assert record["files"]["weights.onnx"] == {
        "sha256": hashlib.sha256(CONTENT[::-1]).hexdigest(),
        "bytes": 16,
        "source_sha256": hashlib.sha256(CONTENT).hexdigest(),
        "convert": "toy-reverse",
    }
    assert (record["converter_version"], record["licence"]) == (table.VERSION, "MIT")
    assert [stage for stage, _, _ in told] == [
        "read Weights.bin",
        "convert weights.onnx",
        "convert weights.onnx",
    ]
    assert store.verify("toy") == ()
    assert not leftovers(store)


def test_a_second_install_does_nothing_and_needs_no_source(store, shipped_toy, weights):
    shipped_toy()
    before = store.install("toy").file("weights.onnx").stat()
    weights.unlink()
    assert store.install("toy").file("weights.onnx").stat() == before
    with pytest.raises(DownloadFailed):
        store.install("toy", force=True)
    assert store.verify("toy") == ()


def test_force_and_damage_install_again(store, shipped_toy):
    shipped_toy()
    first = store.install("toy").file("weights.onnx")
    number = first.stat().st_ino
    store.install("toy", force=True)
    assert first.stat().st_ino != number
    first.write_bytes(CONTENT[::-1])
    assert store.install("toy").file("weights.onnx").read_bytes() == CONTENT


def test_damage_is_found(store, shipped_toy):
    shipped_toy()
    file = store.install("toy").file("weights.onnx")
    file.write_bytes(CONTENT[::-1])
    assert store.get("toy").file("weights.onnx") == file
    assert "has changed since" in store.verify("toy")[0]
    file.write_bytes(CONTENT[:-1])
    with pytest.raises(PackCorrupt, match="wrong length") as failure:
        store.get("toy")
    assert "--force" in failure.value.hint
    assert store.state("toy") == "broken"
    assert store.present() == ("toy",)
    assert "wrong length" in store.verify("toy")[0]
    store.install("toy")
    assert store.state("toy") == "installed"


@pytest.mark.parametrize("damaged", ["pack.toml", "installed.json", "weights.onnx"])
def test_a_broken_pack_can_be_repaired_and_removed(store, shipped_toy, damaged):
    shipped_toy()
    folder = store.install("toy").folder
    for repair in (store.install, store.remove):
        (folder / damaged).write_bytes(b"\0")
        assert store.state("toy") == "broken"
        repair("toy")
        assert store.state("toy") == ("installed" if repair == store.install else "not installed")


def test_a_new_version_replaces_the_old(store, shipped, toy, weights):
    shipped(toy=toy(CONTENT, f"file:{weights}"))
    store.install("toy")
    weights.write_bytes(b"other weights")
    shipped(toy=toy(b"other weights", f"file:{weights}", version=2))
    assert store.state("toy") == "outdated"
    assert store.get("toy").manifest.version == 1
    assert store.install("toy").manifest.version == 2
    assert store.get("toy").file("weights.onnx").read_bytes() == b"other weights"
    assert store.state("toy") == "installed"
    assert not leftovers(store)


def test_new_facts_renew_the_manifest_without_the_source(store, shipped_toy, weights):
    shipped_toy()
    store.install("toy")
    weights.unlink()
    shipped_toy(version=2, more="[facts]\nnew = 1\n")
    assert store.state("toy") == "outdated"
    assert store.install("toy").manifest.facts == {"new": 1}
    assert store.get("toy").manifest.facts == {"new": 1}
    assert store.state("toy") == "installed"


def test_a_new_converter_makes_the_files_again(store, shipped_toy, converters, monkeypatch):
    shipped_toy(more=CONVERT)
    store.install("toy")
    monkeypatch.setattr(table, "VERSION", table.VERSION + 1)
    assert store.state("toy") == "outdated"
    store.install("toy")
    assert store.get("toy").record.converter_version == table.VERSION
    assert store.state("toy") == "installed"


def test_failed_installation_keeps_the_old_pack(store, shipped_toy, converters):
    shipped_toy()
    store.install("toy")
    for convert, kind in (
        ("toy-broken", ConversionFailed),
        ("toy-needy", ExtraMissing),
        ("no-such", ManifestInvalid),
    ):
        shipped_toy(more=f'convert = "{convert}"\n')
        with pytest.raises(kind) as failure:
            store.install("toy")
        assert kind is not ExtraMissing or "onnx" in failure.value.message
        assert store.verify("toy") == ()
        assert not leftovers(store)


def test_one_source_can_make_two_files(store, shipped_toy, converters):
    shipped_toy(more=CONVERT + '[[files]]\nname = "plain"\nsource = "Weights.bin"\n')
    pack = store.install("toy")
    assert pack.file("plain").read_bytes() == pack.file("weights.onnx").read_bytes()[::-1] == CONTENT


def test_restricted_licence_needs_consent_once(store, shipped_toy, weights):
    shipped_toy(restricted=True)
    with pytest.raises(LicenceNotAccepted, match=r"MIT License.*https://example\.org/licence") as failure:
        store.install("toy")
    assert "--accept-licence" in failure.value.hint
    assert not (store.folder / "toy").exists()
    record = store.install("toy", accept_licence=True).record
    assert (record.licence_accepted, record.licence) == (True, "MIT")
    assert store.install("toy", force=True).record.licence_accepted


def test_download_is_cleared_after_installation(store, shipped, toy, site):
    site.answer = lambda handler: site.content(handler, CONTENT, stop_after=5)
    shipped(toy=toy(CONTENT, f"{site.url}/w"))
    with pytest.raises(DownloadFailed):
        store.install("toy")
    assert len(leftovers(store)) == 2
    site.answer = lambda handler: site.content(handler, CONTENT)
    store.install("toy")
    assert site.requests[-1][1]["Range"] == "bytes=5-"
    assert not leftovers(store)


def test_removing_clears_an_unfinished_download(store, shipped, toy, site, weights):
    shipped(toy=toy(CONTENT, f"file:{weights}"))
    store.install("toy")
    site.answer = lambda handler: site.content(handler, b"new weights", stop_after=5)
    shipped(toy=toy(b"new weights", f"{site.url}/w"))
    with pytest.raises(DownloadFailed):
        store.install("toy")
    store.remove("toy")
    assert not leftovers(store)
    assert store.present() == ()


def test_mirror_of_the_store_is_used(tmp_path, shipped, toy):
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "Weights.bin").write_bytes(CONTENT)
    shipped(toy=toy(CONTENT, "file:nowhere"))
    assert PackStore(tmp_path / "packs", f"file:{mirror}").install("toy").name == "toy"


def test_missing_packs_say_what_to_do(store, shipped_toy):
    shipped_toy()
    with pytest.raises(PackMissing) as failure:
        store.get("toy")
    assert failure.value.hint == "mien packs install toy"
    with pytest.raises(PackMissing):
        store.remove("toy")
    assert store.state("toy") == "not installed"
    assert not store.folder.exists()
    for method in (store.get, store.install, store.verify, store.remove, store.manifest, store.ensure):
        with pytest.raises(PackMissing, match="'tyo'") as failure:
            method("tyo")
        assert failure.value.hint == "Did you mean toy?"


@pytest.mark.parametrize("name", ["../toy", "/etc", "", ".", "..", "toy/../toy", ".locks"])
def test_names_never_become_paths(store, shipped_toy, name):
    shipped_toy()
    store.install("toy")
    for method in (store.get, store.install, store.remove, store.verify):
        with pytest.raises(PackMissing):
            method(name)
    assert store.verify("toy") == ()


def test_expand(store, shipped, toy):
    shipped(toy=toy(b"w", "file:w"), other=toy(b"w", "file:w", name="other"))
    assert store.expand(["other", "starter", "toy"]) == ("other", "toy")
    assert store.expand([]) == ()
    with pytest.raises(PackMissing) as failure:
        store.expand(["toy", "startr"])
    assert failure.value.hint == "Did you mean starter?"


def test_default_follows_the_order_among_the_installed(store, shipped, toy, weights):
    texts = {name: toy(CONTENT, f"file:{weights}", name=name) for name in ("toy", "other")}
    shipped(**texts)
    assert store.default("box") == "toy"
    put_in(store, toy, "mine")
    assert store.default("box") == "mine"
    store.install("other")
    assert store.default("box") == "other"
    store.install("toy")
    assert store.default("box") == "toy"
    with pytest.raises(PackMissing, match="'embedding'"):
        store.default("embedding")


def put_in(store, toy, name, url="file:gone"):
    folder = store.folder / name
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(toy(CONTENT, url, name=name), "utf-8")
    (folder / "weights.onnx").write_bytes(CONTENT)
    return folder


def test_a_folder_that_somebody_put_in(store, shipped_toy, toy):
    shipped_toy()
    put_in(store, toy, "mine")
    assert set(store.manifests()) == {"toy", "mine"}
    assert [pack.name for pack in store.installed()] == ["mine"]
    assert store.state("mine") == "installed"
    assert store.install("mine").record is None
    store.remove("mine")
    assert set(store.manifests()) == {"toy"}


def test_a_manifest_that_somebody_put_in_can_be_installed(store, shipped_toy, toy, weights):
    shipped_toy()
    put_in(store, toy, "mine", f"file:{weights}")
    (store.folder / "mine" / "weights.onnx").unlink()
    assert store.state("mine") == "not installed"
    assert store.present() == ()
    store.install("mine")
    assert store.state("mine") == "installed"


def test_installing_never_deletes_what_is_not_ours(store, shipped_toy):
    shipped_toy()
    folder = store.install("toy").folder
    (folder / "thesis.doc").write_text("years of work")
    with pytest.raises(PackError, match=r"thesis\.doc"):
        store.install("toy", force=True)
    assert (folder / "thesis.doc").exists()


def test_removing_a_linked_pack_spares_what_it_leads_to(tmp_path, store, shipped_toy, toy):
    shipped_toy()
    folder = put_in(store, toy, "mine").rename(tmp_path / "mine")
    (store.folder / "mine").symlink_to(folder)
    store.remove("mine")
    assert (folder / "weights.onnx").exists()
    assert store.present() == ()


def test_an_invalid_manifest_is_loud(store, shipped_toy, toy):
    shipped_toy()
    (put_in(store, toy, "mine") / "pack.toml").write_text("name = 1")
    for method in (store.manifests, store.installed):
        with pytest.raises(ManifestInvalid, match="mine"):
            method()


def test_ensure_installs_and_renews_what_is_at_hand(store, packaged):
    packaged()
    assert store.ensure("toy").manifest.version == 1
    packaged(version=2)
    assert store.ensure("toy").manifest.version == 2
    written = (store.folder / "toy" / "pack.toml").stat()
    assert store.ensure("toy").manifest.version == 2
    assert (store.folder / "toy" / "pack.toml").stat() == written


@pytest.mark.parametrize("changes", [{"restricted": True}, {"commercial": False}])
def test_ensure_asks_for_consent_where_it_is_due(store, packaged, changes):
    packaged(**changes)
    with pytest.raises(PackMissing):
        store.ensure("toy")
    store.install("toy", accept_licence=True)
    packaged(version=2, **changes)
    assert store.ensure("toy").manifest.version == 2


def test_ensure_fetches_nothing(store, shipped, shipped_toy, toy, weights):
    shipped_toy()
    with pytest.raises(PackMissing):
        store.ensure("toy")
    store.install("toy")
    weights.write_bytes(CONTENT[::-1])
    shipped(toy=toy(CONTENT[::-1], f"file:{weights}", version=2))
    assert store.ensure("toy").manifest.version == 1


def test_ensure_renews_the_facts_without_the_source(store, shipped_toy, weights):
    shipped_toy()
    store.install("toy")
    weights.unlink()
    shipped_toy(version=2)
    assert store.ensure("toy").manifest.version == 2
    assert (store.get("toy").folder / "weights.onnx").read_bytes() == CONTENT


def test_a_pack_between_two_renames_is_recovered(store, shipped_toy):
    shipped_toy()
    folder = store.install("toy").folder
    (store.folder / ".aside").mkdir(exist_ok=True)
    folder.rename(store.folder / ".aside" / "toy")
    assert store.present() == ("toy",)
    assert store.verify("toy") == ()
    assert not leftovers(store)


def test_what_dead_processes_staged_is_swept_but_not_what_living_ones_do(store, shipped, toy, weights):
    shipped(**{name: toy(CONTENT, f"file:{weights}", name=name) for name in ("toy", "other")})
    for name in ("other", "third"):
        (store.folder / ".staging" / name).mkdir(parents=True)
    with installation.locked(store.folder / ".locks" / "other.lock", lambda: None):
        store.install("toy")
    assert leftovers(store) == ["other"]
    store.install("toy")
    assert leftovers(store) == []


@pytest.mark.parametrize(("number", "said"), [(errno.ENOSPC, "full"), (errno.EROFS, "cannot be written")])
def test_disk_that_refuses(store, shipped_toy, monkeypatch, number, said):
    shipped_toy()
    store.install("toy")

    def refuse(path, content):
        raise OSError(number, os.strerror(number), str(path))

    monkeypatch.setattr(installation, "write_synced", refuse)
    with pytest.raises(PackError, match=said) as failure:
        store.install("toy", force=True)
    assert "MIEN_HOME" in failure.value.hint
    assert store.verify("toy") == ()
    assert not leftovers(store)


def test_folder_that_cannot_be_made(tmp_path, shipped_toy):
    shipped_toy()
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(PackError, match="cannot be written"):
        PackStore(tmp_path / "file" / "packs").install("toy")


def test_a_broken_folder_does_not_stand_in_the_way(store, shipped, toy, weights):
    shipped(toy=toy(CONTENT, f"file:{weights}"))
    store.install("toy")
    (store.folder / "foo").mkdir()
    (store.folder / "foo" / "pack.toml").write_text("not = [toml")
    assert store.default("box") == "toy"
