import threading
from pathlib import Path

import pytest

from mien.errors import DownloadFailed
from mien.packs import download as module
from mien.packs.download import download

CONTENT = bytes(range(251)) * 4000


@pytest.fixture
def part(tmp_path):
    return tmp_path / "downloads" / "x.part"


def get(site, part, told=None, path="/w"):
    return download(site.url + path, part, len(CONTENT), (told if told is not None else []).append)


def plain(handler, status, body=b"", **headers):
    handler.send_response(status)
    for name, value in {"Content_Length": len(body), **headers}.items():
        if value is not None:
            handler.send_header(name.replace("_", "-"), str(value))
    handler.end_headers()
    handler.wfile.write(body)


def interrupted(site, part, stop_after=300_000, **how):
    site.answer = lambda handler: site.content(handler, CONTENT, stop_after=stop_after, **how)
    with pytest.raises(DownloadFailed) as failure:
        get(site, part)
    return failure.value


def test_whole(site, part):
    site.answer = lambda handler: site.content(handler, CONTENT)
    told = []
    assert get(site, part, told) is False
    assert part.read_bytes() == CONTENT
    assert told == sorted(told)
    assert told[-1] == len(CONTENT)


def test_server_that_disappears_leaves_what_came_and_says_so(site, part):
    failure = interrupted(site, part)
    assert part.read_bytes() == CONTENT[:300_000]
    assert "300,000 of 1,004,000 bytes" in failure.message
    assert "kept" in failure.message
    assert "goes on" in failure.hint


def test_resumes_with_range_and_validator(site, part):
    interrupted(site, part)
    site.answer = lambda handler: site.content(handler, CONTENT)
    told = []
    assert get(site, part, told) is True
    assert part.read_bytes() == CONTENT
    assert told[0] > 300_000
    headers = site.requests[-1][1]
    assert (headers["Range"], headers["If-Range"]) == ("bytes=300000-", '"v1"')


def test_resumes_several_times(site, part):
    for expected in (300_000, 600_000, 900_000):
        interrupted(site, part)
        assert part.stat().st_size == expected
    interrupted_never = get(site, part)
    assert interrupted_never is True
    assert part.read_bytes() == CONTENT


def test_changed_file_is_fetched_from_the_start(site, part):
    interrupted(site, part)
    other = CONTENT[::-1]
    site.answer = lambda handler: site.content(handler, other, etag='"v2"')
    assert get(site, part) is False
    assert part.read_bytes() == other


def test_server_that_ignores_ranges(site, part):
    interrupted(site, part)
    site.answer = lambda handler: site.content(handler, CONTENT, ranges=False)
    assert get(site, part) is False
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("etag", [None, 'W/"weak"'])
def test_without_a_validator_nothing_is_mixed(site, part, etag):
    interrupted(site, part, etag=etag)
    site.answer = lambda handler: site.content(handler, CONTENT, etag=etag)
    assert get(site, part) is False
    assert "Range" not in site.requests[-1][1]
    assert part.read_bytes() == CONTENT


def test_last_modified_is_a_validator(site, part):
    date = "Sat, 21 Nov 2026 08:00:00 GMT"

    def first(handler):
        plain(handler, 200, CONTENT[:500], Content_Length=len(CONTENT), Last_Modified=date)

    site.answer = first
    with pytest.raises(DownloadFailed):
        get(site, part)
    site.answer = lambda handler: site.content(handler, CONTENT, etag=date)
    assert get(site, part) is True
    assert part.read_bytes() == CONTENT


def test_part_from_another_address_is_not_used(site, part):
    interrupted(site, part)
    site.answer = lambda handler: site.content(handler, CONTENT)
    assert get(site, part, path="/elsewhere") is False
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("note", [b"", b"[]", b"{}", b"\xff", b'{"url": 1, "validator": 2}'])
def test_damaged_note_means_from_the_start(site, part, note):
    interrupted(site, part)
    module.part_note(part).write_bytes(note)
    assert get_whole(site, part) is False
    assert part.read_bytes() == CONTENT


def get_whole(site, part):
    site.answer = lambda handler: site.content(handler, CONTENT)
    return get(site, part)


@pytest.mark.parametrize("status", [206, 416])
def test_strange_answer_to_a_range_means_from_the_start(site, part, status):
    interrupted(site, part)

    def answer(handler):
        if "Range" in handler.headers:
            plain(handler, status, b"xyz", Content_Range="bytes 7-9/10")
        else:
            site.content(handler, CONTENT)

    site.answer = answer
    assert get(site, part) is False
    assert part.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [204, 206, 403, 404, 416, 500, 503])
def test_status_is_told(site, part, status):
    site.answer = lambda handler: plain(handler, status)
    with pytest.raises(DownloadFailed) as failure:
        get(site, part)
    assert str(status) in failure.value.message or status == 416
    assert f"{site.url}/w answered" in failure.value.message
    assert failure.value.hint
    assert not part.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<p>Sign in", "text/html; charset=utf-8"),
        (b"\n <!DOCTYPE HTML><html>", None),
        (b"<html lang=en>", None),
    ],
)
def test_captive_portal_is_recognised_and_spares_the_part(site, part, body, kind):
    interrupted(site, part)
    site.answer = lambda handler: plain(handler, 200, body, Content_Type=kind)
    with pytest.raises(DownloadFailed, match="web page") as failure:
        get(site, part)
    assert "browser" in failure.value.hint
    assert part.read_bytes() == CONTENT[:300_000]


def test_wrong_length_is_refused_before_the_part_is_touched(site, part):
    interrupted(site, part)
    for other in (CONTENT[:-1], CONTENT + b"x"):
        site.answer = lambda handler, other=other: site.content(handler, other, ranges=False)
        with pytest.raises(DownloadFailed, match="1,004,000"):
            get(site, part)
    assert part.read_bytes() == CONTENT[:300_000]


def test_body_without_length_that_does_not_end(site, part):
    site.answer = lambda handler: plain(handler, 200, CONTENT + b"more", Content_Length=None)
    with pytest.raises(DownloadFailed, match="longer than"):
        get(site, part)
    assert part.stat().st_size == 0


def test_body_without_length(site, part):
    site.answer = lambda handler: plain(handler, 200, CONTENT, Content_Length=None)
    assert get(site, part) is False
    assert part.read_bytes() == CONTENT


def test_silent_server_times_out_and_the_part_is_kept(site, part, monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT_S", 0.2)
    released = threading.Event()

    def answer(handler):
        plain(handler, 200, CONTENT[:700], Content_Length=len(CONTENT))
        released.wait(10)

    site.answer = answer
    with pytest.raises(DownloadFailed, match="timed out"):
        get(site, part)
    released.set()
    assert part.read_bytes() == CONTENT[:700]


def test_nobody_listens(site, part):
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        download("http://127.0.0.1:9/w", part, 10, print)
    site.answer = lambda handler: handler.wfile.write(b"this is not HTTP\r\n\r\n")
    with pytest.raises(DownloadFailed, match="cannot be reached"):
        get(site, part)


def test_redirects_stay_safe(site, part):
    def answer(handler):
        if handler.path == "/w":
            plain(handler, 302, Location="/moved")
        elif handler.path == "/away":
            plain(handler, 302, Location=f"http://localhost:{site.port}/moved")
        elif handler.path == "/round":
            plain(handler, 302, Location="/round")
        else:
            site.content(handler, CONTENT)

    site.answer = answer
    with pytest.raises(DownloadFailed, match="not safe"):
        get(site, part, path="/away")
    with pytest.raises(DownloadFailed, match="302"):
        get(site, part, path="/round")
    assert "/moved" not in {path for path, _ in site.requests}
    assert get(site, part) is False
    assert part.read_bytes() == CONTENT


def test_redirect_to_a_file_is_refused(site, part):
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x"):
        site.answer = lambda handler, target=target: plain(handler, 302, Location=target)
        with pytest.raises(DownloadFailed):
            get(site, part)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_full_disk(site, part, monkeypatch):
    site.answer = lambda handler: site.content(handler, CONTENT)
    genuine = Path.open
    monkeypatch.setattr(
        Path,
        "open",
        lambda self, *how, **more: genuine(Path("/dev/full") if self == part else self, *how, **more),
    )
    with pytest.raises(DownloadFailed, match="full") as failure:
        get(site, part)
    assert "space" in failure.value.hint
