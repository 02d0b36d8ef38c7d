"""Every page, the frame around them, and the pages about single photographs."""

import json
import re
from pathlib import Path

import PIL.Image
import pytest
from PIL import ImageOps

import mien.server

ROUTES = (Path(mien.server.__file__).parent / "console" / "js" / "routes.js").read_text()
# Red, green and blue of the background.
PAPER = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
PAGES = re.findall(r'\bpage\("(\w+)"', ROUTES)


@pytest.fixture(scope="module")
def portrait(photos):
    return photos / "known" / "Eileen Collins" / "portrait.jpg"


def beside(*photographs, to):
    """Several photographs as one."""
    scaled = [ImageOps.contain(PIL.Image.open(one).convert("RGB"), (600, 600)) for one in photographs]
    made = PIL.Image.new("RGB", (sum(one.width for one in scaled), 600))
    left = 0
    for one in scaled:
        made.paste(one, (left, 0))
        left += one.width
    made.save(to)
    return to


def test_there_are_pages():
    assert len(PAGES) == 13


@pytest.mark.parametrize("path", PAGES)
def test_a_page_opens_on_an_empty_store(console, path):
    page = console.open(path)
    assert page.locator("h1").count() == 1
    assert page.title() == f"{page.locator('h1').inner_text()} · Mien"
    assert page.locator(".notice.bad").count() == 0
    console.shot(path)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible(console, path, axe):
    console.open(path)
    assert console.inaccessible(axe) == []


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_accessible_in_the_dark_and_in_chinese(visit, path, axe):
    console = visit("tablet", language="zh", dark=True)
    page = console.open(path)
    assert re.search(r"[\u4e00-\u9fff]", page.locator("h1").inner_text())
    assert console.inaccessible(axe) == []
    console.shot(f"{path}-dark-zh")


def test_every_page_is_reached_by_its_link(visit):
    page = visit("desk").open()
    for path in PAGES:
        page.locator(f'aside a[data-path="{path}"]').click()
        page.wait_for_url(re.compile(f"#/{path}"))
        page.locator("h1").wait_for()
        assert page.locator('aside [aria-current="page"]').get_attribute("data-path") == path


def test_on_a_phone_the_menu_leads_to_every_page(visit):
    page = visit("phone").open()
    for path in ("audit", "live"):
        page.get_by_role("button", name="Menu").click()
        page.locator(f'dialog a[data-path="{path}"]').click()
        page.wait_for_url(re.compile(f"#/{path}"))
        assert page.locator("dialog[open]").count() == 0


def test_going_to_a_page_moves_the_focus_to_its_heading(visit):
    page = visit("desk").open()
    page.locator('aside a[data-path="system"]').press("Enter")
    page.locator("h1", has_text="System").wait_for()
    assert page.evaluate("document.activeElement.tagName") == "H1"


def test_the_keyboard_can_skip_to_the_page(visit):
    page = visit("desk").open()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "page"


def test_an_address_that_is_none_leads_home(visit):
    page = visit().open("nowhere/at/all?x=%E0%A4%A")
    assert page.url.endswith("#/analyze")


def test_the_language_switches_in_place_and_is_remembered(visit):
    console = visit("desk")
    page = console.open("system")
    page.locator("aside").get_by_role("button", name="中文").click()
    assert page.locator("h1").inner_text() == "系统"
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    page.reload()
    page.locator("h1", has_text="系统").wait_for()


def test_the_colours_switch_and_are_remembered(visit):
    page = visit("desk").open("system")
    light = page.evaluate(PAPER)
    page.locator("aside .choice label", has=page.locator("input[value=dark]")).click()
    page.reload()
    page.locator("h1").wait_for()
    assert sum(page.evaluate(PAPER)) < 100 < sum(light)


def test_a_server_that_does_not_answer_is_said_so(visit):
    console = visit("phone")
    page = console.open("system")
    console.allow("ERR_FAILED")
    page.route("**/v1/**", lambda route: route.abort())
    page.reload()
    notice = page.get_by_role("alert")
    notice.wait_for()
    assert "The server does not answer" in notice.inner_text()
    assert "server_unreachable" in notice.inner_text()
    page.unroute("**/v1/**")
    notice.get_by_role("button", name="Try again").click()
    page.locator("h1", has_text="System").wait_for()


def test_an_error_says_code_and_hint(visit):
    console = visit("phone")
    page = console.open("audit")
    console.allow("status of 409")
    told = {"error": {"code": "audit_broken", "message": "Entry 3.", "hint": "", "details": None}}
    page.route(
        "**/v1/audit/verify", lambda route: route.fulfill(status=409, json={**told, "request_id": "abc"})
    )
    page.get_by_role("button", name="Verify the log").click()
    said = page.get_by_role("alert").inner_text()
    assert "Entry 3." in said
    assert "audit_broken · abc" in said


def test_a_photograph_is_analyzed(console, portrait):
    page = console.open("analyze")
    console.choose_photos([portrait])
    page.locator(".face-card").wait_for()
    assert page.locator(".face-card").count() == 1
    assert page.locator("button.face-mark").count() == 1
    page.get_by_role("tab", name="JSON").click()
    answer = json.loads(page.locator("pre").inner_text())
    assert len(answer["faces"]) == 1
    console.shot("analyze-face")


def test_faces_are_chosen_by_the_keyboard(visit, photos, portrait, tmp_path):
    both = beside(portrait, photos / "known" / "Grace Hopper" / "portrait.jpg", to=tmp_path / "both.jpg")
    console = visit("desk")
    page = console.open("analyze")
    console.choose_photos([both])
    page.locator(".face-card").first.wait_for()
    marks = page.locator("button.face-mark")
    assert marks.count() == 2
    marks.nth(1).press("Enter")
    assert marks.nth(1).get_attribute("aria-pressed") == "true"
    assert "chosen" in page.locator(".face-card").nth(1).get_attribute("class")


def test_what_is_no_photograph_is_refused_in_words(visit, tmp_path):
    console = visit("phone")
    console.allow("status of 422")
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photograph")
    page = console.open("analyze")
    console.choose_photos([broken])
    assert "unreadable_image" in page.get_by_role("alert").inner_text()


def test_faces_are_hidden_and_seen_before_they_are_kept(visit, portrait):
    console = visit("phone")
    page = console.open("analyze")
    console.choose_photos([portrait])
    page.get_by_role("button", name="Anonymise").click()
    page.get_by_alt_text("The photograph with hidden faces").wait_for()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download").click()
    assert kept.value.suggested_filename == "portrait-anonymous.png"


def test_two_photographs_are_compared(console, photos, portrait):
    obama = photos / "known" / "Barack Obama"
    page = console.open("compare")
    console.choose_photos([obama / "blue-room-2010.jpg"])
    page.locator(".pair .photo").wait_for()
    console.choose_photos([obama / "congress-2009.jpg"], at=1)
    page.locator(".verdict").wait_for()
    assert page.locator(".verdict").inner_text() == "Same person"
    page.get_by_role("button", name="Remove congress-2009.jpg").click()
    console.choose_photos([portrait], at=1)
    page.locator(".verdict.other").wait_for()
    assert page.locator(".verdict").inner_text() == "Different people"
    console.shot("compare-different")
