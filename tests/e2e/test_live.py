"""The camera: Chromium's fake one, which shows a film of real photographs."""

import re

import pytest

CAMERA = "document.querySelector('video')?.srcObject?.getVideoTracks()[0]?.readyState"
# What was asked since the page was opened: how many at once at most, and the sizes of what was sent.
COUNTING = """
(() => {
  const told = window.asked = {now: 0, most: 0, all: 0};
  const fetched = window.fetch;
  window.fetch = async (address, about) => {
    const counted = /analyze|identify/.test(address);
    if (counted) { told.now += 1; told.all += 1; told.most = Math.max(told.most, told.now); }
    try { return await fetched(address, about); } finally { if (counted) told.now -= 1; }
  };
})();
"""


@pytest.fixture(scope="module")
def staff(site, photos):
    for folder in sorted((photos / "known").iterdir()):
        if folder.is_dir():
            site.enrol("staff", folder.name, sorted(folder.glob("*.jpg"))[:1])
    return "staff"


def started(console):
    page = console.open("live")
    assert page.locator("video").count() == 0, "no camera before somebody asks for it"
    page.get_by_role("button", name="Start the camera").click()
    page.locator(".live-face").first.wait_for(timeout=30_000)
    return page


def test_the_camera_shows_faces_and_what_is_known_of_them(console):
    page = started(console)
    assert page.locator(".surface video").count() == 1
    assert page.locator("div.face-mark").count() >= 1
    assert re.search(r"per second.*ms.*pixels", page.locator(".live-state").inner_text(), re.DOTALL)
    console.shot("live-on")


def test_what_the_camera_shows_is_accessible(console, axe):
    page = started(console)
    page.get_by_role("button", name="Pause").click()
    assert console.inaccessible(axe) == []


def test_people_of_a_collection_are_named(console, staff):
    page = started(console)
    page.locator(".choice label", has=page.locator("input[value=who]")).click()
    page.get_by_label("Collection").select_option(staff)
    page.locator(".face-mark.good").wait_for()
    assert page.locator(".face-mark.good").get_attribute("aria-label") == "Barack Obama"
    page.locator(".live-face h2", has_text="Barack Obama").wait_for()
    console.shot("live-who")


def test_one_frame_is_asked_at_a_time(visit):
    console = visit("desk")
    console.page.add_init_script(COUNTING)
    page = started(console)
    page.wait_for_timeout(1500)
    asked = page.evaluate("window.asked")
    assert asked["all"] > 2
    assert asked["most"] == 1


def test_a_pause_asks_nothing_and_keeps_the_camera(visit):
    console = visit("desk")
    console.page.add_init_script(COUNTING)
    page = started(console)
    page.get_by_role("button", name="Pause").click()
    page.wait_for_timeout(300)  # what was under way
    before = page.evaluate("window.asked.all")
    page.wait_for_timeout(700)
    assert page.evaluate("window.asked.all") == before
    assert page.evaluate(CAMERA) == "live"
    page.get_by_role("button", name="Go on").click()
    page.get_by_text("Camera on").wait_for()
    page.wait_for_timeout(700)
    assert page.evaluate("window.asked.all") > before


def test_leaving_the_page_stops_the_camera(visit):
    page = started(visit("desk"))
    page.evaluate("window.track = document.querySelector('video').srcObject.getVideoTracks()[0]")
    page.locator('aside a[data-path="system"]').click()
    page.locator("h1", has_text="System").wait_for()
    assert page.evaluate("window.track.readyState") == "ended"


def test_a_hidden_page_stops_the_camera_and_a_seen_one_starts_it_again(visit):
    page = started(visit("desk"))
    page.evaluate("window.track = document.querySelector('video').srcObject.getVideoTracks()[0]")
    hide = """(hidden) => {
      Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
      document.dispatchEvent(new Event('visibilitychange'));
    }"""
    page.evaluate(hide, True)
    page.get_by_role("button", name="Start the camera").wait_for()
    assert page.evaluate("window.track.readyState") == "ended"
    page.evaluate(hide, False)
    page.locator("video").wait_for()


def refusing(page, status, code, headers=None):
    """Let the server refuse to look at pictures."""
    told = {"code": code, "message": "No.", "hint": "", "details": None}
    page.route(
        "**/v1/analyze",
        lambda route: route.fulfill(status=status, headers=headers, json={"error": told, "request_id": "x"}),
    )


def test_a_busy_server_is_left_alone_for_as_long_as_it_says(visit):
    console = visit("phone")
    console.allow("503")
    page = started(console)
    refusing(page, 503, "overloaded", {"retry-after": "3"})
    page.get_by_text("The server is busy: again in 3 seconds").wait_for()
    page.unroute("**/v1/analyze")
    page.get_by_text("Camera on").wait_for()


def test_a_camera_that_may_not_be_used_is_said_so(visit):
    console = visit("phone")
    console.page.add_init_script(
        "navigator.mediaDevices.getUserMedia = async () => { throw new DOMException('', 'NotAllowedError'); }"
    )
    page = console.open("live")
    page.get_by_role("button", name="Start the camera").click()
    page.get_by_text("The camera may not be used").wait_for()
    page.get_by_role("button", name="Try again").wait_for()


def test_what_does_not_pass_ends_it_with_the_error(visit):
    console = visit("phone")
    console.allow("status of 403")
    page = started(console)
    refusing(page, 403, "forbidden")
    page.get_by_role("alert").wait_for()
    assert "forbidden" in page.get_by_role("alert").inner_text()
    assert page.locator("video").count() == 0
