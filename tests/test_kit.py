import threading

import numpy as np
import pytest

from mien import Analysis, Failure, Image, Mien, load_settings, open_image
from mien.errors import (
    BadRequest,
    ManyFaces,
    NoFace,
    PackMissing,
    SpaceMismatch,
    UnreadableImage,
)
from mien.media.images import find_images
from mien.pipeline.choosing import choose


@pytest.fixture
def fresh(mien_home):
    """A `Mien` whose gallery nobody else uses."""
    return Mien(load_settings(environ={}, home=mien_home, store="memory"))


@pytest.fixture(scope="module")
def obama(photos):
    return sorted((photos / "known" / "Barack Obama").glob("*.jpg"))


@pytest.fixture(scope="module")
def collins(photos):
    return next((photos / "known" / "Eileen Collins").glob("*.jpg"))


@pytest.fixture(scope="module")
def rocket(photos):
    return photos / "unknown" / "rocket.jpg"


@pytest.fixture(scope="module")
def crowd(obama, collins):
    """Two people side by side."""
    one, two = (open_image(path).rgb for path in (obama[0], collins))
    height = min(len(one), len(two))
    return Image.from_rgb(np.concatenate([one[:height], two[:height]], axis=1), "crowd")


def test_verify_says_why(kit, obama, collins):
    same = kit.verify(obama[0], obama[1])
    assert same.verified
    assert same.distance <= same.threshold == 0.6
    assert same.metric == "euclidean"
    assert 0 < same.fmr < 0.01
    a, b = same.face_a.embedding, same.face_b.embedding
    assert same.distance == pytest.approx(float(np.linalg.norm(a.astype(float) - b)), abs=1e-5)
    assert same.similarity == pytest.approx(float(a @ b / np.linalg.norm(a) / np.linalg.norm(b)), abs=1e-5)
    other = kit.verify(obama[0], collins)
    assert not other.verified
    assert other.distance > other.threshold


def test_verify_takes_paths_bytes_and_images(kit, obama):
    by_path = kit.verify(str(obama[0]), obama[1])
    by_bytes = kit.verify(obama[0].read_bytes(), open_image(obama[1]))
    assert by_bytes.distance == pytest.approx(by_path.distance, abs=1e-6)


def test_verify_wants_one_face(kit, obama, collins, rocket, crowd):
    with pytest.raises(NoFace, match="rocket"):
        kit.verify(obama[0], rocket)
    with pytest.raises(ManyFaces, match="2 faces were found in crowd: 0 at x") as failure:
        kit.verify(crowd, obama[0])
    assert failure.value.hint
    faces = kit.detect(crowd)
    leftmost = int(np.argmin(faces.box[:, 0]))
    assert kit.verify(crowd, obama[1], face=(leftmost, "only")).verified
    assert not kit.verify(crowd, obama[1], face=(1 - leftmost, "only")).verified
    picked = choose(Analysis(crowd, faces), leftmost)
    np.testing.assert_array_equal(picked.box, faces.box[[leftmost]])
    with pytest.raises(BadRequest, match="no face 7"):
        choose(Analysis(crowd, faces), 7)


def test_bare_arrays_are_refused_with_a_hint(kit, obama):
    array = open_image(obama[0]).rgb
    with pytest.raises(BadRequest) as failure:
        kit.detect(array)
    assert "from_bgr" in failure.value.hint


def test_detect_finds_points_and_no_more(kit, obama, rocket):
    faces = kit.detect(obama[0])
    assert len(faces) == 1
    assert faces.points.shape == (1, 5, 2)
    assert faces.embedding is None
    assert len(kit.detect(rocket)) == 0
    assert kit.embed(rocket).embedding.shape == (0, 128)


def test_analyze_computes_what_is_asked(kit, obama):
    found = next(kit.analyze(obama[0], ("landmarks", "corners", "embedding")))
    assert found.faces.columns().keys() == {"box", "score", "points", "landmarks", "corners", "embedding"}
    assert found.faces.space.startswith("dlib-resnet29:")
    with pytest.raises(BadRequest, match="moustache") as failure:
        kit.analyze(obama[0], ("moustache",))
    assert "landmarks" in failure.value.hint


def test_analyze_a_folder_with_a_broken_file_in_it(kit, photos, tmp_path):
    (tmp_path / "a-broken.jpg").write_bytes(b"\xff\xd8\xff not a picture")
    (tmp_path / "b.jpg").write_bytes((photos / "unknown" / "portrait-2012.jpg").read_bytes())
    broken, whole = kit.analyze(tmp_path)
    assert isinstance(broken, Failure)
    assert isinstance(broken.error, UnreadableImage)
    assert len(whole.faces) == 1
    assert [type(r) for r in kit.analyze([tmp_path / "missing.jpg", tmp_path])] == [
        Failure,
        Failure,
        Analysis,
    ]
    assert list(kit.analyze([])) == []


def test_batches_equal_single_pictures(kit, photos):
    paths = list(find_images([photos]))
    for path, result in zip(paths, kit.analyze(paths, ("box", "embedding")), strict=True):
        alone = kit.embed(path)
        np.testing.assert_allclose(result.faces.box, alone.box, atol=1e-3)
        np.testing.assert_allclose(result.faces.embedding, alone.embedding, atol=1e-4)


def test_enrol_and_identify(fresh, obama, collins, rocket, crowd, photos):
    done = fresh.enroll("Barack Obama", [*obama, rocket])
    assert (done.faces, [failure.error.code for failure in done.failures]) == (2, ["no_face"])
    fresh.enroll("Eileen Collins", collins)
    who = fresh.identify(photos / "unknown" / "portrait-2012.jpg", k=5)
    assert who.names == ["Barack Obama"]
    (_, match), *_ = who
    assert match.accepted
    assert match.distance <= who.matches.threshold
    assert [m.person for m in who.matches[0]] == ["Barack Obama", "Eileen Collins"]
    assert fresh.identify(photos / "unknown" / "blue-room.jpg").names == [None]
    assert sorted(fresh.identify(crowd).names) == ["Barack Obama", "Eileen Collins"]
    assert len(fresh.identify(rocket)) == 0
    results = list(fresh.identify_all([rocket, obama[0] / "nothing"]))
    assert len(results[0]) == 0
    assert isinstance(results[1], Failure)


def test_nobody_enrolled_means_unknown(fresh, obama):
    assert fresh.identify(obama[0]).names == [None]


def test_enrolling_nothing_usable_raises_the_first_reason(fresh, rocket, crowd, tmp_path):
    with pytest.raises(NoFace):
        fresh.enroll("Nobody", rocket)
    with pytest.raises(ManyFaces):
        fresh.enroll("Two", [crowd])
    assert fresh.enroll("Two", [crowd], face="largest").faces == 1
    with pytest.raises(BadRequest, match="No picture"):
        fresh.enroll("Nobody", tmp_path)
    with pytest.raises(BadRequest, match="name"):
        fresh.enroll("  ", crowd, face="largest")


def test_another_detector_finds_the_same_people(mien_home, obama, collins):
    kit = Mien(load_settings(environ={}, home=mien_home, store="memory", detector="mmod"))
    assert kit.detect(obama[0]).points is None
    assert kit.verify(obama[0], obama[1]).verified
    assert not kit.verify(obama[0], collins).verified


def test_the_gallery_refuses_another_space(fresh, obama):
    faces = fresh.embed(obama[0])
    with pytest.raises(SpaceMismatch):
        fresh.gallery().enroll("x", faces.embedding, "other:0123")


def test_unknown_pack_says_what_there_is(mien_home):
    kit = Mien(load_settings(environ={}, home=mien_home, store="memory", detector="mtcn"))
    with pytest.raises(PackMissing) as failure:
        kit.detect(Image.from_rgb(np.zeros((50, 50, 3), np.uint8)))
    assert "mtcnn" in failure.value.hint


def test_settings_or_choices_but_not_both(mien_home):
    with pytest.raises(BadRequest):
        Mien(load_settings(environ={}, home=mien_home, store="memory"), threads=1)


def test_threads_may_share_one(fresh, obama):
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(fresh.embed(obama[0]).embedding)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for vectors in found[1:]:
        np.testing.assert_allclose(vectors, found[0], atol=1e-5)


def test_every_wild_photograph_is_analysed(kit, shared):
    """Evidence 2: no crash, and a face in nearly all of them."""
    results = list(kit.analyze(shared("data/faces_wild")))
    failures = [result for result in results if isinstance(result, Failure)]
    assert [failure.source for failure in failures] == []
    assert sum(len(result.faces) > 0 for result in results) >= 0.9 * len(results)


def test_labelled_pairs_of_the_wild_are_told_apart(kit, shared):
    import csv

    folder = shared("data/faces_wild/pairs_labelled")
    right = total = 0
    embeddings = {}
    with (folder / "master.csv").open() as file:
        for row in csv.DictReader(file):
            names = [row["file_x"], row["file_y"]]
            for name in names:
                if name not in embeddings:
                    faces = kit.embed(folder / name)
                    embeddings[name] = faces.largest().embedding if len(faces) else None
            if any(embeddings[name] is None for name in names):
                continue
            distance = np.linalg.norm(embeddings[names[0]] - embeddings[names[1]])
            right += (distance <= kit.rule().distance) == (row["Decision"] == "Yes")
            total += 1
    assert total >= 250
    assert right / total >= 0.97


def test_a_result_names_its_file_exactly(kit, obama, tmp_path):
    odd = tmp_path / "Screenshot 1.00\u202fPM \n[b].jpg"
    odd.write_bytes(obama[0].read_bytes())
    assert next(kit.analyze(tmp_path)).source == str(odd)
    odd.write_bytes(b"broken")
    assert next(kit.analyze(odd)).source == str(odd)


def test_addresses_and_empty_paths_are_refused(kit):
    (refused,) = kit.analyze("https://example.org/a.jpg")
    assert refused.error.code == "bad_request"
    assert "https://example.org/a.jpg" in refused.error.message
    with pytest.raises(BadRequest, match="empty"):
        list(kit.analyze(["", "b.jpg"]))


def test_a_stream_is_one_picture(kit, obama):
    with obama[0].open("rb") as file:
        (result,) = kit.analyze(file)
    assert len(result.faces) == 1


def test_one_picture_without_memory_does_not_take_the_others(kit, obama, monkeypatch):
    stage, whole = kit.stage("mtcnn"), open_image(obama[0])
    huge = whole.with_(source="huge")
    real = type(stage).__call__

    def hungry(self, images, faces):
        if any(image.source == "huge" for image in images):
            raise MemoryError
        return real(self, images, faces)

    monkeypatch.setattr(type(stage), "__call__", hungry)
    first, second, third = kit.analyze([whole, huge, whole])
    assert (len(first.faces), second.error.code, len(third.faces)) == (1, "out_of_memory", 1)


def test_a_pack_that_does_something_else_is_refused(mien_home, obama):
    for choice, words in (
        ({"detector": "dlib-68"}, "finds no faces"),
        ({"embedder": "mtcnn"}, "no embedding"),
    ):
        kit = Mien(load_settings(environ={}, home=mien_home, store="memory", **choice))
        with pytest.raises(BadRequest, match=words) as failure:
            kit.embed(obama[0])
        assert "Packs that do:" in failure.value.hint


def test_nothing_of_a_face_is_in_what_is_printed(kit, obama):
    found = kit.verify(obama[0], obama[1])
    for text in (
        repr(found),
        repr(kit.embed(obama[0])),
        repr(open_image(obama[0])),
        repr(kit.identify(obama[0])),
    ):
        assert len(text) < 600
        assert "array" not in text


def test_a_camera_buffer_that_is_used_again_changes_no_picture():
    buffer = np.zeros((4, 4, 3), np.uint8)
    image = Image.from_rgb(buffer)
    buffer[:] = 9
    assert image.rgb.max() == 0
