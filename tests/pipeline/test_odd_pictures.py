"""What docs/odd-pictures.md promises, on photographs of the wild."""

import msgspec
import numpy as np
import PIL.Image
import PIL.ImageFilter
import pytest

from mien import Image, Mien, load_settings, open_image
from mien.core.advice import reasons

# Bright and dark skin, with and without glasses; one upright face each.
PEOPLE = ("pairs_labelled/img12.jpg", "pairs_labelled/img25.jpg", "varied/1423.jpg")
NO_FACE = (
    "varied/mask_black.jpg", "varied/mask_blue.jpg", "varied/mask_green.jpg", "varied/mask_white.jpg",
    "varied/no_face.png", "varied/view.jpg", "expressions_and_odd/free-mountain-vector-01.jpg",
)  # fmt: skip
MASKED = ("varied/mask.png", "varied/mask2.jpg", "varied/crop_mask.png")
SEARCHES = ("normal", "tiny", "close", "thorough")


@pytest.fixture(scope="module")
def kits(modern_home):
    """A kit per search."""
    plain = load_settings(environ={}, home=modern_home, detector="yunet", embedder="retail0095")
    return {search: Mien(msgspec.structs.replace(plain, search=search)) for search in SEARCHES}


@pytest.fixture(scope="module")
def wild(shared):
    return shared("data/faces_wild")


@pytest.fixture(scope="module")
def people(kits, wild):
    """Untouched pictures, at most 800 pixels a side, with the face in each."""
    found = []
    for name in PEOPLE:
        picture = PIL.Image.fromarray(open_image(wild / name).rgb)
        picture.thumbnail((800, 800))
        faces = kits["normal"].embed(image_of(picture))
        assert len(faces) == 1
        found.append((picture, faces))
    return found


def image_of(picture):
    return Image(np.array(picture))


def columns_of(kit, image, *columns):
    return next(kit.analyze([image], columns)).faces


def same(kit, picture, untouched):
    """Whether each of the faces found is the person of the untouched photograph."""
    faces = kit.embed(image_of(picture))
    return list(1 - faces.embedding @ untouched.embedding[0] <= kit.rule().distance)


def shrunk(picture, faces, side_px):
    factor = side_px / float(max(faces[0].width, faces[0].height))
    return picture.resize([round(side * factor) for side in picture.size], PIL.Image.Resampling.LANCZOS)


def cropped(picture, faces, part):
    box = faces.box[0]
    middle, half = (box[:2] + box[2:]) / 2, part * (box[2:] - box[:2]) / 2
    return picture.crop([round(float(value)) for value in (*(middle - half), *(middle + half))]).resize(
        (600, 800)
    )


@pytest.mark.parametrize("turn", ["ROTATE_90", "ROTATE_180", "ROTATE_270"])
def test_turned_people_are_recognised_by_the_thorough_search_only(kits, people, turn):
    for picture, faces in people:
        turned = picture.transpose(PIL.Image.Transpose[turn])
        assert not any(same(kits["normal"], turned, faces))
        assert same(kits["thorough"], turned, faces) == [True]


def test_the_profile_accurate_recognises_turned_people(kits, people):
    accurate = Mien(msgspec.structs.replace(kits["normal"].settings, profile="accurate", search=None))
    picture, _ = people[0]
    untouched = accurate.embed(image_of(picture))
    assert same(accurate, picture.transpose(PIL.Image.Transpose.ROTATE_90), untouched) == [True]


@pytest.mark.parametrize("change", ["mirrored", "grey", "blurred a little", "fills the frame"])
def test_the_same_person_after_slight_changes(kits, people, change):
    for picture, faces in people:
        side = float(max(faces[0].width, faces[0].height))
        changed = {
            "mirrored": lambda one, _: one.transpose(PIL.Image.Transpose.FLIP_LEFT_RIGHT),
            "grey": lambda one, _: one.convert("L").convert("RGB"),
            "blurred a little": lambda one, _, s=side: one.filter(PIL.ImageFilter.GaussianBlur(0.03 * s)),
            "fills the frame": lambda one, found: cropped(one, found, 1.0),
        }[change](picture, faces)
        assert same(kits["normal"], changed, faces) == [True]


def test_tiny_faces_are_found_and_too_small_ones_not_recognised(kits, people):
    recognised = {
        side: [same(kits["normal"], shrunk(picture, faces, side), faces) for picture, faces in people]
        for side in (40, 12)
    }
    assert recognised == {40: [[True]] * 3, 12: [[False]] * 3}


def test_small_faces_in_large_pictures_want_the_search_tiny(kits, people):
    picture, faces = people[1]
    wide = PIL.Image.new("RGB", (2400, 2400), (96, 112, 128))
    wide.paste(shrunk(picture, faces, 20), (800, 800))
    assert same(kits["normal"], wide, faces) == []
    assert same(kits["tiny"], wide, faces) == [True]


def test_half_a_face_wants_the_search_close(kits, people):
    halves = [(cropped(picture, faces, 0.5), faces) for picture, faces in people]
    assert [same(kits["close"], *half) for half in halves] == [[True]] * 3
    assert [True] not in [same(kits["normal"], *half) for half in halves]


def test_blurred_faces_want_the_search_close_and_are_not_recognised(kits, people):
    seen = {"normal": 0, "close": 0}
    for picture, faces in people:
        side = float(max(faces[0].width, faces[0].height))
        blurred = picture.filter(PIL.ImageFilter.GaussianBlur(0.06 * side))
        for search in seen:
            matches = same(kits[search], blurred, faces)
            seen[search] += len(matches)
            assert not any(matches)
        beyond = picture.filter(PIL.ImageFilter.GaussianBlur(0.12 * side))
        assert len(kits["thorough"].detect(image_of(beyond))) == 0
    assert seen["normal"] < seen["close"] == len(people)


def test_advice_says_what_is_wrong(kits, people):
    def codes(picture):
        face = columns_of(kits["close"], image_of(picture), "quality", "quality_parts")[0]
        return {reason.code for reason in reasons(face)}

    for picture, faces in people:
        side = float(max(faces[0].width, faces[0].height))
        assert codes(picture) == set()
        assert codes(shrunk(picture, faces, 20)) == {"too_far"}
        assert codes(picture.filter(PIL.ImageFilter.GaussianBlur(0.03 * side))) == {"blurred"}
        assert "cut_off" in codes(cropped(picture, faces, 1.0))


def test_turned_pictures_have_low_quality_in_the_normal_search(kits, people):
    for picture, _ in people:
        turned = image_of(picture.transpose(PIL.Image.Transpose.ROTATE_180))
        assert columns_of(kits["normal"], turned, "quality").quality.max() < 0.5


@pytest.mark.parametrize("search", SEARCHES)
def test_nothing_is_found_where_there_is_no_face(kits, wild, search):
    found = kits[search].analyze([wild / name for name in NO_FACE])
    assert [len(one.faces) for one in found] == [0] * len(NO_FACE)


def test_masked_people_are_found_from_further_away_and_known_to_be_masked(kits, wild):
    sources = [wild / name for name in MASKED]
    assert [len(one.faces) for one in kits["normal"].analyze(sources)] == [1, 1, 0]
    for one in kits["close"].analyze(sources, ("mask",)):
        assert len(one.faces) == 1
        assert [reason.code for reason in reasons(one.faces[0])] == ["masked"]


def test_a_bare_face_that_leans_is_not_called_masked(kits, wild):
    assert columns_of(kits["thorough"], wild / "varied/left_wryneck.png", "mask").mask.max() < 0.5


def test_a_drawing_is_a_face_and_may_pass_for_live(kits, wild):
    faces = columns_of(kits["normal"], wild / "varied/kun_cartoon_crop.jpg", "live")
    assert len(faces) == 1
    assert faces.live[0] > 0.5
    lying = wild / "varied/kun_cartoon_crop_r90.jpg"
    assert [len(kits[search].detect(lying)) for search in ("normal", "thorough")] == [0, 1]


def test_screens_grey_and_tiny_faces_are_not_live(kits, wild, people):
    assert columns_of(kits["normal"], wild / "varied/rgb_fake.jpg", "live").live.max() < 0.1
    for picture, _ in people:
        colour = columns_of(kits["normal"], image_of(picture), "live").live[0]
        grey = columns_of(kits["normal"], image_of(picture.convert("L").convert("RGB")), "live").live[0]
        assert grey < 0.5 < colour
    tiny = [image_of(shrunk(picture, faces, 20)) for picture, faces in people]
    assert min(columns_of(kits["normal"], one, "live").live[0] for one in tiny) < 0.5


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("people/solvay1927.jpg", 29),
        ("expressions_and_odd/multi_face.jpg", 5),
        ("pairs_labelled/selfie-many-people.jpg", 6),  # of 7, one of whom is cut in half
    ],
)
def test_crowds_are_found(kits, wild, name, count):
    assert len(kits["normal"].detect(wild / name)) == count


def test_from_afar_nothing_is_seen_between_two_faces(kits, wild):
    """Between two faces one above the other lay a third, by a score of 0.75."""
    for search in ("normal", "close"):
        assert len(kits[search].detect(wild / "people/stock-group-1.jpg")) == 15


@pytest.mark.parametrize(
    ("name", "search", "faces"),
    [
        ("varied/Teresa_Williams_0001_1k.jpg", "normal", 1),  # a ball
        ("pairs_labelled/couple.jpg", "tiny", 2),  # letters
    ],
)
def test_what_is_no_face_has_low_quality(kits, wild, name, search, faces):
    """One box too many, and it has the least quality of all."""
    quality = np.sort(columns_of(kits[search], wild / name, "quality").quality)
    assert len(quality) == faces + 1
    assert quality[0] < min(0.3, quality[1])
