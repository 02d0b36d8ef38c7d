import io
import json

import msgspec
import PIL.Image
import pytest

from mien.cli.main import run
from mien.cli.schema import schemas


@pytest.fixture
def mien(mien_home, tmp_path, monkeypatch, capfd):
    """Run a command in a home of its own: exit code, stdout, stderr."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "packs").symlink_to(mien_home / "packs")
    monkeypatch.setenv("MIEN_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.chdir(tmp_path)

    def called(*words):
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return called


@pytest.fixture
def known(photos):
    return photos / "known"


@pytest.fixture
def enrolled(mien, known):
    assert mien("enroll", "--people", known, "--keep-crops")[0] == 0
    return mien


def listed(mien, *words):
    code, out, _ = mien("people", "list", "--json", *words)
    assert code == 0
    return {row["name"]: row for row in json.loads(out)}


def test_one_person(mien, known):
    code, out, err = mien(
        *("enroll", "Grace", known / "Grace Hopper", "--tag", "navy", "--metadata", '{"rank": 7}'),
        *("--consent-until", "2999-01-01", "--consent-note", "signed"),
    )
    assert (code, out, err) == (0, "Grace: 1 face added\n", "")
    row = listed(mien)["Grace"]
    assert (row["tags"], row["metadata"], row["consent_until"], row["consent_note"], row["faces"]) == (
        ["navy"],
        {"rank": 7},
        "2999-01-01",
        "signed",
        1,
    )
    assert listed(mien, "--tag", "army") == {}
    assert "1 enrolled before" in mien("enroll", "Grace", known / "Grace Hopper")[1]


def test_a_folder_of_people_and_who_they_are(enrolled, photos):
    assert {name: row["faces"] for name, row in listed(enrolled).items()} == {
        "Barack Obama": 2,
        "Eileen Collins": 1,
        "Grace Hopper": 1,
    }
    code, out, err = enrolled("identify", photos / "unknown")
    assert code == 0
    assert out.count("Barack Obama  Barack Obama") == 2
    assert "with 3 known" in err
    report = json.loads(enrolled("identify", photos / "unknown", "--json")[1])
    assert (report["people"], report["known"]) == (3, {})
    faces = {row["source"].rpartition("/")[2]: row["people"] for row in report["photos"]}
    (face,) = faces["portrait-2012.jpg"]
    assert (face["decision"], face["person"]) == ("known", "Barack Obama")
    assert face["candidates"][0]["person_id"] == listed(enrolled)["Barack Obama"]["id"]
    assert face["margin"] > 0


def test_a_table_of_people_with_one_bad_row(mien, known, photos, tmp_path):
    grace = next((known / "Grace Hopper").iterdir())
    lines = [f"Grace,{grace},navy;old", f"Nobody,{photos / 'unknown' / 'rocket.jpg'},", "Gone,/no/such.jpg,"]
    file = tmp_path / "people.csv"
    file.write_text("name,photo,tags\n" + "\n".join(lines) + "\n")
    code, out, _ = mien("enroll", "--csv", file, "--json")
    assert code == 9
    rows = {row["person"]: row for row in json.loads(out)}
    assert rows["Grace"]["error"] is None
    assert (rows["Nobody"]["error"]["code"], rows["Gone"]["error"]["code"]) == ("no_face", "unreadable_image")
    assert listed(mien)["Grace"]["tags"] == ["navy", "old"]


@pytest.mark.parametrize(
    "words",
    [(), ("Ada",), ("Ada", "a.jpg", "--people", "."), ("--people", ".", "--csv", "a.csv"), ("", "a.jpg")],
)
def test_who_is_to_be_enrolled_must_be_said_in_one_way(mien, words):
    assert mien("enroll", *words)[0] == 2


def test_somebody_who_may_be_somebody_else_is_told_of(enrolled, photos):
    code, _, err = enrolled("enroll", "Barry O", photos / "unknown" / "portrait-2012.jpg")
    assert code == 0
    assert "may be the same person as Barack Obama" in err
    assert "mien people merge 'Barack Obama' 'Barry O'" in err
    assert enrolled("people", "merge", "Barack Obama", "Barry O", "--yes")[0] == 0
    assert listed(enrolled)["Barack Obama"]["faces"] == 3


def test_looking_after_people(enrolled):
    assert enrolled("people", "rename", "Grace Hopper", "Amazing Grace")[0] == 0
    assert enrolled("people", "tag", "Amazing Grace", "navy", "cobol")[0] == 0
    assert enrolled("people", "tag", "Amazing Grace", "navy", "--remove")[0] == 0
    assert enrolled("people", "describe", "Amazing Grace", '{"born": 1906}')[0] == 0
    assert enrolled("people", "consent", "Amazing Grace", "--until", "2999-12-31", "--note", "n")[0] == 0
    row = listed(enrolled)["Amazing Grace"]
    assert (row["tags"], row["metadata"], row["consent_until"]) == (["cobol"], {"born": 1906}, "2999-12-31")
    assert enrolled("people", "consent", "Amazing Grace", "--until", "never")[0] == 0
    assert listed(enrolled)["Amazing Grace"]["consent_until"] is None
    assert enrolled("people", "consent", "Amazing Grace")[0] == 2
    assert enrolled("people", "rename", "Amazing Grace", "Eileen Collins")[0] == 5
    assert enrolled("people", "show", "Nobody")[0] == 5


def test_faces_one_by_one(enrolled, tmp_path):
    report = json.loads(enrolled("people", "show", "Barack Obama", "--json")[1])
    one, two = (face["id"] for face in report["faces"])
    assert report["faces"][0]["source"].endswith("blue-room-2010.jpg")
    assert enrolled("people", "crop", one, "--out", "face.jpg")[0] == 0
    assert PIL.Image.open(io.BytesIO((tmp_path / "face.jpg").read_bytes())).format == "JPEG"
    assert enrolled("people", "move", one, "--to", "Somebody Else")[0] == 0
    assert enrolled("people", "drop-face", two, "--yes")[0] == 0
    counts = {name: row["faces"] for name, row in listed(enrolled).items()}
    assert (counts["Somebody Else"], counts["Barack Obama"]) == (1, 0)
    shown = enrolled("people", "show", "Somebody Else")[1]
    assert one in shown
    assert "blue-room-2010.jpg" in shown


def test_what_cannot_be_undone_is_asked_for(enrolled):
    for words in (("forget", "Grace Hopper"), ("merge", "Barack Obama", "Grace Hopper")):
        code, _, err = enrolled("people", *words)
        assert code == 2
        assert "--yes" in err
    assert "Grace Hopper" in listed(enrolled)
    code, out, _ = enrolled("people", "forget", "Grace Hopper", "--yes")
    assert (code, out) == (0, "forgot 1 person with 1 face\n")
    assert "Grace Hopper" not in listed(enrolled)


def test_search_and_verify_among_the_enrolled(enrolled, photos):
    probe = photos / "unknown" / "portrait-2012.jpg"
    found = json.loads(enrolled("search", probe, "-k", "3", "--json")[1])
    assert [face["person"] for face in found["faces"][:2]] == ["Barack Obama"] * 2
    assert "Barack Obama" in enrolled("search", probe)[1]
    assert enrolled("verify", probe, "--person", "Barack Obama")[0] == 0
    assert enrolled("verify", probe, "--person", "Grace Hopper")[0] == 1
    said = json.loads(enrolled("verify", probe, "--person", "Barack Obama", "--json")[1])
    assert (said["verified"], said["person"]) == (True, "Barack Obama")
    assert enrolled("verify", probe, "--person", "Nobody")[0] == 5
    assert enrolled("verify", probe)[0] == 2
    assert enrolled("verify", probe, probe, "--person", "Grace Hopper")[0] == 2


def test_consent_that_has_run_out(enrolled):
    assert enrolled("people", "consent", "Grace Hopper", "--until", "2001-01-01")[0] == 0
    assert enrolled("gallery", "sweep")[1] == "forgot 1 person with 1 face\n"
    assert "Grace Hopper" not in listed(enrolled)
    assert enrolled("gallery", "sweep")[1] == "forgot 0 people with 0 faces\n"


def test_the_store_can_be_looked_after(enrolled, tmp_path, photos):
    info = json.loads(enrolled("gallery", "info", "--json")[1])
    assert [(row["name"], row["people"], row["faces"]) for row in info["collections"]] == [("default", 3, 4)]
    assert enrolled("gallery", "verify")[0] == 0
    assert enrolled("gallery", "backup", "one.db")[0] == 0
    assert enrolled("gallery", "backup", "one.db")[0] == 2, "never overwritten"
    enrolled("people", "forget", "Grace Hopper", "--yes")
    code, out, _ = enrolled("gallery", "restore", "one.db", "--yes")
    assert code == 0
    assert "restored 2 people" in out
    assert set(listed(enrolled)) == {"Barack Obama", "Eileen Collins"}

    assert enrolled("gallery", "export", "people", "--yes")[0] == 0
    code, out, _ = enrolled("gallery", "import", "people", "--store", "other.db")
    assert (code, out.split(",")[0]) == (0, "imported 2 people with 3 faces")
    assert set(listed(enrolled, "--store", "other.db")) == {"Barack Obama", "Eileen Collins"}

    assert enrolled("gallery", "key", "new.key")[0] == 0
    assert enrolled("gallery", "rotate", "--to", "new.key", "--yes")[0] == 0
    assert enrolled("people", "list")[0] == 5, "the old key"


def test_a_damaged_store_is_said_to_be(enrolled, tmp_path):
    store = tmp_path / "home" / "gallery" / "people.db"
    store.write_bytes(store.read_bytes()[:5000])
    for words in (("gallery", "verify"), ("people", "list"), ("audit", "verify")):
        code, _, err = enrolled(*words)
        assert code == 5
        assert "store_corrupt" in err


def test_the_log_says_who_did_what(enrolled, tmp_path):
    enrolled("people", "forget", "Grace Hopper", "--yes")
    rows = json.loads(enrolled("audit", "list", "--json")[1])
    assert {"enrolled", "forgot"} <= {row["action"] for row in rows}
    assert "Grace" not in json.dumps(rows)
    assert "forgot" in enrolled("audit", "list", "--last", "3")[1]
    code, out, _ = enrolled("audit", "verify")
    assert code == 0
    end = out.split()[-1]
    assert enrolled("audit", "verify", "--end", end)[0] == 0
    assert enrolled("audit", "verify", "--end", f"1:{'0' * 64}")[0] == 5
    assert enrolled("audit", "verify", "--end", "nonsense")[0] == 2
    assert enrolled("audit", "export", "--out", "log.jsonl")[0] == 0
    assert len((tmp_path / "log.jsonl").read_text().splitlines()) >= len(rows)


def test_without_a_store_nothing_is_made(mien, tmp_path):
    for words in (("gallery", "info"), ("audit", "list"), ("gallery", "backup", "b.db")):
        code, _, err = mien(*words)
        assert code == 5
        assert "mien enroll" in err
    assert not (tmp_path / "home" / "gallery").exists()


def test_people_of_a_folder_are_kept_nowhere(mien, known, photos, tmp_path):
    assert mien("identify", photos / "unknown", "--known", known)[0] == 0
    assert not (tmp_path / "home" / "gallery").exists()
    assert mien("identify", photos / "unknown", "--known", known, "--collection", "c")[0] == 2


def test_every_answer_has_its_shape(enrolled, tmp_path):
    """What is written with --json is what the schema says."""
    one, two = (
        face["id"] for face in json.loads(enrolled("people", "show", "Barack Obama", "--json")[1])["faces"]
    )
    for words in (
        ("people", "rename", "Grace Hopper", "Grace"),
        ("people", "tag", "Grace", "navy"),
        ("people", "describe", "Grace", "{}"),
        ("people", "consent", "Grace", "--note", "signed"),
        ("people", "split", "Barack Obama", one, "--to", "Somebody"),
        ("people", "move", two, "--to", "Somebody"),
        ("people", "merge", "Somebody", "Barack Obama", "--yes"),
        ("people", "show", "Somebody"),
        ("people", "list"),
        ("gallery", "info"),
        ("gallery", "verify"),
        ("gallery", "index"),
        ("gallery", "backup", "copy.db"),
        ("gallery", "export", "people", "--yes"),
        ("gallery", "import", "people"),
        ("gallery", "sweep"),
        ("people", "forget", "Grace", "--yes"),
        ("gallery", "restore", "copy.db", "--yes"),
        ("audit", "list"),
    ):
        code, out, err = enrolled(*words, "--json")
        assert code == 0, (words, err)
        msgspec.json.decode(out, type=schemas()["-".join(words[:2])], strict=True)


def test_splitting_takes_some_faces_and_no_others(enrolled):
    faces = [
        face["id"] for face in json.loads(enrolled("people", "show", "Barack Obama", "--json")[1])["faces"]
    ]
    (other,) = (
        face["id"] for face in json.loads(enrolled("people", "show", "Grace Hopper", "--json")[1])["faces"]
    )
    assert enrolled("people", "split", "Barack Obama", *faces)[0] == 2
    assert enrolled("people", "split", "Barack Obama", other)[0] == 2
    assert enrolled("people", "split", "Barack Obama", faces[0])[0] == 0
    assert listed(enrolled)["Barack Obama"]["faces"] == 1
    assert listed(enrolled)[None]["faces"] == 1


def test_the_index_says_how_it_searches(enrolled):
    said = "4 rows; compares every row; finds 100.00 % of the ten nearest\n"
    assert enrolled("gallery", "index")[1] == said


def test_calibrating_by_those_enrolled_wants_many(enrolled, known):
    code, _, err = enrolled("calibrate", "--enrolled", "--fmr", "0.01")
    assert (code, "people" in err) == (2, True)
    assert enrolled("calibrate")[0] == 2
    assert enrolled("calibrate", known, "--enrolled")[0] == 2
    assert enrolled("calibrate", known, "--collection", "c")[0] == 2


def test_a_backup_that_was_deleted_is_taken_off_the_list(enrolled, tmp_path):
    assert enrolled("gallery", "backup", "one.db")[0] == 0
    assert enrolled("gallery", "disown", "one.db")[0] == 2, "still there"
    (tmp_path / "one.db").unlink()
    _, _, err = enrolled("people", "forget", "Grace Hopper", "--yes")
    assert "one.db" in err
    assert enrolled("gallery", "disown", "one.db")[0] == 0
    assert enrolled("gallery", "disown", "one.db")[0] == 2
    assert enrolled("people", "forget", "Eileen Collins", "--yes")[2] == ""


def test_people_are_looked_after_without_any_network(enrolled, tmp_path):
    (tmp_path / "home" / "packs").unlink()
    assert set(listed(enrolled)) == {"Barack Obama", "Eileen Collins", "Grace Hopper"}
    assert enrolled("people", "forget", "Grace Hopper", "--yes")[0] == 0
    assert enrolled("gallery", "export", "people", "--yes")[0] == 0
    assert enrolled("people", "list", "--collection", "mistyped")[0] == 5
