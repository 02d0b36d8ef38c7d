import json
import os
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest

from casefiles import a_case
from mien.errors import BadRequest
from mien.people import case_folder
from mien.people.case_folder import holding, kept_pictures, make_folder, read_case, review, save_case
from mien.people.cases import picture_names


@pytest.fixture
def folder(tmp_path):
    case = a_case()
    make_folder(tmp_path / "case", case, dict.fromkeys(picture_names(case), b"JPEG"))
    return tmp_path / "case"


def test_what_is_written_is_read(folder):
    assert read_case(folder) == a_case()
    assert kept_pictures(folder) == set(picture_names(a_case()))
    assert "Ada" in (folder / "case.html").read_text("utf-8")


@pytest.mark.parametrize(
    "content",
    [b"", b"{}", b"[1]", b"\xff\xfe", b"[" * 100_000, b'{"format": 1}', b"null"],
)
def test_what_is_no_case_is_refused(folder, content):
    (folder / "case.json").write_bytes(content)
    with pytest.raises(BadRequest, match=r"case\.json"):
        read_case(folder)


def test_a_case_of_a_later_version_is_refused(folder):
    later = json.loads((folder / "case.json").read_bytes()) | {"format": 2}
    (folder / "case.json").write_text(json.dumps(later))
    with pytest.raises(BadRequest, match="format 2"):
        read_case(folder)


def test_a_folder_without_a_case_is_named(tmp_path):
    with pytest.raises(BadRequest, match="no case in") as refused:
        read_case(tmp_path)
    assert "mien missing new" in refused.value.hint
    with pytest.raises(BadRequest, match="no folder"), holding(tmp_path / "none"):
        pass


def test_pictures_that_are_shown_no_more_are_deleted_and_others_stay(folder):
    case = a_case()
    one, *others = case.run.candidates
    fewer = msgspec.structs.replace(case, run=msgspec.structs.replace(case.run, candidates=tuple(others)))
    with holding(folder):
        save_case(folder, fewer, {})
    assert kept_pictures(folder) == set(picture_names(fewer)) < set(picture_names(case))
    assert one.person not in (folder / "case.html").read_text("utf-8")


def test_names_of_pictures_in_a_file_lead_nowhere(folder, tmp_path):
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"SECRET PIXELS")
    text = (
        (folder / "case.json")
        .read_text()
        .replace(a_case().run.candidates[0].faces[0].face_id, "../../secret")
    )
    (folder / "case.json").write_text(text)
    review(folder, "Ada", "yes")
    assert secret.read_bytes() == b"SECRET PIXELS"
    assert "U0VDUkVUIFBJWEVM" not in (folder / "case.html").read_text()


@pytest.mark.parametrize("who", ["Ada", "p1"])
def test_reviews_are_by_name_or_identifier(folder, who):
    case = review(folder, who, "unsure", "the ears")
    assert {key: (one.says, one.note) for key, one in case.reviews.items()} == {"p1": ("unsure", "the ears")}
    assert read_case(folder) == case
    assert "the ears" in (folder / "case.html").read_text()


def test_the_last_word_counts(folder):
    review(folder, "Ada", "no")
    assert review(folder, "Ada", "yes").reviews["p1"].says == "yes"


def test_two_of_one_name_are_reviewed_alike(folder):
    case = a_case(names=("Ada", "Ada"))
    with holding(folder):
        save_case(folder, case, {})
    assert set(review(folder, "Ada", "no").reviews) == {"p1", "p2"}
    assert review(folder, "p2", "yes").reviews["p1"].says == "no"


def test_who_is_no_candidate_cannot_be_reviewed(folder):
    before = (folder / "case.json").read_bytes()
    for who, note in (("Nobody", ""), ("", ""), ("Ada", "x" * 10_001)):
        with pytest.raises(BadRequest):
            review(folder, who, "yes", note)
    assert (folder / "case.json").read_bytes() == before


def test_who_was_reviewed_and_is_listed_no_more_can_be_reviewed_again(folder):
    review(folder, "Ada", "no")
    case = read_case(folder)
    with holding(folder):
        save_case(folder, msgspec.structs.replace(case, run=None), {})
    assert review(folder, "p1", "yes").reviews["p1"].says == "yes"


def test_of_many_who_review_at_once_nobody_is_lost(folder):
    case = a_case(names=[f"n{i}" for i in range(12)])
    with holding(folder):
        save_case(folder, case, {})
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(lambda i: review(folder, f"n{i}", "no"), range(12)))
    assert len(read_case(folder).reviews) == 12


def test_a_disk_that_refuses_leaves_the_case_as_it_was(folder, monkeypatch):
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}

    def full(path, content):
        path.write_bytes(content[: len(content) // 2])
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(case_folder, "write_synced", full)
    with pytest.raises(BadRequest, match="No space left"):
        review(folder, "Ada", "yes")
    for file, content in before.items():
        assert file.read_bytes() == content
    monkeypatch.undo()
    review(folder, "Ada", "yes")
    assert not [file.name for file in folder.rglob("*.unfinished")]


def test_somebody_who_does_not_let_go_is_not_waited_for_forever(folder, monkeypatch):
    monkeypatch.setattr(case_folder, "_WAIT_S", 0.05)
    with holding(folder), pytest.raises(BadRequest, match="Somebody else"):
        review(folder, "Ada", "yes")
