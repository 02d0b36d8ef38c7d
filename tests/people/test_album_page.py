import base64
import re
from io import BytesIO

import numpy as np
import PIL.Image
import pytest

from htmlpages import Reader
from mien.core.image import Image
from mien.gallery.gallery import memory_gallery
from mien.gallery.rule import DecisionRule
from mien.gallery.store import audit
from mien.gallery.store.adding import Newcomer
from mien.gallery.store.records import NewFace, Provenance, about
from mien.media.thumbnails import jpeg
from mien.people import album_page as room
from mien.people.album_page import album_page

RULE = DecisionRule("s", "euclidean", 1.0, 0.001)


def crop(shade, side=320):
    return jpeg(Image.from_rgb(np.full((side, side, 3), shade, np.uint8)), side)


def face(*vector, source="a.jpg", picture=None):
    provenance = Provenance(source=source)
    return NewFace(np.array(vector, np.float32), provenance, picture)


def album_of(*people, name="album"):
    """An album of (name or None, faces)."""
    album = memory_gallery(RULE, name)
    newcomers = [Newcomer(about(name), faces, by_hand=False) for name, faces in people]
    album.enroll_many(newcomers, "s")
    return album


def read(album, **options):
    page = album_page(album, **options)
    reader = Reader(page)
    assert reader.wrong == []
    assert reader.open == []
    assert all(address.startswith("data:image/jpeg;base64,") for address in reader.fetched)
    return reader


def shades(reader):
    """What the pictures of a page show, in its order."""
    found = []
    for address in reader.fetched:
        with PIL.Image.open(BytesIO(base64.b64decode(address.partition(",")[2]))) as opened:
            assert max(opened.size) <= 176
            found.append(round(np.asarray(opened.convert("L")).mean() / 10) * 10)
    return found


def test_groups_come_with_their_faces_and_the_command_that_names_them():
    album = album_of(
        (None, [face(5, 5, picture=crop(30))]),
        (None, [face(0, 0.1 * i, picture=crop(100 + 10 * i)) for i in (0, 3, 1)]),
        ("Ada", [face(9, 9, picture=crop(200)), face(9, 9.1, picture=crop(210))]),
    )
    people = {person.faces: person for person in album.people()}
    page = read(album)
    assert "faces 6 groups 2 named 1 not sure 0 alone 1" in page.words
    assert f"mien cluster name {people[3].id} NAME --album album" in page.words
    assert f"mien cluster name {people[2].id}" not in page.words, "Ada has a name"
    assert page.words.index(people[3].id) < page.words.index("Ada") < page.words.index("1 face like nobody")
    assert shades(page) == [110, 100, 130, 200, 210, 30], "the centre first, the lonely last"
    for person in album.people():
        for one in album.faces(person.id):
            assert one.id in page.words


def test_what_is_not_sure_is_marked_and_stands_last():
    near = [face(0, 0.01 * i, picture=crop(50)) for i in range(5)]
    album = album_of((None, [face(1.5, 0, picture=crop(250)), *near]))
    page = read(album)
    assert shades(page) == [50] * 5 + [250]
    assert page.words.count("not sure") == 3, "the count, the explanation, and one face"
    assert "not sure 1" in page.words


def test_named_people_have_a_card_however_few_their_faces():
    page = read(album_of(("Ada", [face(0, 0)]), (None, [face(9, 9)])), least=5)
    assert page.words.index("Ada") < page.words.index("1 face in groups of fewer than 5")


@pytest.mark.parametrize("least", [1, 2, 3, 4])
def test_small_groups_are_folded_together(least):
    album = album_of(*((None, [face(9 * k, 0.1 * i) for i in range(k)]) for k in (1, 2, 3)))
    page = read(album, least=least)
    assert page.tags.count("article") == sum(k >= least for k in (1, 2, 3))
    folded = sum(k for k in (1, 2, 3) if k < least)
    assert "alone 1" in page.words
    assert ("details" in page.tags) == (folded > 0)
    assert page.words.count("mien cluster name") == 1 + page.tags.count("article")


def test_an_empty_album():
    page = read(memory_gallery(RULE, "nobody here"))
    assert "faces 0 groups 0" in page.words
    assert "Nobody has several faces" in page.words
    assert "details" not in page.tags


def test_without_crops_the_photographs_are_named():
    page = read(album_of((None, [face(0, 0, source="/far/away/beach day.jpg"), face(0, 1e-3)])))
    assert page.fetched == []
    assert "beach day.jpg" in page.words
    assert "/far/away" not in page.words


def test_words_of_users_are_text():
    evil = '<script>alert("1")</script>\u202e\x1b[31m'
    album = album_of(
        (evil, [face(0, 0, source=f"{evil}.jpg"), face(0, 1e-3, source=f"{evil}2.jpg", picture=crop(9))]),
        (None, [face(9, 9), face(9, 9.1)]),
        name=f"al'bum {evil}",
    )
    text = album_page(album)
    page = Reader(text)
    assert page.wrong == []
    assert "script" not in page.tags
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "<script>" in page.words


def test_the_album_of_a_command_is_quoted_for_a_shell():
    page = read(album_of((None, [face(0, 0), face(0, 0.1)]), name="Trip; rm -rf 2024"))
    commands = re.findall(r"--album (\S+ \S+ \S+ \S+)", page.words)
    assert set(commands) == {"'Trip; rm -rf 2024'"}
    assert len(commands) == 4


def test_large_groups_and_albums_are_cut(monkeypatch):
    monkeypatch.setattr(room, "_MOST_FACES", 10)
    monkeypatch.setattr(room, "_ODD_FACES", 3)
    monkeypatch.setattr(room, "_MOST_GROUPS", 2)
    monkeypatch.setattr(room, "_MOST_FOLDED", 4)
    line = [face(0, 0.01 * i, picture=crop(2 * i)) for i in range(14)]
    others = [(None, [face(20 * k, 0), face(20 * k, 0.1)]) for k in (1, 2, 3)]
    singles = [(None, [face(-20 * k, 0)]) for k in range(1, 8)]
    page = read(album_of((None, line), *others, *singles))
    assert page.tags.count("article") == 2
    assert "2 smaller groups are not on this page" in page.words
    assert len(page.fetched) == 10
    assert "4 more" in page.words
    assert "7 faces like nobody else's" in page.words
    assert "3 more are in the album" in page.words
    # The odd ones are shown whatever is left out: both ends of the line.
    kept = shades(page)
    assert {0, 30} <= set(kept[-3:]) | {round(2 * 13 / 10) * 10}
    assert kept[-1] in (0, 30)


def test_the_audit_log_says_that_pictures_were_seen():
    album = album_of((None, [face(0, 0), face(0, 0.1)]), ("Ada", [face(9, 9)]))
    album_page(album)
    with album.store.reading() as snapshot:
        saw = [one for one in audit.entries(snapshot.connection) if one.action == "saw"]
    assert [one.detail for one in saw] == [{"people": 2, "faces": 3, "picture": True}]
    assert saw[0].collection_id == album.collection.id


def test_pages_need_nothing_and_know_both_schemes():
    text = album_page(album_of((None, [face(0, 0), face(0, 0.1)])))
    assert "http" not in text
    assert "<script" not in text
    assert "prefers-color-scheme: dark" in text
    assert "max-width: 34rem" in text
