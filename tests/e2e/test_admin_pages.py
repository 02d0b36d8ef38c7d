"""Calibration, audit, and the documentation of the API."""

import re

import msgspec
import numpy as np
import pytest

from mien.answers.service import DecisionRow
from mien.gallery.calibration import Behind, Calibration, Interval
from mien.server.v1.calibration import CalibrationRow

DISTANCES = np.linspace(0.5, 1.3, 30)
CALIBRATION = Calibration(
    space="test:0",
    metric="cosine",
    made="2026-05-21",
    requested_fmr=1e-3,
    threshold=0.61,
    fmr=Interval(1e-3, 8e-4, 1.2e-3),
    fnmr=Interval(0.02, 0.015, 0.025),
    distances=DISTANCES.tolist(),
    rates=np.geomspace(2e-4, 1.0, 30).tolist(),
    evidence_distances=[0.1, 0.6, 1.2],
    evidence=[3.0, 0.5, -3.0],
    method="logistic",
    cllr=0.05,
    behind=Behind(people=700, photographs=3000, without_face=2, genuine=5000, impostor=4_000_000),
    detector="test",
)
RULE = DecisionRow("test:0", "cosine", 0.61, 1e-3, 0.75, "calibration")


@pytest.fixture
def calibrated(console):
    """The page Calibration, on a server that says what a calibration of ours would."""
    told = msgspec.to_builtins(CalibrationRow(RULE, CALIBRATION))
    console.page.route("**/v1/calibration", lambda route: route.fulfill(json=told))
    page = console.open("calibration")
    page.locator(".plot .curve").first.wait_for()
    return console


def shares(text):
    return [float(one) / 100 for one in re.findall(r"([\d.]+)%", text)]


def test_the_rule_is_told_in_words(calibrated):
    text = calibrated.page.locator("main").inner_text()
    assert "Of 1,000 pairs of strangers, about 1 is taken for one person." in text
    assert [one.inner_text() for one in calibrated.page.locator(".ruler .zone").all()] == [
        "One person",
        "Uncertain",
        "Two people",
    ]
    calibrated.shot("calibration-measured")


def test_thresholds_are_those_of_the_calibration(calibrated):
    rows = calibrated.page.get_by_role("group", name="Thresholds").locator("tbody tr")
    for row, rate in zip(rows.all(), (1e-1, 1e-2, 1e-3), strict=True):
        said_rate, distance, probability = (cell.inner_text() for cell in row.locator("th, td").all())
        expected = CALIBRATION.threshold_at(rate)
        assert shares(said_rate) == [pytest.approx(rate)]
        assert float(distance) == pytest.approx(expected, abs=5.1e-4)
        assert shares(probability) == [pytest.approx(float(CALIBRATION.probability(expected)), rel=0.1)]


def test_a_threshold_can_be_tried_by_the_keyboard(calibrated):
    page = calibrated.page
    slider = page.get_by_label("Try a threshold")
    slider.fill("0.9")
    said = page.locator(".try .says").inner_text()
    rate = np.exp(np.interp(0.9, DISTANCES, np.log(CALIBRATION.rates)))
    assert shares(said)[0] == pytest.approx(rate, rel=0.06)
    assert slider.get_attribute("aria-valuetext") == said
    slider.fill("0.2")
    assert "fewer than these photographs can tell" in page.locator(".try .says").inner_text()


def test_a_calibration_is_accessible(calibrated, axe):
    assert calibrated.inaccessible(axe) == []


def test_too_few_people_are_refused_with_the_reason(visit, site, photos):
    site.enrol("few", "Eileen Collins", [photos / "known" / "Eileen Collins" / "portrait.jpg"])
    console = visit("phone")
    console.allow("status of 4")
    page = console.open("calibration")
    page.get_by_role("heading", name="Not calibrated yet").wait_for()
    page.get_by_role("button", name="Calibrate").click()
    page.get_by_role("button", name="Measure").click()
    said = page.locator("dialog").get_by_role("alert")
    assert re.search(r"(bad_request|rate_unsupported)", said.inner_text())
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_deleting_a_calibration_is_asked_twice(calibrated):
    page = calibrated.page
    asked = []
    page.unroute("**/v1/calibration")
    page.on("request", lambda request: asked.append(request.method))
    page.get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Cancel").click()
    assert "DELETE" not in asked
    page.get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.get_by_role("heading", name="Not calibrated yet").wait_for()
    assert "DELETE" in asked


def test_what_was_done_is_told_in_sentences(console, site, photos):
    collection = f"audited-{console.size}"
    site.enrol(collection, "Grace Hopper", [photos / "known" / "Grace Hopper" / "portrait.jpg"])
    page = console.open("audit")
    assert "Enrolled 1 face of 1 person" in page.locator("tbody tr").first.inner_text()
    assert "This computer" in page.locator("tbody tr").first.inner_text()
    page.get_by_role("button", name="Details").first.click()
    assert '"action": "enrolled"' in page.locator("pre:visible").inner_text()
    console.shot("audit-entries")


def test_entries_are_chosen_by_what_was_done(visit, site, photos):
    site.enrol("audited", "Grace Hopper", [photos / "known" / "Grace Hopper" / "portrait.jpg"])
    console = visit("desk")
    page = console.open("audit")
    page.get_by_label("What").select_option("made collection")
    rows = page.locator("tbody tr:visible")
    assert set(rows.locator("td[data-label=What]").all_inner_texts()) != set()
    assert all(
        text.startswith("Made a collection") for text in rows.locator("td[data-label=What]").all_inner_texts()
    )
    page.reload()
    page.locator("tbody").wait_for()
    assert page.get_by_label("What").input_value() == "made collection"


def test_older_entries_come_when_they_are_asked_for(visit, site):
    for i in range(105):
        site.client.post("/v1/collections", json={"name": f"one-{i}"}).raise_for_status()
    page = visit("desk").open("audit")
    assert page.locator("tbody tr:visible").count() == 100
    page.get_by_role("button", name="Show older ones").click()
    page.locator("tbody tr:visible").nth(104).wait_for()
    numbers = [int(one.replace("No. ", "")) for one in page.locator("tbody th small").all_inner_texts()]
    assert numbers == sorted(set(numbers), reverse=True)


def test_the_log_is_verified(console, axe):
    page = console.open("audit")
    page.get_by_role("button", name="Verify the log").click()
    page.locator(".notice.good").wait_for()
    assert re.search(r"\d+:[0-9a-f]{64}", page.locator(".notice.good").inner_text())
    assert console.inaccessible(axe) == []


def opened_docs(console):
    page = console.page
    page.goto(f"{console.url}/docs")
    page.locator("details.entry").first.wait_for()
    return page


def test_the_documentation_has_every_route_and_shape(console, site):
    document = site.client.get("/openapi.json").json()
    page = opened_docs(console)
    routes = {(method.upper(), path) for path, methods in document["paths"].items() for method in methods}
    shown = page.locator("details.entry:has(.method) > summary").all()
    found = {(one.locator(".method").inner_text(), one.locator(".address").inner_text()) for one in shown}
    assert found == routes
    assert page.locator("#schemas details.entry").count() == len(document["components"]["schemas"])
    console.shot("docs")


def test_a_route_is_told_by_its_address(console, axe):
    page = opened_docs(console)
    page.goto(f"{console.url}/docs#post-v1-verify")
    page.reload()
    card = page.locator("#post-v1-verify")
    card.locator(".example").wait_for()
    text = card.inner_text()
    assert "-F photo_a=@photo_a.jpg" in text
    assert "verify" in text
    assert console.inaccessible(axe) == []
    console.shot("docs-route")
    card.get_by_role("link", name="VerifyRow").click()
    page.locator("#schema-VerifyRow[open]").wait_for()
    assert "similarity" in page.locator("#schema-VerifyRow").inner_text()


def test_the_documentation_is_searched(visit):
    page = opened_docs(visit("desk"))
    page.get_by_label("Find a request or a shape").fill("post identify")
    page.locator("#get-v1-me").wait_for(state="hidden")
    shown = page.locator("details.entry:visible .address").all_inner_texts()
    assert "/v1/collections/{collection}/identify" in shown
    assert "/v1/search" not in shown
    page.get_by_label("Find a request or a shape").fill("nothing of the kind")
    page.get_by_text("Nothing here has all of these words.").wait_for()


def test_everything_of_the_documentation_can_be_opened(visit, axe):
    console = visit("phone")
    page = opened_docs(console)
    for card in page.locator("details.entry").element_handles():
        card.evaluate("card => { card.open = true; }")
    page.locator("#schemas details.entry .table").first.wait_for()
    assert page.locator("details.entry[open]").count() == page.locator("details.entry").count()
    console.shot("docs-open")
