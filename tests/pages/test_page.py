import re
from importlib.resources import files

from mien.pages.markup import Html, tag
from mien.pages.page import document, facts, light_colours, mark, section

CSS = files("mien.pages").joinpath("page.css").read_text("utf-8")


def luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return sum(w * p for w, p in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(a, b):
    dark, light = sorted((luminance(a), luminance(b)))
    return (light + 0.05) / (dark + 0.05)


def schemes():
    light, _, rest = CSS.partition("@media (prefers-color-scheme: dark)")
    dark = rest[: rest.index("}\n")]
    return [dict(re.findall(r"--(\w+): (#\w{6})", part)) for part in (light, dark)]


def test_the_title_is_escaped_and_the_rest_is_markup():
    page = document("<i>", tag("main", tag("p", "x")), css=("figure { color: red; }",))
    assert page.startswith("<!doctype html>\n<html")
    assert "<title>&lt;i&gt;</title>" in page
    assert "<body><main><p>x</p></main></body>" in page
    assert page.count("<style>") == 1
    assert page.index("--paper") < page.index("figure { color: red; }") < page.index("</style>")


def test_no_page_asks_the_network():
    page = document("x", tag("main"))
    assert not re.search(r"url\(|@import|https?:|<script|<link", page)


def test_parts():
    assert ">Mien verification</p>" in mark("verification")
    assert ">Mien</p>" in mark()
    assert section("<", "", Html("<hr>")) == "<section><h2>&lt;</h2><hr></section>"
    assert '<p class="soft">&amp;</p>' in section("a", "&", Html())
    assert facts({"<": "1"}) == '<dl class="facts"><div><dt>&lt;</dt><dd>1</dd></div></dl>'


def test_both_schemes_name_the_same_colours():
    light, dark = schemes()
    assert set(light) == set(dark)
    assert light == light_colours()


def test_colours_can_be_seen_on_the_card_in_both_schemes():
    for scheme in schemes():
        for i in range(1, 9):
            assert contrast(scheme[f"c{i}"], scheme["card"]) >= 3  # WCAG 2.2, 1.4.11
        for name in ("ink", "soft"):
            assert contrast(scheme[name], scheme["card"]) >= 4.5
            assert contrast(scheme[name], scheme["paper"]) >= 4.5
