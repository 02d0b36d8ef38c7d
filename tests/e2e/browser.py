"""The console in a real browser, which notes whatever the browser complains about."""

import re
from dataclasses import dataclass, field
from pathlib import Path

SIZES = {"phone": (360, 800), "tablet": (768, 1024), "desk": (1440, 900), "wide": (1600, 1000)}
OUT = Path(__file__).resolve().parents[2] / "out" / "e2e"
# What a page has broken of its policy; the event tells more than the console does.
WATCH = """
document.addEventListener("securitypolicyviolation", (broken) =>
  console.error(`policy: ${broken.violatedDirective} refused ${broken.blockedURI} at ${broken.sourceFile}`));
"""
AXE = "axe.run(document, {resultTypes: ['violations']})"
# Wider than the window by more than a rounded pixel: then a phone scrolls sideways.
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@dataclass
class Console:
    """A tab with the console.

    Attributes:
        page: Of Playwright.
        url: Of the server.
        complaints: What the browser complained about, and what the server answered by mistake.
        allowed: Patterns of complaints that a test expects.
    """

    page: object
    url: str
    size: str
    complaints: list[str] = field(default_factory=list)
    allowed: list[str] = field(default_factory=list)

    def open(self, path=""):
        """Go to a page of the console, such as `people?collection=staff`, and wait for its heading."""
        self.page.goto(f"{self.url}/#/{path}")
        self.page.wait_for_selector("h1")
        self.settle()
        return self.page

    def settle(self):
        """Wait until every skeleton has gone, and nobody waits for the answer to a press."""
        # Not by wait_for_function, which evaluates text: the policy of the page forbids that.
        self.page.locator(".skeleton:visible, [aria-busy=true]:visible").first.wait_for(state="detached")

    def sign_in(self, key):
        """Enter a key where it is asked for."""
        self.allow("status of 401")
        self.page.goto(self.url)
        self.page.get_by_label("API key").fill(key)
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_selector("aside.side", state="attached")

    def choose_photos(self, files, at=0):
        """Hand photographs to a place that asks for some; `at` is which one on the page."""
        paths = [str(file) for file in files]
        self.page.locator("input[type=file]").nth(at).set_input_files(paths)

    def shot(self, name):
        """Keep a picture of the page in out/e2e, for people to look at; fail if it is too wide."""
        OUT.mkdir(parents=True, exist_ok=True)
        self.page.evaluate("document.fonts.ready")
        self.page.screenshot(path=OUT / f"{name}-{self.size}.png", animations="disabled")
        assert self.page.evaluate(OVERFLOW) <= 1, f"{name} is wider than the window"

    def allow(self, pattern):
        """Expect complaints that a pattern finds."""
        self.allowed.append(pattern)

    def unexpected(self):
        """Complaints that no test expected."""
        return [one for one in self.complaints if not any(re.search(it, one) for it in self.allowed)]

    def inaccessible(self, axe):
        """What axe-core finds wrong, as lines; `axe` is its source."""
        self.page.evaluate(axe)
        return [
            f"{one['id']}: {node['target']} {node['failureSummary']}"
            for one in self.page.evaluate(AXE)["violations"]
            for node in one["nodes"]
        ]


def open_console(browser, url, *, size="desk", language="en", dark=False):
    """Open a tab of a browser that knows nothing yet; the caller closes its context."""
    width, height = SIZES[size]
    context = browser.new_context(
        viewport={"width": width, "height": height},
        locale="zh-CN" if language == "zh" else "en-GB",
        timezone_id="UTC",
        color_scheme="dark" if dark else "light",
        has_touch=size == "phone",
        reduced_motion="reduce",
    )
    context.add_init_script(WATCH)
    page = context.new_page()
    made = Console(page, url, size)
    page.on("console", lambda told: told.type in {"error", "warning"} and made.complaints.append(told.text))
    page.on("pageerror", lambda error: made.complaints.append(f"uncaught: {error}"))
    page.on(
        "response",
        lambda answer: answer.status >= 500 and made.complaints.append(f"{answer.status}: {answer.url}"),
    )
    return made


def film_of(photos, to, size_wh=(640, 480)):
    """Photographs as a film for Chromium's fake camera: JPEG after JPEG, all of one size."""
    from PIL import Image, ImageOps

    with to.open("wb") as film:
        for photo in photos:
            with Image.open(photo) as opened:
                ImageOps.pad(opened.convert("RGB"), size_wh, color=(40, 44, 48)).save(
                    film, "JPEG", quality=90
                )
    return to
