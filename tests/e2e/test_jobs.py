"""Jobs: many photographs, sent in portions, watched, and what came of them."""

import json
import re
import shutil

import pytest

# The answer to the second portion is lost after the server has taken it in; then the wire is cut for a while.
BREAKING = """
(() => {
  const [fetched, later] = [window.fetch, window.setTimeout];
  window.setTimeout = (act, ms) => later(act, ms / 200);
  window.keys = [];
  window.fetch = async (address, about) => {
    if (!address.endsWith('/photographs')) return fetched(address, about);
    const times = window.keys.push(about.headers['idempotency-key']);
    if (times > 2 && times < 8) throw new TypeError('cut');
    const answer = await fetched(address, about);
    if (times === 2) throw new TypeError('lost');
    return answer;
  };
})();
"""
JOB = re.compile(r"#/jobs/[0-9a-z]{10,}")


@pytest.fixture
def team(photos, tmp_path):
    """A folder with a folder of photographs for each person."""
    made = tmp_path / "team"
    for folder in sorted((photos / "known").iterdir()):
        if folder.is_dir():
            shutil.copytree(folder, made / folder.name)
    return made


@pytest.fixture
def pile(photos, tmp_path):
    """Photographs in one folder, one of which is none."""
    made = tmp_path / "pile"
    made.mkdir()
    found = sorted((photos / "known").glob("*/*.jpg"))
    for i in range(30):
        shutil.copy(found[i % len(found)], made / f"{i}.jpg")
    (made / "broken.jpg").write_bytes(b"no photograph")
    return made


@pytest.fixture(scope="module")
def staff(site):
    site.client.post("/v1/collections", json={"name": "staff"}).raise_for_status()
    return "staff"


def begun(page):
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(JOB)
    page.locator(".chip.good", has_text="Done").wait_for(timeout=60_000)


def test_people_are_enrolled_by_their_folders(console, site, staff, team):
    site.client.delete(f"/v1/collections/{staff}")
    site.client.post("/v1/collections", json={"name": staff})
    page = console.open(f"jobs/new?kind=enroll&collection={staff}")
    console.choose_photos([team], at=1)
    page.get_by_text("Folders name 3 people:").wait_for()
    console.shot("jobs-new")
    begun(page)
    page.locator("tbody tr").nth(3).wait_for()
    console.shot("jobs-one")
    names = {one["name"] for one in site.client.get(f"/v1/collections/{staff}/people").json()["items"]}
    assert names == {"Barack Obama", "Eileen Collins", "Grace Hopper"}


def test_a_job_of_many_tells_what_came_of_each(console, pile, axe):
    page = console.open("jobs/new?kind=analyze")
    console.choose_photos(sorted(pile.iterdir()))
    page.get_by_text("31 photographs").wait_for()
    assert console.inaccessible(axe) == []
    begun(page)
    page.locator("tbody tr").nth(30).wait_for()
    assert console.inaccessible(axe) == []
    page.locator(".choice label", has_text="Failures").click()
    page.locator("tbody tr").nth(1).wait_for(state="detached")
    assert page.locator("tbody th").inner_text().startswith("broken.jpg")
    assert page.locator("tbody tr").count() == 1
    assert "This is not a photograph" in page.locator("tbody").inner_text()
    with page.expect_download() as kept:
        page.get_by_role("button", name="Download JSON").click()
    told = json.loads(kept.value.path().read_text())
    assert [told["job"]["done"], told["job"]["failed"], len(told["results"])] == [31, 1, 31]
    assert sum(len(one["faces"] or []) for one in told["results"]) == 30


def test_photographs_arrive_once_though_sending_breaks_off(visit, site, pile):
    console = visit("desk")
    console.page.add_init_script(BREAKING)
    page = console.open("jobs/new?kind=analyze")
    console.choose_photos(sorted(pile.glob("*.jpg")))
    page.get_by_role("button", name="Begin").click()
    page.get_by_role("button", name="Try again").click(timeout=20_000)
    page.wait_for_url(JOB)
    page.locator(".chip.good", has_text="Done").wait_for(timeout=60_000)
    job = site.client.get(f"/v1/jobs/{page.url.rpartition('/')[2]}").json()
    assert [job["total"], job["done"]] == [31, 31]
    keys = page.evaluate("window.keys")
    assert len(set(keys)) == 3, "each portion goes under one key, however often"
    assert len(keys) > 8


def test_a_job_that_was_left_goes_on_where_it_was(visit, site, pile):
    made = site.client.post("/v1/jobs", params={"kind": "analyze", "start": "false"}).json()
    first = sorted(pile.glob("?.jpg"))
    sent = [("photo", (file.name, file.read_bytes(), "image/jpeg")) for file in first[:4]]
    site.client.post(f"/v1/jobs/{made['id']}/photographs", files=sent).raise_for_status()
    console = visit("phone")
    page = console.open(f"jobs/{made['id']}")
    page.locator(".chip.warn", has_text="Not started").wait_for()
    console.choose_photos(first)
    page.get_by_label("These are the same as before: pass over the first 4").wait_for()
    console.shot("jobs-waiting")
    page.get_by_role("button", name="Send and start").click()
    page.locator(".chip.good", has_text="Done").wait_for(timeout=60_000)
    rows = site.client.get(f"/v1/jobs/{made['id']}/results").json()["items"]
    assert sorted(one["source"] for one in rows) == [file.name for file in first]


def test_a_job_is_cancelled_and_deleted(visit, site, pile):
    files = [one for one in sorted(pile.glob("*.jpg")) if one.stem != "broken"]
    sent = [("photo", (file.name, file.read_bytes(), "image/jpeg")) for file in files]
    made = site.client.post("/v1/jobs", data={"kind": "analyze"}, files=sent * 3).json()
    console = visit("desk")
    page = console.open(f"jobs/{made['id']}")
    page.get_by_role("button", name="Cancel the job").click()
    page.locator("dialog").get_by_role("button", name="Cancel the job").click()
    page.locator(".chip", has_text="Cancelled").wait_for(timeout=20_000)
    page.get_by_role("button", name="Delete").click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    page.wait_for_url(re.compile("#/jobs$"))
    assert site.client.get(f"/v1/jobs/{made['id']}").status_code == 404


def test_the_list_leads_to_a_job(console, site, photos):
    portrait = (photos / "known" / "Grace Hopper" / "portrait.jpg").read_bytes()
    made = site.client.post("/v1/jobs", data={"kind": "analyze"}, files={"photo": portrait}).json()
    page = console.open("jobs")
    page.locator("tbody a").first.click()
    page.wait_for_url(f"**/#/jobs/{made['id']}")


def test_a_folder_that_is_not_allowed_is_refused(visit):
    console = visit("phone")
    console.allow("status of 400")
    page = console.open("jobs/new?kind=analyze")
    page.locator(".choice label", has_text="On the server").click()
    page.get_by_label("Folder of the server").fill("/etc")
    page.get_by_role("button", name="Begin").click()
    assert "bad_request" in page.get_by_role("alert").inner_text()


def test_nothing_begins_without_photographs(visit):
    page = visit("phone").open("jobs/new")
    page.get_by_role("button", name="Begin").click()
    assert page.get_by_role("alert").inner_text() == "Choose photographs first."
    assert page.url.endswith("new?kind=analyze")


def test_a_job_that_is_gone_is_said_so(visit):
    console = visit("phone")
    console.allow("status of 404")
    page = console.open("jobs/0123456789abc")
    assert "There is no such job" in page.get_by_role("alert").inner_text()
