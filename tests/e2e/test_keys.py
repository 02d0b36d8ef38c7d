"""Keys, and who sees what with which."""

import json
import re

import pytest

SCOPES = {
    "detect": {"analyze", "live", "jobs", "system"},
    "verify": {"compare", "jobs", "system"},
    "search": {"people", "identify", "search", "missing", "clusters", "jobs", "system"},
}


@pytest.fixture(scope="module")
def key(site):
    """The key of an administrator; with it, the server is open no more."""
    return site.first_key()


def test_the_first_key_closes_the_server_and_opens_the_console(visit, mien_home, tmp_path, chromium):
    from e2e.browser import open_console
    from e2e.site import running_site

    with running_site(tmp_path / "home", mien_home) as own:
        console = open_console(chromium, own.url, size="phone")
        page = console.open("keys")
        page.get_by_text("This server is open").wait_for()
        page.get_by_role("button", name="New key").click()
        dialog = page.locator("dialog")
        dialog.get_by_text("This will be the first key").wait_for()
        assert dialog.get_by_role("checkbox", name="Administer").is_disabled()
        dialog.get_by_label("Name").fill("Grace")
        console.shot("keys-first")
        dialog.get_by_role("button", name="Make the key").click()
        text = page.locator("dialog input[readonly]")
        text.wait_for()
        made = text.input_value()
        assert re.fullmatch(r"mien_[0-9a-z]{13}_[\w-]{43}", made)
        assert own.client.get("/v1/me").status_code == 401
        page.get_by_role("button", name="sign in").click()
        page.locator("tbody th", has_text="Grace").wait_for()
        assert made not in page.content()
        assert made not in page.url
        assert console.unexpected() == []
        page.context.close()


@pytest.mark.parametrize(("scope", "pages"), SCOPES.items())
def test_pages_that_a_key_is_not_for_are_not_shown(visit, site, key, scope, pages):
    console = visit("desk")
    console.sign_in(site.key(scope, [scope]))
    links = console.page.locator("aside a[data-path]")
    assert {link.get_attribute("data-path") for link in links.all()} == pages
    console.page.goto(f"{site.url}/#/audit")
    console.page.locator("h1").wait_for()
    assert not console.page.url.endswith("audit")


def test_signing_in_is_accessible_and_says_what_is_wrong(console, key, axe):
    console.allow("status of 401")
    page = console.page
    page.goto(console.url)
    page.get_by_label("API key").fill("mien_none")
    assert console.inaccessible(axe) == []
    page.get_by_role("button", name="Sign in").click()
    page.get_by_text("This key is not accepted").wait_for()
    console.shot("sign-in-wrong")
    page.get_by_label("API key").fill(f"  {key} ")
    page.keyboard.press("Enter")
    page.locator("main.outlet h1").wait_for()


def test_a_key_is_forgotten_with_the_tab_unless_it_is_to_stay(visit, key):
    console = visit("desk")
    console.sign_in(key)
    kept = console.page.evaluate("[localStorage, sessionStorage].map((one) => JSON.stringify(one))")
    assert key not in kept[0]
    assert key in kept[1]
    console.page.get_by_role("button", name="Sign out").first.click()
    console.page.get_by_label("API key").wait_for()
    assert key not in console.page.evaluate("JSON.stringify([localStorage, sessionStorage])")


def test_a_key_that_is_revoked_meanwhile_asks_for_another(visit, site, key):
    made = site.client.post("/v1/keys", json={"name": "brief", "scopes": ["detect"]}).json()
    console = visit("desk")
    console.sign_in(made["key"])
    console.open("jobs")
    site.client.delete(f"/v1/keys/{made['id']}").raise_for_status()
    console.page.locator('aside a[data-path="system"]').click()
    console.page.get_by_text("The key is no longer accepted").wait_for()


def test_a_key_is_made_changed_exchanged_and_revoked(console, site, key, axe):
    console.sign_in(key)
    page = console.open("keys")
    name = f"Door {console.size}"
    page.get_by_role("button", name="New key").click()
    dialog = page.locator("dialog")
    dialog.get_by_label("Name").fill(name)
    dialog.get_by_role("checkbox", name="Search").check()
    dialog.locator(".choice label", has_text="Only these").click()
    dialog.get_by_label("Only these").last.fill("staff")
    page.keyboard.press("Enter")
    dialog.get_by_label("Requests per minute").fill("60")
    dialog.get_by_label("Valid until").fill("2099-12-31")
    assert console.inaccessible(axe) == []
    dialog.get_by_role("button", name="Make the key").click()
    text = page.locator("dialog input[readonly]")
    text.wait_for()
    first = text.input_value()
    page.get_by_role("button", name="I have copied it").click()
    row = page.locator("tbody tr", has_text=name)
    row.wait_for()
    assert {"Search", "staff", "60 per minute", "31 Dec 2099"} <= set(re.split(r"[\n\t]+", row.inner_text()))
    assert console.inaccessible(axe) == []
    console.shot("keys-made")
    asking = {"authorization": f"Bearer {first}"}
    told = site.client.get("/v1/me", headers=asking).json()
    assert [told["scopes"], told["collections"]] == [["search"], ["staff"]]

    row.get_by_role("button", name=f"Edit {name}").click()
    page.locator("dialog").get_by_role("checkbox", name="Verify").check()
    page.locator("dialog").get_by_role("button", name="Save").click()
    page.locator("tbody tr", has_text=name).get_by_text("Verify").wait_for()
    kept = next(one for one in site.client.get("/v1/keys").json()["items"] if one["name"] == name)
    assert kept["scopes"] == ["verify", "search"]
    assert kept["expires"] == "2100-01-01T00:00:00.000Z"

    page.get_by_role("button", name=f"New secret for {name}").click()
    page.locator("dialog .choice label", has_text="no longer").click()
    page.get_by_role("button", name="Make the secret").click()
    text.wait_for()
    second = text.input_value()
    assert second != first
    page.get_by_role("button", name="I have copied it").click()
    assert site.client.get("/v1/me", headers=asking).status_code == 401
    assert site.client.get("/v1/me", headers={"authorization": f"Bearer {second}"}).status_code == 200

    page.get_by_role("button", name=f"Revoke {name}").click()
    page.locator("dialog").get_by_role("button", name="Revoke").click()
    page.get_by_text("no longer serve").first.click()
    page.locator("details tr", has_text=name).get_by_text("Revoked").wait_for()
    assert site.client.get("/v1/me", headers={"authorization": f"Bearer {second}"}).status_code == 401


def test_a_key_that_may_do_nothing_is_refused_in_the_dialog(visit, key):
    console = visit("phone")
    console.allow("status of 400")
    console.sign_in(key)
    page = console.open("keys")
    page.get_by_role("button", name="New key").click()
    page.locator("dialog").get_by_label("Name").fill("Nothing")
    page.get_by_role("button", name="Make the key").click()
    assert "bad_request" in page.locator("dialog").get_by_role("alert").inner_text()


def test_entries_name_the_key_by_which_something_was_done(visit, site, key):
    site.client.post("/v1/collections", json={"name": "named"}).raise_for_status()
    console = visit("desk")
    console.sign_in(key)
    page = console.open("audit?action=made+collection")
    assert "Administrator" in page.locator("tbody tr").first.inner_text()


def test_no_request_but_the_api_and_files_of_the_server(visit, site, key):
    console = visit("desk")
    asked = []
    console.page.on("request", lambda request: asked.append(request))
    console.sign_in(key)
    console.open("keys")
    assert asked
    for request in asked:
        assert request.url.startswith(site.url)
        assert key not in request.url
        assert key not in json.dumps(request.post_data or "")
