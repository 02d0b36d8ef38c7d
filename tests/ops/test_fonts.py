from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import ImageFont

from mien.ops import fonts
from mien.ops.fonts import lettering


@pytest.fixture
def no_system_fonts(monkeypatch):
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", ("/nowhere/font.ttf",))


def test_plain_names_are_drawn_by_the_font_that_pillow_brings():
    text, font = lettering("Grace Hopper 0.98", 20)
    assert text == "Grace Hopper 0.98"
    assert font.getname() == ImageFont.load_default(20).getname()
    assert font.size == 20


@pytest.mark.parametrize(
    ("name", "drawn"),
    [("José", "Jose"), ("Ñandú Č", "Nandu C"), ("王明 A", "?? A"), ("a\nb", "a b"), ("\ud800x", " x")],
)
def test_without_another_font_what_can_be_drawn_is_drawn(no_system_fonts, name, drawn):
    assert lettering(name, 20)[0] == drawn


def test_an_installed_font_takes_over_where_it_knows_more():
    installed = [p for p in fonts.SYSTEM_FONTS if Path(p).is_file()]
    if not installed:
        pytest.skip("needs one of the usual system fonts, which this machine does not have")
    text, font = lettering("José", 20)
    assert text == "José"
    assert font.path in installed


def test_a_file_that_is_no_font_is_passed_over(tmp_path, monkeypatch):
    broken = tmp_path / "font.ttf"
    broken.write_bytes(b"not a font")
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", (str(broken),))
    assert lettering("é", 20)[0] == "e"


def test_a_font_is_chosen_by_what_it_lacks(tmp_path, monkeypatch):
    lacks = {"first": set("王é"), "second": set("王"), "third": {"é"}}

    def missing(font, line):
        return lacks.get(getattr(font, "named", ""), set("王é")) & set(line)

    def truetype(path, size):
        return SimpleNamespace(named=Path(path).name)

    paths = [tmp_path / name for name in lacks]
    for path in paths:
        path.touch()
    monkeypatch.setattr(fonts, "SYSTEM_FONTS", tuple(map(str, paths)))
    monkeypatch.setattr(fonts, "_missing", missing)
    monkeypatch.setattr(
        fonts, "ImageFont", SimpleNamespace(load_default=ImageFont.load_default, truetype=truetype)
    )
    assert (lettering("王", 20)[0], lettering("王", 20)[1].named) == ("王", "third")
    assert (lettering("é", 20)[0], lettering("é", 20)[1].named) == ("é", "second")
    assert (lettering("王é", 20)[0], lettering("王é", 20)[1].named) == ("?é", "second")
