import pytest

PAGES = ["analyze", "compare", "system"]


@pytest.mark.parametrize("path", PAGES)
def test_the_page_opens(console, path):
    page = console.open(path)
    assert page.locator("h1").count() == 1
    console.shot(path)


@pytest.mark.parametrize("path", PAGES)
def test_the_page_is_accessible(console, path, axe):
    console.open(path)
    assert console.inaccessible(axe) == []
