import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
import pytest

from hostile import build_hostile
from mien.answers.pictures import IdentifyReport, PhotoRow, VerifyRow, face_row
from mien.cli import exits
from mien.cli.csv import csv_header
from mien.cli.main import app, run
from mien.cli.schema import schemas
from mien.cli.summary import summary, tag
from mien.core.columns import BY_NAME, COLUMNS
from mien.core.faces import Faces
from mien.errors import (
    BadRequest,
    GalleryError,
    InferenceError,
    MienError,
    NoFace,
    PackMissing,
    SettingsError,
    SpaceMismatch,
)
from mien.media.images import open_image


@pytest.fixture
def mien(mien_home, monkeypatch, capfd):
    """Run a command line; returns exit code, stdout and stderr."""
    monkeypatch.setenv("MIEN_HOME", str(mien_home))

    def call(*words):
        capfd.readouterr()
        code = run([str(word) for word in words])
        out, err = capfd.readouterr()
        return code, out, err

    return call


@pytest.fixture(scope="module")
def portrait(photos):
    return photos / "unknown" / "portrait-2012.jpg"


@pytest.fixture(scope="module")
def obama(photos):
    return next((photos / "known" / "Barack Obama").glob("*.jpg"))


@pytest.fixture(scope="module")
def rocket(photos):
    return photos / "unknown" / "rocket.jpg"


@pytest.fixture(scope="module")
def known(photos):
    return photos / "known"


def test_verify_answers_with_words_json_and_exit_code(mien, portrait, obama, known):
    code, out, _ = mien("verify", portrait, obama)
    assert code == exits.FINE
    assert "same person" in out
    assert "0.600" in out
    stranger = next((known / "Grace Hopper").glob("*.jpg"))
    code, out, _ = mien("verify", portrait, stranger, "--json")
    assert code == exits.DIFFERENT
    answer = msgspec.json.decode(out, type=VerifyRow, strict=True)
    assert answer.verified is False
    assert answer.distance > answer.threshold
    assert len(answer.face_a.box) == 4
    assert "embedding" not in out


def test_verify_says_what_is_wrong(mien, portrait, rocket, tmp_path):
    code, out, err = mien("verify", portrait, rocket)
    assert (code, out) == (3, "")
    assert "no_face" in err
    code, _, err = mien("verify", portrait, tmp_path / "missing.jpg")
    assert code == 3
    assert "missing.jpg" in err
    code, _, err = mien("verify", portrait)
    assert code == exits.USAGE
    code, _, err = mien("verify", portrait, portrait, "--device", "cuda")
    assert code == 7
    assert "onnxruntime-gpu" in err
    code, _, err = mien("verify", portrait, portrait, "--device", "abacus")
    assert code == 8
    code, _, err = mien("verify", portrait, portrait, "--detector", "mtcn")
    assert code == 4
    assert "mtcnn" in err


def test_analyze_in_every_form(mien, photos, portrait, rocket, tmp_path):
    code, out, _ = mien("analyze", portrait, rocket)
    assert code == exits.FINE
    assert "portrait-2012.jpg" in out
    code, out, _ = mien("analyze", photos, "--json")
    rows = msgspec.json.decode(out, type=list[PhotoRow], strict=True)
    assert [row.error for row in rows] == [None] * len(rows)
    code, out, _ = mien("analyze", photos, "--jsonl")
    lines = [msgspec.json.decode(line, type=PhotoRow) for line in out.splitlines()]
    assert lines == rows
    code, out, _ = mien("analyze", photos, "--csv", "--with", "landmarks")
    table = list(csv.DictReader(io.StringIO(out)))
    assert list(table[0]) == csv_header(["box", "score", "points", "landmarks"])
    faces = [row for row in table if row["face"]]
    assert len(faces) == sum(len(row.faces) for row in rows)
    assert float(faces[0]["landmarks_67_y"]) > 0
    code, _, err = mien("analyze", photos, "--csv", "--json")
    assert code == exits.USAGE
    code, out, err = mien("analyze", tmp_path)
    assert (code, out) == (3, "")
    assert "No pictures" in err


def test_analyze_draws(mien, portrait, tmp_path):
    out = tmp_path / "new" / "folder"
    for _ in range(2):
        assert mien("analyze", portrait, "--out", out)[0] == exits.FINE
    assert sorted(path.name for path in out.iterdir()) == ["portrait-2012-2.jpg", "portrait-2012.jpg"]
    drawn, plain = (
        np.asarray(PIL.Image.open(p).convert("RGB")).astype(int)
        for p in (out / "portrait-2012.jpg", portrait)
    )
    assert drawn.shape == plain.shape
    assert np.abs(drawn - plain).max() > 100
    (tmp_path / "file").write_text("x")
    code, _, err = mien("analyze", portrait, "--out", tmp_path / "file")
    assert code == exits.USAGE
    assert "file" in err


def test_a_folder_of_hostile_files_ends_in_results_and_typed_errors(mien, tmp_path):
    expected = build_hostile(tmp_path)
    code, out, err = mien("analyze", *sorted(tmp_path.iterdir()), "--jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == exits.PARTIAL
    assert "Traceback" not in err
    assert len(rows) >= 40
    codes = {kind.code for kind in _all_errors(MienError)}
    for row in rows:
        assert (row["error"] is None) != (row["faces"] is None)
        if row["error"]:
            assert row["error"]["code"] in codes
            assert row["error"]["message"]
    failed = {row["source"] for row in rows if row["error"]}
    for name, expectation in expected.items():
        if expectation.rgb is not None and (tmp_path / name).is_file():
            assert str(tmp_path / name) not in failed


def _all_errors(kind):
    yield kind
    for child in kind.__subclasses__():
        yield from _all_errors(child)


def test_identify_a_folder_per_person(mien, known, photos, tmp_path):
    code, out, _ = mien("identify", "--known", known, photos / "unknown", "--json", "-k", 2)
    report = msgspec.json.decode(out, type=IdentifyReport, strict=True)
    assert code == exits.FINE
    assert report.known == {"Barack Obama": 2, "Eileen Collins": 1, "Grace Hopper": 1}
    truth = json.loads((photos / "truth.json").read_text())
    for photo in report.photos:
        assert [who.person for who in photo.people] == truth[Path(photo.source).name]
    assert all(len(who.candidates) == 2 for photo in report.photos for who in photo.people)
    code, out, _ = mien("identify", "--known", known, photos / "unknown", "--out", tmp_path)
    assert code == exits.FINE
    assert "Barack Obama" in out
    assert len(list(tmp_path.glob("*.jpg"))) == len(report.photos)


def test_identify_a_file_per_person_with_an_unusable_one(mien, portrait, obama, rocket, tmp_path):
    (tmp_path / "Barack.jpg").write_bytes(obama.read_bytes())
    (tmp_path / "Saturn.jpg").write_bytes(rocket.read_bytes())
    code, out, err = mien("identify", "--known", tmp_path, portrait)
    assert code == exits.PARTIAL
    assert "Barack" in out
    assert "not enrolled" in err
    assert "Saturn.jpg" in err
    (tmp_path / "empty").mkdir()
    for wrong in (tmp_path / "empty", tmp_path / "Barack.jpg", tmp_path / "missing"):
        assert mien("identify", "--known", wrong, portrait)[0] == exits.USAGE


def test_info_says_what_runs_where(mien):
    code, out, _ = mien("info", "--json")
    facts = json.loads(out)
    assert code == exits.FINE
    assert facts["columns"]["box"] == facts["columns"]["points"] == "mtcnn"
    assert facts["columns"]["embedding"] == "dlib-resnet29"
    assert facts["networks"]["dlib-resnet29/resnet29.onnx"] == "CPUExecutionProvider"
    code, out, _ = mien("info")
    assert "CPUExecutionProvider" in out


@pytest.mark.parametrize("name", schemas())
def test_schema(mien, name):
    code, out, _ = mien("schema", name)
    assert code == exits.FINE
    assert "$defs" in json.loads(out)


def test_unknown_schema(mien):
    assert mien("schema", "everything")[0] == exits.USAGE


def test_exit_codes_follow_the_error_tree():
    assert exits.exit_code(NoFace("x")) == 3
    assert exits.exit_code(SpaceMismatch("x")) == exits.exit_code(GalleryError("x")) == 5
    assert exits.exit_code(MienError("x")) == exits.BUG
    assert set(exits.BY_ERROR.values()) <= exits.MEANINGS.keys()
    assert {InferenceError, SettingsError} <= exits.BY_ERROR.keys()
    # The client makes more of them as it goes.
    own = [kind for kind in MienError.__subclasses__() if kind.__module__ == MienError.__module__]
    assert set(exits.BY_ERROR) == {BadRequest, *own}


def test_defects_say_so(mien, monkeypatch, portrait):
    monkeypatch.setattr("mien.kit.Mien.verify", lambda *_, **__: 1 / 0)
    code, _, err = mien("verify", portrait, portrait)
    assert code == exits.BUG
    assert "defect" in err
    assert "ZeroDivisionError" in err


def test_rows_follow_the_column_table():
    exported = [column.name for column in COLUMNS if column.export]
    assert "embedding" not in exported
    header = csv_header(exported)
    assert header[:3] == ["source", "face", "box_x1"]
    geometry = 4 + 1 + 10 + 10 + 136 + 212 + 478 * 3
    looks = 52 + 2 + 1 + 3 + 1 + (2 + 1) + (7 + 1) + 1 + 1 + 1 + len(BY_NAME["quality_parts"].labels)
    assert len(header) == 3 + geometry + looks
    assert csv_header(["score"]) == ["source", "face", "score", "error"]


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["analyze", "--help"], ["packs", "--help"]])
def test_help_is_light(words):
    """Modules are counted, since time depends on the machine."""
    program = (
        f"import sys; from mien.cli.main import run; run({words!r}); print(len(sys.modules), *sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    count, *modules = done.stdout.splitlines()[-1].split()
    assert not {"numpy", "onnxruntime", "PIL", "onnx", "lz4"} & set(modules)
    assert int(count) < 475


def test_every_command_has_help():
    import typer.main

    group = typer.main.get_command(app)
    for name, command in group.commands.items():
        assert command.help or command.commands, name


def test_a_closed_pipe_ends_in_peace(mien_home, photos):
    command = f"{sys.executable} -m mien.cli analyze {photos} --jsonl | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", command],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "MIEN_HOME": str(mien_home)},
    )
    assert done.stdout.splitlines()[-1] == "0"
    assert done.stderr == ""


def test_ctrl_c_keeps_what_was_done(mien, photos, monkeypatch):
    from mien.kit import Mien

    real = Mien.analyze

    def interrupted(self, *given):
        for number, result in enumerate(real(self, *given)):
            if number == 2:
                raise KeyboardInterrupt
            yield result

    monkeypatch.setattr(Mien, "analyze", interrupted)
    code, out, err = mien("analyze", photos, "--json")
    assert code == exits.INTERRUPTED
    assert len(json.loads(out)) == 2
    assert "Stopped after 2" in err


def test_names_no_font_can_draw_are_said(mien, known, portrait, tmp_path, monkeypatch):
    monkeypatch.setattr("mien.ops.fonts.SYSTEM_FONTS", ())
    (tmp_path / "known").mkdir()
    (tmp_path / "known" / "奥巴马.jpg").write_bytes(portrait.read_bytes())
    code, out, err = mien("identify", "--known", tmp_path / "known", portrait, "--out", tmp_path / "out")
    assert code == exits.FINE
    assert "奥巴马" in out
    assert "No font here can draw 奥巴马" in err


def test_info_installs_nothing(mien, tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    code, out, _ = mien("info")
    assert code == exits.FINE
    assert "mtcnn (not installed)" in out
    assert not (tmp_path / "packs").exists()


@pytest.fixture
def looked_at():
    """A face of which much is known."""
    happy = np.array([[0.05, 0.0, 0.0, 0.9, 0.0, 0.05, 0.0]])
    more = {
        "age": [41.3],
        "gender": [[0.55, 0.45]],
        "expression": happy,
        "pose": [[-12.4, 3.0, 0.2]],
        "live": [0.98],
    }
    return Faces((100, 80), [[1, 2, 30, 40]], [0.9], **more)[0]


def test_rows_name_what_has_names(looked_at):
    row = msgspec.to_builtins(face_row(looked_at))
    assert row["expression"]["happy"] == 0.9
    assert row["expression_label"] == "happy"
    assert row["gender"] == {"female": 0.55, "male": 0.45}
    assert row["gender_label"] == "uncertain"
    assert row["pose"] == {"yaw": -12.4, "pitch": 3.0, "roll": 0.2}
    assert (row["age"], row["mask"]) == (41.3, None)


def test_a_summary_in_words(looked_at):
    assert summary(looked_at) == "41 years, gender uncertain, happy, live 0.98, yaw -12 pitch +3 roll +0"
    assert tag(looked_at) == "41 years, gender uncertain, happy, live 0.98"
    assert summary(Faces((9, 9), [[1, 2, 3, 4]], [0.5])[0]) == ""


def test_analyze_says_which_packs_are_missing(mien, photos):
    photo = next(photos.rglob("*.jpg"))
    code, _, err = mien("analyze", photo, "--with", "age,live", "--use", "age=retail0013")
    assert code == exits.exit_code(PackMissing(""))
    assert "mien packs install retail0013 minifasnet" in err
    code, _, err = mien("analyze", photo, "--with", "expression")
    assert "mien packs install mini-xception" in err
    code, _, err = mien("analyze", photo, "--use", "age")
    assert code == exits.exit_code(SettingsError(""))
    code, _, err = mien("analyze", photo, "--fast", "--accurate")
    assert code == exits.exit_code(BadRequest(""))


def test_all_is_what_is_here(mien, photos):
    code, out, _ = mien("analyze", next(photos.rglob("*.jpg")), "--all", "--json")
    assert code == 0
    face = json.loads(out)[0]["faces"][0]
    assert face["landmarks"] is not None
    assert face["age"] is None


def test_anonymise_writes_pictures_of_the_same_size_without_faces(mien, photos, tmp_path):
    photo = next(photos.rglob("*.jpg"))
    code, out, err = mien("anonymise", photo, "--out", tmp_path, "--way", "solid", "--detector", "mtcnn")
    assert code == 0, err
    written = next(tmp_path.glob("*.jpg"))
    assert str(written) in out
    assert "Look at them" in err
    assert open_image(written).size_wh == open_image(photo).size_wh
    with PIL.Image.open(written) as picture:
        assert not picture.getexif()
    code, out, _ = mien("analyze", written, "--json")
    assert json.loads(out)[0]["faces"] == []
    assert mien("anonymise", photo, "--out", tmp_path, "--way", "paint")[0] == exits.exit_code(BadRequest(""))


def test_anonymise_does_not_shrink_even_if_the_profile_is_fast(mien, mien_home, tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_PROFILE", "fast")
    large = tmp_path / "large.jpg"
    PIL.Image.new("RGB", (4000, 200), "grey").save(large)
    assert mien("anonymise", large, "--out", tmp_path / "out")[0] == 0
    assert open_image(tmp_path / "out" / "large.jpg").size_wh == (4000, 200)
