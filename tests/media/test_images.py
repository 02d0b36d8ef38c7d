import io
import random
import sys
import threading
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from hostile import RGB, build_hostile, encoded, turned
from mien.core.analysis import Failure
from mien.core.image import Image
from mien.errors import BadRequest, ExtraMissing, ImageTooLarge, MienError, UnreadableImage
from mien.media import images
from mien.media.images import find_images, open_image, read_images, save_image
from mien.settings import Settings
from rawfiles import orientation, png_of


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    folder = tmp_path_factory.mktemp("hostile")
    return folder, build_hostile(folder)


def check(opened, name, expectation):
    if expectation.code is not None:
        assert isinstance(opened, MienError), f"{name} opened"
        assert opened.code in expectation.code.split("|"), name
        assert expectation.words in opened.message, name
        assert name in opened.message
        assert opened.hint
        return
    assert isinstance(opened, Image), f"{name}: {opened!r}"
    if expectation.rgb is not None:
        assert opened.rgb.shape == expectation.rgb.shape, name
        off = np.abs(opened.rgb.astype(int) - expectation.rgb.astype(int)).max()
        assert off <= expectation.tolerance, f"{name} is off by {off}"


def test_every_hostile_file_gives_its_error_or_its_picture(hostile):
    folder, expected = hostile
    assert len(expected) > 200
    for name, expectation in expected.items():
        try:
            opened = open_image(folder / name)
        except MienError as error:
            opened = error
        check(opened, name, expectation)


def test_hostile_bytes_behave_like_hostile_files(hostile):
    folder, expected = hostile
    for name, expectation in expected.items():
        path = folder / name
        if not path.is_file():
            continue
        try:
            opened = open_image(path.read_bytes())
        except MienError as error:
            opened = error
        code = opened.code if isinstance(opened, MienError) else None
        assert code == expectation.code or code in (expectation.code or "").split("|"), name


def test_a_folder_of_hostile_files_is_read_to_its_end(hostile):
    folder, expected = hostile
    results = list(read_images(find_images([folder])))
    failures = [Path(r.source).name for r in results if isinstance(r, Failure)]
    # A folder named like a picture is walked, and it is empty.
    assert len(results) == len(expected) - 1
    assert {n for n, e in expected.items() if e.code} - {"folder.jpg"} == set(failures)


def test_bytes_changed_at_random_never_raise_anything_else(hostile):
    folder, expected = hostile
    chance = random.Random(11)
    whole = sorted(
        n for n, e in expected.items() if e.rgb is not None and (folder / n).stat().st_size < 60_000
    )
    outcomes = set()
    for _ in range(1500):
        data = bytearray((folder / chance.choice(whole)).read_bytes())
        for _ in range(chance.choice([1, 4, 16])):
            data[chance.randrange(min(len(data), chance.choice([64, 512, 10**6])))] = chance.randrange(256)
        try:
            open_image(bytes(data), max_pixels=1_000_000)
        except MienError as error:
            outcomes.add(error.code)
        else:
            outcomes.add("opened")
    assert outcomes == {"opened", "unreadable_image", "image_too_large"}


def test_defaults_are_those_of_the_settings():
    assert (Settings().max_pixels, Settings().max_bytes) == (images.MAX_PIXELS, images.MAX_BYTES)


def test_all_kinds_of_sources_give_the_same_picture(tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(png_of(RGB))
    with path.open("rb") as file:
        for source in (
            path,
            str(path),
            path.read_bytes(),
            bytearray(path.read_bytes()),
            io.BytesIO(path.read_bytes()),
            file,
        ):
            image = open_image(source)
            np.testing.assert_array_equal(image.rgb, RGB)
            assert image.source in (str(path), "<bytes>", "<stream>")
        assert not file.closed


def test_the_limit_of_pixels_is_exact():
    data = png_of(RGB)
    pixels = RGB.shape[0] * RGB.shape[1]
    assert open_image(data, max_pixels=pixels).size_wh == (64, 48)
    with pytest.raises(ImageTooLarge, match="64 x 48"):
        open_image(data, max_pixels=pixels - 1)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP", "AVIF"])
def test_too_many_pixels_are_refused_before_decoding(kind, monkeypatch):
    def load(self):
        raise AssertionError("decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", load)
    with pytest.raises(ImageTooLarge):
        open_image(encoded(RGB, kind), max_pixels=100)


def test_more_pixels_than_pillow_likes_open_without_a_warning():
    tall = encoded(np.zeros((10_000, 9_000), np.uint8), "PNG")  # Pillow warns from 89 million
    assert open_image(tall).size_wh == (9_000, 10_000)


def test_the_limit_of_bytes_holds_before_anything_is_read(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(png_of(RGB))
    size = path.stat().st_size
    assert open_image(path, max_bytes=size).size_wh == (64, 48)
    monkeypatch.setattr(Path, "open", lambda *_: pytest.fail("opened"))
    for source in (path, png_of(RGB), io.BytesIO(png_of(RGB))):
        with pytest.raises(ImageTooLarge, match=r"bytes|stream"):
            open_image(source, max_bytes=size - 1)


def test_heic_is_upright_and_close(tmp_path):
    heif = pytest.importorskip("pillow_heif", reason="the extra 'heic' is not installed")
    stream = io.BytesIO()
    smooth = np.ascontiguousarray(np.repeat(np.repeat(RGB[::8, ::8], 16, axis=0), 16, axis=1))
    heif.from_pillow(PIL.Image.fromarray(smooth)).save(stream, quality=95, exif=orientation(6))
    rgb = open_image(stream.getvalue()).rgb
    expected = turned(smooth, 6)
    assert rgb.shape == expected.shape
    assert np.abs(rgb.astype(int) - expected).mean() < 4
    with pytest.raises(UnreadableImage, match="truncated"):
        open_image(stream.getvalue()[:-100])


def test_heic_without_its_extra_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ExtraMissing) as caught:
        open_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
    assert caught.value.hint.startswith("pip install 'mien[heic]'")


@pytest.mark.parametrize("error", images.DECODE_ERRORS)
def test_every_failure_of_the_decoder_becomes_a_typed_error(error, monkeypatch):
    def fail(self):
        raise error("inside")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", fail)
    with pytest.raises((UnreadableImage, ImageTooLarge)) as caught:
        open_image(png_of(RGB))
    assert caught.value.__cause__.args == ("inside",)


def test_threads_decode_side_by_side(hostile):
    folder, expected = hostile
    names = [n for n in expected if "exif" in n or "orientation" in n]
    seen = []

    def work():
        seen.extend(type(r) for r in read_images(folder / n for n in names))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [Image] * (4 * len(names))


def test_find_images_walks_sorted_and_skips_what_is_hidden_or_unknown(tmp_path):
    for name in ("b.JPG", "a.png", ".hidden.png", "notes.txt", "sub/c.webp", "sub/.git/d.png", "aa/e.heic"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = [p.relative_to(tmp_path).as_posix() for p in find_images([tmp_path])]
    assert found == ["a.png", "aa/e.heic", "b.JPG", "sub/c.webp"]


def test_find_images_passes_named_files_and_missing_ones(tmp_path):
    notes = tmp_path / "notes.txt"
    notes.touch()
    hidden = tmp_path / ".hidden.png"
    hidden.touch()
    given = [notes, hidden, tmp_path / "missing.png", "nul\0.png", "x" * 5000]
    assert list(find_images(given)) == [Path(p) for p in given]


def test_find_images_survives_loops_of_links(tmp_path):
    inner = tmp_path / "inner"
    inner.mkdir()
    (inner / "a.png").touch()
    (inner / "up").symlink_to(tmp_path)
    (tmp_path / "again").symlink_to(inner)
    assert sorted(p.name for p in find_images([tmp_path])) == ["a.png"]


def test_find_images_yields_a_folder_that_cannot_be_listed(tmp_path, monkeypatch):
    locked = tmp_path / "locked"
    locked.mkdir()
    (tmp_path / "z.png").touch()
    iterdir = Path.iterdir

    def refuse(self):
        if self == locked:
            raise PermissionError(13, "Permission denied")
        return iterdir(self)

    monkeypatch.setattr(Path, "iterdir", refuse)
    assert list(find_images([tmp_path])) == [locked, tmp_path / "z.png"]


def test_read_images_is_lazy_and_passes_pictures_through(tmp_path):
    asked = []

    def sources():
        for source in (Image.from_rgb(RGB, "mine"), b"junk", 7, png_of(RGB)):
            asked.append(source)
            yield source

    results = read_images(sources())
    assert next(results).source == "mine"
    assert len(asked) == 1
    junk, number, good = results
    assert (junk.source, junk.error.code) == ("<bytes>", "unreadable_image")
    assert (number.source, number.error.code) == ("<int>", "bad_request")
    np.testing.assert_array_equal(good.rgb, RGB)


@pytest.mark.parametrize(
    ("suffix", "kind"), [(".png", "PNG"), (".jpg", "JPEG"), (".JPEG", "JPEG"), (".webp", "WEBP")]
)
def test_save_image_writes_what_the_suffix_says(tmp_path, suffix, kind):
    path = tmp_path / f"out{suffix}"
    save_image(Image.from_rgb(RGB), path)
    save_image(Image.from_rgb(RGB), path)  # over an existing file
    with PIL.Image.open(path) as picture:
        assert picture.format == kind
    assert np.abs(open_image(path).rgb.astype(int) - RGB).mean() < (1 if kind == "PNG" else 12)
    assert list(tmp_path.iterdir()) == [path]


def test_save_image_refuses_what_it_cannot_write(tmp_path, monkeypatch):
    image = Image.from_rgb(RGB)
    for name in ("out.gif", "out", "missing/out.png"):
        with pytest.raises(BadRequest):
            save_image(image, tmp_path / name)
    with pytest.raises(BadRequest, match="cannot be written"):  # WebP ends at 16383
        save_image(Image.from_rgb(np.zeros((1, 20_000, 3), np.uint8)), tmp_path / "wide.webp")

    def fail(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadRequest, match="No space"):
        save_image(image, tmp_path / "out.png")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
def test_large_jpegs_are_decoded_smaller_when_that_is_enough(turn):
    picture = PIL.Image.fromarray(
        np.arange(256, dtype=np.uint8).repeat(8)[None, :, None].repeat(600, 0).repeat(3, 2)
    )
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=95, exif=orientation(turn))
    whole = open_image(file.getvalue())
    small = open_image(file.getvalue(), enough_side=500)
    assert whole.full_wh is None
    assert small.full_wh == small.original_wh == whole.size_wh
    assert max(small.size_wh) == 512, "the smallest of 2048, 1024, 512, 256 that is enough"
    expected = np.asarray(
        PIL.Image.fromarray(whole.rgb).resize(small.size_wh, PIL.Image.Resampling.BOX), float
    )
    assert np.abs(small.rgb - expected).mean() < 3


def test_what_cannot_be_decoded_smaller_is_decoded_in_full(tmp_path):
    file = io.BytesIO()
    PIL.Image.new("RGB", (900, 300), "red").save(file, "PNG")
    assert open_image(file.getvalue(), enough_side=100).size_wh == (900, 300)
    assert open_image(file.getvalue(), enough_side=100).full_wh is None
