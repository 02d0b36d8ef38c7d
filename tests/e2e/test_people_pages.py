"""People, Identify, Search, Missing persons, Clusters: what people do there, with real photographs."""

import itertools
import re

import pytest
from PIL import Image

from e2e.browser import open_console
from e2e.site import running_site

ADA = "Eileen Collins"
numbers = itertools.count(1)


@pytest.fixture(scope="module")
def known(photos):
    return {folder.name: sorted(folder.glob("*.jpg")) for folder in sorted((photos / "known").iterdir())}


@pytest.fixture(scope="module")
def two_faces(known, tmp_path_factory):
    """Two portraits as one photograph: Collins at the left, Hopper at the right."""
    halves = [Image.open(known[name][0]).convert("RGB").resize((500, 600)) for name in (ADA, "Grace Hopper")]
    made = Image.new("RGB", (1000, 600))
    for i, half in enumerate(halves):
        made.paste(half, (500 * i, 0))
    path = tmp_path_factory.mktemp("photographs") / "two.jpg"
    made.save(path, quality=92)
    return path


@pytest.fixture
def empty(site):
    """A collection of its own for a test."""
    name = f"staff {next(numbers)}"
    site.client.post("/v1/collections", json={"name": name}).raise_for_status()
    return name


@pytest.fixture
def staff(site, empty, known):
    """A collection with three people."""
    for name, files in known.items():
        site.enrol(empty, name, files, tags=name.split(), keep_picture="true")
    return empty


@pytest.fixture
def ask(site):
    """What the server knows, without a browser."""
    return lambda path: site.client.get(f"/v1/collections/{path}").raise_for_status().json()


def people_of(ask, collection):
    return {one["name"]: one for one in ask(f"{collection}/people")["items"]}


def open_person(console, collection, name):
    page = console.open(f"people?collection={collection}")
    page.get_by_role("link", name=name).click()
    page.get_by_role("heading", name=name).wait_for()
    console.settle()
    return page


def pictures_shown(page, within):
    page.locator(f"{within} .picture img").first.wait_for()
    return page.locator(f"{within} .picture img").count()


# People


def test_a_collection_is_made_and_somebody_enrolled(console, known, photos, ask):
    name = f"visitors {next(numbers)}"
    page = console.open("people")
    page.get_by_role("button", name="New collection").first.click()
    page.get_by_role("dialog").get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make collection").click()
    page.get_by_text("Nobody is enrolled yet").wait_for()
    page.get_by_role("button", name="Enrol").first.click()
    dialog = page.get_by_role("dialog")
    enrol = dialog.get_by_role("button", name="Enrol", exact=True)
    assert enrol.is_disabled()
    console.choose_photos([known[ADA][0], photos / "unknown" / "rocket.jpg"], at=-1)
    dialog.get_by_label("Name", exact=True).fill(ADA)
    dialog.get_by_label("Tags").fill("astronaut")
    dialog.get_by_label("Tags").press("Enter")
    dialog.get_by_label("Consent", exact=True).fill("signed form")
    dialog.get_by_label("Consent until").fill("2099-12-31")
    enrol.click()
    dialog.get_by_text("1 face of Eileen Collins is enrolled").wait_for()
    assert dialog.get_by_text("1 photograph gave no face").is_visible()
    assert dialog.locator(".failures").get_by_text("rocket.jpg").is_visible()
    assert dialog.locator(".photo-list li").count() == 1  # the one that may be tried again
    console.shot("enrolled")
    dialog.get_by_role("button", name="Done").click()
    page.get_by_role("link", name=ADA).wait_for()
    assert pictures_shown(page, ".people") == 1
    found = people_of(ask, name)[ADA]
    assert (found["faces"], found["tags"]) == (1, ["astronaut"])
    assert (found["consent_note"], found["consent_until"]) == ("signed form", "2099-12-31")
    assert ask(f"{name}/people/{found['id']}/faces")["items"][0]["has_crop"]


def test_without_a_photograph_that_gives_a_face_nobody_is_enrolled(visit, empty, photos, ask):
    console = visit()
    console.allow("status of 422")
    page = console.open(f"people?collection={empty}")
    page.get_by_role("button", name="Enrol").first.click()
    dialog = page.get_by_role("dialog")
    console.choose_photos([photos / "unknown" / "rocket.jpg"], at=-1)
    dialog.get_by_label("Name", exact=True).fill("Nobody")
    dialog.get_by_role("button", name="Enrol", exact=True).click()
    dialog.get_by_text("1 photograph gave no face").wait_for()
    assert dialog.get_by_text("no_face").is_visible()
    assert people_of(ask, empty) == {}


def test_of_several_faces_the_largest_is_taken_when_asked_for(visit, empty, two_faces, ask):
    console = visit()
    console.allow("status of 422")
    page = console.open(f"people?collection={empty}")
    page.get_by_role("button", name="Enrol").first.click()
    dialog = page.get_by_role("dialog")
    console.choose_photos([two_faces], at=-1)
    dialog.get_by_label("Name", exact=True).fill("Either")
    dialog.get_by_label("Keep a small picture of each face.").uncheck()
    dialog.get_by_role("button", name="Enrol", exact=True).click()
    dialog.get_by_role("button", name="Take the largest face").click()
    dialog.get_by_text("1 face of Either is enrolled").wait_for()
    face = ask(f"{empty}/people/Either/faces")["items"][0]
    assert not face["has_crop"]


def test_who_looks_like_somebody_else_is_told(visit, staff, known):
    page = visit().open(f"people?collection={staff}")
    page.get_by_role("button", name="Enrol").first.click()
    dialog = page.get_by_role("dialog")
    page.locator("dialog input[type=file]").set_input_files(known[ADA][0])
    dialog.get_by_label("Name", exact=True).fill("Somebody Else")
    dialog.get_by_role("button", name="Enrol", exact=True).click()
    dialog.get_by_text("Somebody Else looks like somebody who is enrolled").wait_for()
    dialog.get_by_role("link", name=ADA).click()
    page.get_by_role("heading", name=ADA).wait_for()
    assert page.get_by_role("dialog").count() == 0


def test_people_are_found_by_name_and_tag(console, staff):
    page = console.open(f"people?collection={staff}")
    names = page.locator(".person-card .name")
    assert names.count() == 3
    console.shot("people")
    page.get_by_label("Search by name").fill("co")
    page.get_by_text("1 person found").wait_for()
    assert names.all_inner_texts() == [ADA]
    page.get_by_label("Filter by tags").fill("Grace,")
    page.get_by_text("Nobody like that", exact=True).wait_for()
    assert f"q=co&tags=Grace&collection={staff.replace(' ', '+')}" in "&".join(
        sorted(page.url.split("?")[1].split("&"), key=lambda part: "qtc".index(part[0]))
    )
    page.get_by_role("button", name="Show everybody").click()
    page.get_by_text("3 of 3 people").wait_for()
    page.get_by_role("radio", name="As a table").check()
    assert page.locator("tbody tr").count() == 3
    page.reload()
    page.locator("tbody tr").nth(2).wait_for()  # the view is remembered


def test_a_filter_is_in_the_address(visit, staff):
    page = visit().open(f"people?collection={staff}&q=hop")
    assert page.locator(".person-card .name").all_inner_texts() == ["Grace Hopper"]
    assert page.get_by_label("Search by name").input_value() == "hop"


def test_a_name_is_text_whatever_is_in_it(visit, site, empty, known):
    name = '<img src=x onerror="document.title=1"> & "quotes" ../..'
    site.enrol(empty, name, known[ADA][:1], tags=["<b>bold</b>"])
    console = visit()
    page = console.open(f"people?collection={empty}")
    assert page.locator(".person-card .name").inner_text() == name
    page.locator(".person-card").click()
    page.get_by_role("heading", name=name).wait_for()
    assert page.locator(".chips").first.inner_text() == "<b>bold</b>"
    page.get_by_role("button", name="Forget").click()
    page.get_by_label("Type", exact=False).fill(name)
    page.get_by_role("button", name="Forget for good").click()
    page.get_by_text("Nobody is enrolled yet").wait_for()


def test_a_list_that_fails_says_why_and_is_tried_again(visit, staff):
    console = visit()
    console.allow("503")
    page = console.open(f"people?collection={staff}")
    refused = '{"error": {"code": "overloaded", "message": "Busy.", "hint": ""}, "request_id": "r-17"}'
    page.route("**/people?*", lambda route: route.fulfill(status=503, body=refused))
    page.get_by_label("Search by name").fill("a")
    alert = page.get_by_role("alert")
    alert.wait_for()
    assert "overloaded · r-17" in alert.inner_text()
    page.unroute("**/people?*")
    alert.get_by_role("button", name="Try again").click()
    page.get_by_text(re.compile(r"\d people found")).wait_for()


# One person


def test_a_face_tells_where_it_is_from(console, staff):
    page = open_person(console, staff, ADA)
    assert pictures_shown(page, ".faces") == 1
    page.get_by_role("button", name="Where face 1 came from").click()
    dialog = page.get_by_role("dialog")
    assert dialog.get_by_text("portrait.jpg").is_visible()
    assert re.search(r"\b[0-9a-f]{64}\b", dialog.inner_text())
    console.shot("person-face")


def test_what_two_people_change_at_once_is_not_lost(console, site, staff, ask):
    console.allow("status of 412")
    page = open_person(console, staff, ADA)
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    person = people_of(ask, staff)[ADA]["id"]
    site.client.patch(f"/v1/collections/{staff}/people/{person}", json={"consent_note": "theirs"})
    dialog.get_by_label("Name", exact=True).fill("E. Collins")
    dialog.get_by_role("button", name="Save", exact=True).click()
    dialog.get_by_text("Somebody else has changed this meanwhile").wait_for()
    assert dialog.locator(".pairs").inner_text().split() == ["Consent", "None", "theirs"]
    console.shot("person-stale")
    dialog.get_by_role("button", name="Save mine as well").click()
    page.get_by_role("heading", name="E. Collins").wait_for()
    found = people_of(ask, staff)["E. Collins"]
    assert (found["consent_note"], found["version"]) == ("theirs", 3)


def test_one_may_begin_again_with_what_others_changed(visit, site, staff, ask):
    console = visit()
    console.allow("status of 412")
    page = open_person(console, staff, ADA)
    page.get_by_role("button", name="Edit").click()
    dialog = page.get_by_role("dialog")
    site.client.patch(f"/v1/collections/{staff}/people/{ADA}", json={"tags": ["theirs"]})
    dialog.get_by_label("Name", exact=True).fill("E. Collins")
    dialog.get_by_role("button", name="Save", exact=True).click()
    dialog.get_by_role("button", name="Begin again with theirs").click()
    assert dialog.get_by_label("Name", exact=True).input_value() == ADA
    assert dialog.locator(".chip").all_inner_texts() == ["theirs"]
    dialog.get_by_label("Metadata").fill("[1]")
    dialog.get_by_role("button", name="Save", exact=True).click()
    assert dialog.is_visible()  # no JSON object
    dialog.get_by_label("Metadata").fill('{"year": 1999}')
    dialog.get_by_role("button", name="Save", exact=True).click()
    dialog.wait_for(state="detached")
    assert people_of(ask, staff)[ADA]["metadata"] == {"year": 1999}


def test_photographs_are_added_to_somebody(visit, staff, known, ask):
    console = visit()
    page = open_person(console, staff, ADA)
    page.get_by_role("button", name="Add photographs").click()
    page.locator("dialog input[type=file]").set_input_files([known[ADA][0], known["Barack Obama"][0]])
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Add", exact=True).click()
    dialog.get_by_text("1 face of Eileen Collins is enrolled").wait_for()
    assert dialog.get_by_text("1 photograph was known already").is_visible()
    dialog.get_by_role("button", name="Done").click()
    page.locator(".faces .face").nth(1).wait_for()
    assert people_of(ask, staff)[ADA]["faces"] == 2


def test_a_face_goes_to_somebody_new_and_back(console, staff, ask):
    page = open_person(console, staff, "Barack Obama")
    page.locator(".pick").nth(1).check()
    assert page.get_by_text("1 selected").is_visible()
    page.get_by_role("button", name="Move").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Somebody new").check()
    dialog.get_by_label("Name", exact=True).fill("A Stranger")
    console.shot("person-move")
    dialog.get_by_role("button", name="Move").click()
    page.locator(".faces .face").nth(1).wait_for(state="detached")
    assert people_of(ask, staff)["A Stranger"]["faces"] == 1
    assert page.evaluate("document.activeElement.tagName") == "H1"  # the button that was pressed is gone
    page.get_by_role("link", name="A Stranger").click()
    page.get_by_role("heading", name="A Stranger").wait_for()
    page.locator(".pick").check()
    page.get_by_role("button", name="Move").click()
    dialog.get_by_role("searchbox").fill("barack")
    dialog.get_by_role("radio", name="Barack Obama").check()
    dialog.get_by_role("button", name="Move").click()
    page.get_by_text("No face is left").wait_for()
    assert people_of(ask, staff)["Barack Obama"]["faces"] == 2


def test_faces_are_chosen_by_the_keyboard_and_deleted(visit, staff, ask):
    page = open_person(visit(), staff, "Barack Obama")
    page.locator(".pick").first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    assert page.locator(".pick").nth(1).is_checked()
    page.keyboard.press("Escape")
    assert page.locator(".selection").is_hidden()
    page.keyboard.press("Space")
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.locator(".faces .face").nth(1).wait_for(state="detached")
    assert people_of(ask, staff)["Barack Obama"]["faces"] == 1


def test_two_entries_become_one(console, site, staff, known, ask):
    site.enrol(staff, "Captain Collins", known[ADA][:1])
    page = open_person(console, staff, ADA)
    page.get_by_role("button", name="Merge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="Merge").click()
    assert dialog.is_visible()  # nobody is chosen
    dialog.get_by_role("searchbox", name="Who is the same person as Eileen Collins?").fill("captain")
    dialog.get_by_role("radio", name="Captain Collins").check()
    console.shot("person-merge")
    dialog.get_by_role("button", name="Merge").click()
    page.get_by_text("Captain Collins is now one with Eileen Collins").wait_for()
    assert set(people_of(ask, staff)) == set(known)


def test_forgetting_wants_the_name_typed(console, site, staff, ask):
    page = open_person(console, staff, ADA)
    person = people_of(ask, staff)[ADA]["id"]
    page.get_by_role("button", name="Forget").click()
    dialog = page.get_by_role("dialog")
    box = dialog.get_by_label("Type “Eileen Collins” to go on")
    box.fill("eileen collins")
    dialog.get_by_role("button", name="Forget for good").click()
    assert dialog.is_visible()
    assert ADA in people_of(ask, staff)
    console.shot("person-forget")
    box.fill(ADA)
    dialog.get_by_role("button", name="Forget for good").click()
    page.get_by_role("heading", name="People").wait_for()
    assert site.client.get(f"/v1/collections/{staff}/people/{person}").status_code == 404
    console.settle()
    assert page.get_by_role("link", name=ADA).count() == 0


def test_a_photograph_is_compared_with_one_person(console, staff, known, two_faces):
    console.allow("status of 422")
    page = open_person(console, staff, ADA)
    console.choose_photos([two_faces])
    page.get_by_text("There are 2 faces").wait_for()
    boxes = [page.locator(".face-mark").nth(i).bounding_box()["x"] for i in range(2)]
    page.locator(".face-mark").nth(boxes.index(min(boxes))).click()
    page.get_by_text("This is Eileen Collins").wait_for()
    page.locator(".face-mark").nth(boxes.index(max(boxes))).click()
    page.get_by_text("This is not Eileen Collins").wait_for()
    console.shot("person-verify")


def test_whose_consent_has_run_out_is_not_compared(visit, site, staff):
    changed = {"consent_until": "2020-01-01"}
    site.client.patch(f"/v1/collections/{staff}/people/{ADA}", json=changed).raise_for_status()
    page = open_person(visit(), staff, ADA)
    assert page.get_by_text("The consent of this person has run out").is_visible()
    assert page.locator("input[type=file]").count() == 0


def test_who_is_gone_is_an_error_that_says_so(visit, staff):
    console = visit()
    console.allow("status of 404")
    page = console.open(f"people/0000000000000?collection={staff}")
    assert "person_unknown" in page.get_by_role("alert").inner_text()


def test_a_collection_is_swept_and_deleted(visit, site, staff, ask):
    site.client.patch(f"/v1/collections/{staff}/people/{ADA}", json={"consent_until": "2020-01-01"})
    page = visit().open(f"people?collection={staff}")
    assert page.locator(".chip", has_text="Consent has run out").is_visible()
    page.get_by_text("About this collection").click()
    page.get_by_role("button", name="Forget whose consent has run out").click()
    page.get_by_role("button", name="Forget them").click()
    page.get_by_text("2 of 2 people").wait_for()
    assert ADA not in people_of(ask, staff)
    page.get_by_text("About this collection").click()
    page.get_by_role("button", name="Delete collection").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Type", exact=False).fill(staff)
    dialog.get_by_role("button", name="Delete collection").click()
    dialog.wait_for(state="detached")
    assert site.client.get(f"/v1/collections/{staff}").status_code == 404


# Identify and Search


def test_who_is_in_a_photograph_is_said_on_it_and_beside_it(console, staff, photos):
    page = console.open(f"identify?collection={staff}")
    console.choose_photos([photos / "unknown" / "portrait-2012.jpg"])
    page.locator(".face-card").wait_for()
    console.settle()
    assert page.locator(".face-mark").inner_text() == "Barack Obama"
    card = page.locator(".face-card")
    assert card.locator(".says").inner_text() == "Barack Obama"
    assert card.locator(".chip").inner_text() == "Known"
    assert card.locator(".candidate").count() == 3
    assert "threshold" in card.locator(".distance").first.get_attribute("aria-label")
    console.shot("identified")
    page.get_by_text("Candidates and tags").click()
    page.get_by_label("Filter by tags").fill("Grace,")
    page.get_by_text("Nobody who is enrolled").wait_for()
    assert card.locator(".candidate .name").all_inner_texts() == ["Grace Hopper"]
    card.get_by_role("link").click()
    page.get_by_role("heading", name="Grace Hopper").wait_for()


def test_nobody_in_a_photograph_is_said_too(visit, staff, photos):
    console = visit()
    page = console.open(f"identify?collection={staff}")
    console.choose_photos([photos / "unknown" / "rocket.jpg"])
    page.get_by_text("No face in this photograph").wait_for()


def test_a_photograph_stays_when_another_collection_is_chosen(visit, site, staff, photos):
    empty_one = f"empty {next(numbers)}"
    site.client.post("/v1/collections", json={"name": empty_one})
    console = visit()
    page = console.open(f"identify?collection={empty_one}")
    assert page.get_by_role("link", name="Enrol somebody").is_visible()
    page.get_by_label("Collection", exact=True).select_option(staff)
    console.choose_photos([photos / "unknown" / "portrait-2012.jpg"])
    page.locator(".face-card").wait_for()
    page.get_by_label("Collection", exact=True).select_option(empty_one)
    page.get_by_role("link", name="Enrol somebody").wait_for()
    page.get_by_label("Collection", exact=True).select_option(staff)
    page.locator(".face-card").wait_for()


def test_the_most_similar_faces_are_shown_by_rank(console, staff, two_faces):
    console.allow("status of 422")
    page = console.open(f"search?collection={staff}")
    console.choose_photos([two_faces])
    page.get_by_text("There are 2 faces").wait_for()
    boxes = [page.locator(".face-mark").nth(i).bounding_box()["x"] for i in range(2)]
    right = page.locator(".face-mark").nth(boxes.index(max(boxes)))
    right.focus()
    page.keyboard.press("Enter")
    page.get_by_text("Within the threshold: 1 face").wait_for()
    names = page.locator(".person-card .name").all_inner_texts()
    assert names[0] == "Grace Hopper"
    assert sorted(names[1:]) == ["Barack Obama", "Barack Obama", ADA]
    values = [float(text) for text in page.locator(".distance .value").all_inner_texts()]
    assert values == sorted(values)
    assert pictures_shown(page, ".people") >= 1
    console.shot("searched")


# Missing persons


def test_a_case_is_begun_looked_at_reviewed_and_deleted(console, staff, photos, ask):
    page = console.open(f"missing?collection={staff}")
    page.get_by_role("button", name="New case").first.click()
    dialog = page.get_by_role("dialog")
    console.choose_photos(
        [photos / "unknown" / name for name in ("portrait-2012.jpg", "blue-room.jpg")], at=-1
    )
    dialog.get_by_label("Title").fill("Man in a suit")
    dialog.get_by_label("Notes").fill("Two lines\nof notes")
    dialog.get_by_label("When portrait-2012.jpg was taken").fill("12")
    dialog.get_by_role("button", name="Begin and look").click()
    assert dialog.is_visible()  # that is no year
    dialog.get_by_label("When portrait-2012.jpg was taken").fill("2012")
    console.shot("case-new")
    dialog.get_by_role("button", name="Begin and look").click()
    page.get_by_role("heading", name="Man in a suit").wait_for()
    first = page.locator(".suspect").first
    first.wait_for()
    assert first.get_by_role("heading").inner_text() == "Barack Obama"
    assert first.locator(".chip").inner_text() == "Known"
    assert pictures_shown(page, ".suspect .two") >= 2
    first.get_by_label("Note").fill("the ears")
    first.get_by_role("radio", name="Yes").check()
    first.get_by_text("Reviewed").wait_for()
    assert page.get_by_text("3 candidates, 1 reviewed").is_visible()
    console.shot("case")
    page.reload()
    page.locator(".suspect").first.wait_for()
    assert page.locator(".suspect.said-yes").count() == 1
    assert page.locator(".suspect").first.get_by_label("Note").input_value() == "the ears"
    page.get_by_role("radio", name="To review").check()
    assert page.locator(".suspect").count() == 2
    (case,) = ask(f"{staff}/cases")["items"]
    found = ask(f"{staff}/cases/{case['id']}")
    assert found["probes"][0]["taken"] == "2012"
    assert [one["says"] for one in found["reviews"].values()] == ["yes"]
    page.get_by_role("link", name="Missing persons", exact=True).first.click()
    page.get_by_role("link", name="Man in a suit").click()
    page.get_by_role("button", name="Look again").click()
    page.get_by_text("3 candidates", exact=True).wait_for()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    page.get_by_text("There is no case yet").wait_for()
    assert ask(f"{staff}/cases")["items"] == []


def test_a_photograph_without_a_face_begins_no_case(visit, staff, photos, ask):
    console = visit()
    console.allow("status of 422")
    page = console.open(f"missing?collection={staff}")
    page.get_by_role("button", name="New case").first.click()
    dialog = page.get_by_role("dialog")
    console.choose_photos([photos / "unknown" / "rocket.jpg"], at=-1)
    dialog.get_by_label("Title").fill("Rocket")
    dialog.get_by_role("button", name="Begin and look").click()
    dialog.get_by_text("1 photograph gave no face").wait_for()
    assert dialog.locator(".failures").get_by_text("rocket.jpg").is_visible()
    assert ask(f"{staff}/cases")["items"] == []


# Clusters


def test_photographs_become_groups_that_are_reviewed(console, site, empty, known, ask):
    site.client.post("/v1/collections", json={"name": f"{empty} names"})
    page = console.open(f"clusters?collection={empty}")
    assert page.get_by_text("the same face in several of them becomes one group").is_visible()
    console.choose_photos([file for files in known.values() for file in files])
    page.get_by_text("4 photographs were looked at").wait_for()
    page.get_by_text("3 groups, 4 faces").wait_for()
    assert page.get_by_text("Seen once: 2 faces").is_visible()
    assert pictures_shown(page, ".group") >= 2
    console.shot("clusters")
    # One face out of the group, by the keyboard, and back into it by merging.
    page.locator(".group .pick").first.focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="New group").click()
    page.get_by_text("4 groups, 4 faces").wait_for()
    assert page.locator(".group").count() == 0
    obama = {face["face"] for face in grouped(ask, empty, "blue-room-2010.jpg")["faces"]}
    assert len(obama) == 1
    ids = {one["face"] for group in ask(f"{empty}/clusters")["items"] for one in group["faces"]}
    page.locator(f'.pick[value="{obama.pop()}"]').check()
    page.get_by_role("button", name="To a group").click()
    dialog = page.get_by_role("dialog")
    other = grouped(ask, empty, "congress-2009.jpg")["id"]
    dialog.locator(f'input[value="{other}"]').check()
    dialog.get_by_role("button", name="Move").click()
    page.get_by_text("3 groups, 4 faces").wait_for()
    assert {one["face"] for group in ask(f"{empty}/clusters")["items"] for one in group["faces"]} == ids
    # Named here, and taken over into a collection.
    page.locator(".group").get_by_role("button", name="Name").click()
    dialog.get_by_label("Name", exact=True).fill("Barack Obama")
    dialog.get_by_label("Take over into a collection").select_option(f"{empty} names")
    console.shot("clusters-name")
    dialog.get_by_role("button", name="Save").click()
    page.get_by_text("2 groups, 2 faces").wait_for()
    assert people_of(ask, f"{empty} names")["Barack Obama"]["faces"] == 2


def grouped(ask, album, source):
    groups = ask(f"{album}/clusters")["items"]
    return next(one for one in groups if any(face["source"].endswith(source) for face in one["faces"]))


def test_whole_groups_are_merged_and_the_name_stays(visit, staff, ask):
    console = visit()
    page = console.open(f"clusters?collection={staff}")
    page.get_by_label(re.compile("Select the group Grace Hopper")).check()
    assert page.get_by_role("button", name="Merge").count() == 0  # one is not enough
    page.get_by_label(re.compile("Select the group Eileen Collins")).check()
    page.get_by_text("2 groups selected").wait_for()
    page.get_by_role("button", name="Merge").click()
    page.get_by_text("2 groups, 4 faces").wait_for()
    assert sorted(one["faces"] for one in people_of(ask, staff).values()) == [2, 2]


def test_strangers_are_not_added_to_enrolled_people_by_mistake(visit, staff, photos, ask):
    console = visit()
    page = console.open(f"clusters?collection={staff}")
    console.choose_photos([photos / "unknown" / "portrait-2012.jpg"])
    dialog = page.get_by_role("dialog")
    dialog.get_by_text("Everybody in this collection was enrolled by name.").wait_for()
    dialog.get_by_role("button", name="Cancel").click()
    assert ask(staff)["faces"] == 4


def test_many_photographs_are_left_to_a_job(visit, empty, photos, ask):
    console = visit()
    page = console.open(f"clusters?collection={empty}")
    console.choose_photos([photos / "unknown" / "rocket.jpg"] * 121)
    page.get_by_text("121 photographs are many for a browser").wait_for()
    assert ask(empty)["faces"] == 0
    page.get_by_role("link", name="Make a job").click()
    page.wait_for_url(re.compile(r"#/jobs/new\?kind=cluster&collection=staff\+\d+"))


# All of them


@pytest.mark.parametrize(("size", "language", "dark"), [("phone", "en", False), ("desk", "zh", True)])
def test_populated_pages_are_accessible(visit, site, staff, photos, known, axe, size, language, dark):
    console = visit(size, language=language, dark=dark)
    album = f"{staff} album"
    site.client.post("/v1/collections", json={"name": album})
    sent = [
        ("photo", (file.name, file.read_bytes(), "image/jpeg")) for files in known.values() for file in files
    ]
    site.client.post(f"/v1/collections/{album}/clusters", files=sent).raise_for_status()
    probe = {"photo": ("probe.jpg", (photos / "unknown" / "portrait-2012.jpg").read_bytes(), "image/jpeg")}
    case = site.client.post(f"/v1/collections/{staff}/cases", files=probe, data={"title": "T"}).json()["id"]
    site.client.post(f"/v1/collections/{staff}/cases/{case}/run").raise_for_status()
    person = site.client.get(f"/v1/collections/{staff}/people").json()["items"][0]["id"]
    found = []

    def check(what):
        console.settle()
        found.extend((what, one) for one in console.inaccessible(axe))
        console.shot(f"{what}-{language}")

    page = console.open(f"people?collection={staff}")
    check("people-grid")
    page.locator("main .choice input").last.check()
    check("people-rows")
    page.locator(".page-head .button.primary").click()
    check("people-enrol")
    console.open(f"people/{person}?collection={staff}")
    page.locator(".pick").first.check()
    check("person")
    page.locator(".selection .primary").click()
    page.locator("dialog .option").first.wait_for()
    check("person-owner")
    page.keyboard.press("Escape")
    console.open(f"missing?collection={staff}")
    check("missing")
    console.open(f"missing/{case}?collection={staff}")
    page.locator(".suspect summary").first.click()
    check("missing-case")
    console.open(f"clusters?collection={album}")
    page.locator(".pick").first.check()
    page.locator(".tick").first.check()
    check("clusters-chosen")
    for path in ("identify", "search"):
        console.open(f"{path}?collection={staff}")
        console.choose_photos([photos / "unknown" / "portrait-2012.jpg"])
        page.locator(".distance").first.wait_for()
        check(path)
    assert found == []


def test_a_key_that_may_only_search_is_offered_nothing_else(chromium, mien_home, tmp_path, known):
    with running_site(tmp_path / "home", mien_home) as site:
        site.enrol("staff", ADA, known[ADA], keep_picture="true")
        site.client.post("/v1/collections", json={"name": "secret"})
        site.first_key()
        console = open_console(chromium, site.url)
        console.sign_in(site.key("Front desk", ["search"], collections=["staff"]))
        page = console.open("people")
        assert page.get_by_label("Collection", exact=True).locator("option").all_inner_texts() == ["staff"]
        assert pictures_shown(page, ".people") == 1
        assert page.get_by_role("button", name="Enrol").count() == 0
        assert page.get_by_role("button", name="New collection").count() == 0
        page.get_by_role("link", name=ADA).click()
        page.get_by_role("heading", name=ADA).wait_for()
        console.settle()
        for gone in ("Edit", "Merge", "Forget", "Add photographs", "Choose"):
            assert page.get_by_role("button", name=gone).count() == 0
        assert page.locator(".pick").count() == 0
        for path, said in (("missing", "There is no case yet"), ("clusters", ADA)):
            console.open(path)
            page.get_by_text(said).first.wait_for()
            assert page.locator("main .button.primary").count() == 0
        assert console.unexpected() == []
        page.context.close()
