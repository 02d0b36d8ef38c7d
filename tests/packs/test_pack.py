import hashlib

import pytest

from mien.errors import ManifestInvalid, PackCorrupt
from mien.packs.pack import problems, read_pack

CONTENT = b"weights of a toy"


@pytest.fixture
def folder(tmp_path, toy):
    """A pack that somebody put in: manifest and file, no record."""
    folder = tmp_path / "toy"
    folder.mkdir()
    (folder / "pack.toml").write_text(toy(CONTENT, "file:gone"), "utf-8")
    (folder / "weights.onnx").write_bytes(CONTENT)
    return folder


def test_a_folder_that_somebody_put_in_is_a_pack(folder):
    pack = read_pack(folder)
    assert pack.name == "toy"
    assert pack.record is None
    assert pack.file("weights.onnx") == folder / "weights.onnx"
    assert problems(pack) == ()


def test_copied_files_are_checked_against_their_source(folder):
    (folder / "weights.onnx").write_bytes(CONTENT[::-1])
    assert "weights.onnx has changed" in problems(read_pack(folder))[0]
    pack = read_pack(folder)
    (folder / "weights.onnx").unlink()
    assert len(problems(pack)) == 1


def test_files_converted_by_hand_cannot_be_checked(folder):
    text = (folder / "pack.toml").read_text("utf-8") + 'convert = "dlib-shape"\n'
    (folder / "pack.toml").write_text(text, "utf-8")
    (folder / "weights.onnx").write_bytes(b"anything")
    assert problems(read_pack(folder)) == ()


def test_no_manifest_or_no_file_is_no_pack(folder):
    (folder / "weights.onnx").unlink()
    assert read_pack(folder) is None
    (folder / "pack.toml").unlink()
    assert read_pack(folder) is None
    assert read_pack(folder / "nowhere") is None


def test_name_is_that_of_the_folder(folder):
    renamed = folder.rename(folder.with_name("other"))
    with pytest.raises(ManifestInvalid, match="calls itself 'toy'"):
        read_pack(renamed)


def test_unknown_file_names_those_there_are(folder):
    with pytest.raises(ManifestInvalid, match=r"no file 'pnet\.onnx'") as failure:
        read_pack(folder).file("pnet.onnx")
    assert "weights.onnx" in failure.value.hint


@pytest.mark.parametrize("record", [b"", b"{}", b"[1", b"\xff"])
def test_damaged_record_is_corrupt(folder, record):
    (folder / "installed.json").write_bytes(record)
    with pytest.raises(PackCorrupt) as failure:
        read_pack(folder)
    assert failure.value.hint == "Install it again: mien packs install toy --force"


def test_record_that_lacks_a_file_is_corrupt(folder):
    record = (
        b'{"files":{},"converter_version":1,"mien":"0","licence":"","licence_accepted":true,"installed":""}'
    )
    (folder / "installed.json").write_bytes(record)
    with pytest.raises(PackCorrupt, match=r"weights\.onnx"):
        read_pack(folder)
    digest = hashlib.sha256(CONTENT).hexdigest()
    made = f'{{"weights.onnx":{{"sha256":"{digest}","bytes":16,"source_sha256":"","convert":null}}}}'
    (folder / "installed.json").write_bytes(record.replace(b"{}", made.encode()))
    assert problems(read_pack(folder)) == ()
