"""The documentation cannot lie: what it says is generated, run or looked up here."""

import contextlib
import importlib.util
import io
import json
import os
import re
import runpy
import shlex
import shutil
import socket
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import numpy as np
import PIL.Image
import pytest
import typer

from mien import Image, errors
from mien.cli.main import app, run
from mien.packs.manifest import Manifest
from mien.serving import Serving
from mien.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
READMES = ("README.md", "README.zh-CN.md")
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("examples/**/*.md")])
FENCED = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")


def name(page):
    return str(page.relative_to(ROOT)) if isinstance(page, Path) else None


def blocks(page, language):
    return [body for found, body in FENCED.findall(page.read_text("utf-8")) if found == language]


def shell_lines(page):
    return [line for block in blocks(page, "sh") for line in block.splitlines()]


def with_blocks(language):
    return [page for page in PAGES if blocks(page, language)]


@pytest.fixture(scope="module")
def generate():
    spec = importlib.util.spec_from_file_location("docs_generate", ROOT / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def clone(tmp_path, mien_home, monkeypatch):
    """A working folder like a clone, with the starter installed, no choices made and no network."""

    def refuse(*_):
        raise AssertionError("the network was used")

    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    for variable in [variable for variable in os.environ if variable.startswith("MIEN_")]:
        monkeypatch.delenv(variable)
    home = tmp_path / "home"  # of its own, for people are kept
    home.mkdir()
    (home / "packs").symlink_to(mien_home / "packs")
    monkeypatch.setenv("MIEN_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "200")
    for call in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, call, refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    return tmp_path


def test_generated_parts_are_current(generate):
    assert [name(path) for path in generate.stale(ROOT)] == []
    assert generate.main(["--check"]) == 0


def test_every_part_is_used_and_a_changed_one_is_noticed(generate, tmp_path):
    pages = "".join(page.read_text("utf-8") for page in PAGES)
    assert set(re.findall(r"<!-- generated: (\S+) -->", pages)) == set(generate.PARTS)
    (tmp_path / "README.md").write_text("<!-- generated: exit-codes -->\nold\n<!-- end -->\n", "utf-8")
    assert tmp_path / "README.md" in generate.stale(tmp_path)
    (tmp_path / "README.md").write_text("<!-- generated: exit-codes -->\n", "utf-8")
    with pytest.raises(SystemExit, match="no end"):
        generate.stale(tmp_path)


def test_the_two_commands_are_those_of_ci():
    first = blocks(ROOT / "README.md", "sh")[0].splitlines()
    assert first == ["make demo", "make test"]
    assert set(first) <= set((ROOT / ".ci" / "run").read_text("utf-8").splitlines())


def test_every_make_target_that_is_named_exists():
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    text = "".join(page.read_text("utf-8") for page in PAGES)
    named = set(re.findall(r"(?:`|^|\()make ([a-z0-9-]+)", text, re.MULTILINE))
    assert {"demo", "test", "check", "bench-lfw"} <= named <= targets


@pytest.mark.parametrize("page", with_blocks("python"), ids=name)
def test_python_runs_and_prints_what_is_said(page, clone):
    for block in blocks(page, "python"):
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(block, str(page), "exec"), {"__name__": "__main__"})
        said = re.findall(r"print\(.*\)  # (.+)", block)
        if said:
            assert printed.getvalue().splitlines() == said
        else:
            assert "print(" not in block or printed.getvalue()


def of_today(block):
    """Whether the commands of a block are about the set `open`, which has to be fetched."""
    return "mien packs install open" in block


def of_thresholds(block):
    """Whether the commands of a block want photographs of many people."""
    return "mien calibrate" in block


def of_the_server(block):
    """Whether the commands of a block start a server, or ask one."""
    return "mien serve" in block or "curl" in block


def test_commands_of_the_readme_about_the_server_run(clone, monkeypatch):
    if not shutil.which("curl"):
        pytest.skip("needs curl")
    monkeypatch.undo()  # the network is this machine's own
    environ = {**os.environ, "MIEN_HOME": str(clone / "home")}
    start, asks = (block for block in blocks(ROOT / "README.md", "sh") if of_the_server(block))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    command = [sys.executable, "-m", "mien.cli", *shlex.split(start)[1:], "--port", str(port)]
    with subprocess.Popen(command, cwd=clone, env=environ, stderr=subprocess.DEVNULL) as server:
        try:
            again = "--retry 60 --retry-connrefused --retry-delay 1 --retry-all-errors"
            ready = f"curl -sf {again} 127.0.0.1:{port}/v1/health/ready"
            subprocess.run(shlex.split(ready), check=True, capture_output=True)
            said = [
                subprocess.run(
                    [*shlex.split(line.replace(":8000/", f":{port}/")), "-sS", "--fail-with-body"],
                    cwd=clone,
                    check=True,
                    capture_output=True,
                    text=True,
                ).stdout
                for line in asks.splitlines()
            ]
        finally:
            server.terminate()
            assert server.wait(60) == 0
    assert [next(iter(json.loads(text))) for text in said] == ["source", "name", "person", "source"]
    assert json.loads(said[-1])["people"][0]["person"] == "Obama"


def test_commands_about_the_set_open_run(clone, modern_home, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(modern_home))
    (block,) = [block for block in blocks(ROOT / "README.md", "sh") if of_today(block)]
    for line in block.splitlines():
        assert run(shlex.split(line)[1:]) == 0, line
    assert len(list((clone / "out" / "hidden").iterdir())) == 8


def test_commands_of_the_readme_run(clone, capfd):
    starter = [
        block
        for block in blocks(ROOT / "README.md", "sh")
        if not of_today(block) and not of_thresholds(block) and not of_the_server(block)
    ]
    lines = [line for block in starter for line in block.splitlines() if line.startswith("mien ")]
    assert {line.split()[1] for line in lines} == {
        *("analyze", "verify", "identify", "packs", "info"),
        *("enroll", "search", "people", "gallery", "audit", "cluster", "missing"),
    }
    for line in lines:
        code = re.search(r"# exit code (\d+)", line)
        assert run(shlex.split(line, comments=True)[1:]) == (int(code[1]) if code else 0), line
    assert len(list((clone / "out" / "drawn").iterdir())) == 8
    out = capfd.readouterr().out
    for answer in blocks(ROOT / "README.md", "text")[1].splitlines():
        assert without_numbers(answer) in without_numbers(out)


@pytest.fixture
def photographs_of_people(clone, shared):
    """What the README calls people, people-of-this-year and pairs.txt, out of LFW."""
    folders = [
        folder for folder in sorted(shared("data/lfw/images").iterdir()) if len(list(folder.iterdir())) > 1
    ]
    names = ["Ada", *(folder.name for folder in folders[1:300])]
    for number, (name, folder) in enumerate(zip(names, folders, strict=False)):
        place = clone / ("people" if number < 200 else "people-of-this-year") / name
        place.mkdir(parents=True)
        for i, photo in enumerate(sorted(folder.iterdir())[:2], 1):
            (place / f"{i}.jpg").symlink_to(photo)
    lines = [f"{name}/1.jpg,{name}/2.jpg,yes\n" for name in names[:6]]
    lines += [f"{a}/1.jpg,{b}/1.jpg,no\n" for a, b in zip(names[:6], names[6:12], strict=True)]
    (clone / "pairs.txt").write_text("one,other,same\n" + "".join(lines))


@pytest.mark.slow
def test_commands_of_the_readme_about_thresholds_run(
    clone, photographs_of_people, modern_home, monkeypatch, capfd
):
    home = clone / "modern"
    home.mkdir()
    (home / "packs").symlink_to(modern_home / "packs")
    monkeypatch.setenv("MIEN_HOME", str(home))
    (block,) = [block for block in blocks(ROOT / "README.md", "sh") if of_thresholds(block)]
    for line in block.splitlines():
        assert run(shlex.split(line)[1:]) == 0, (line, capfd.readouterr().err)
    out = capfd.readouterr().out
    assert "probability of one person" in out
    assert "Nothing speaks against the calibration" in out
    assert (clone / "out" / "calibration" / "report.html").is_file()
    assert (clone / "out" / "verification" / "report.html").is_file()


def without_numbers(text):
    return re.sub(r"\s+", " ", re.sub(r"\d+(\.\d+)?", "#", text)).strip()


def test_the_demo_prints_what_the_readme_shows(clone, capsys):
    assert run(["demo", "--out", "out/demo"]) == 0
    printed = {without_numbers(line) for line in capsys.readouterr().out.splitlines()}
    shown = blocks(ROOT / "README.md", "text")[0].splitlines()
    assert len(shown) > 10
    assert {without_numbers(line) for line in shown} <= printed
    assert (clone / "out" / "demo" / "report.html").is_file()


@pytest.mark.parametrize("page", with_blocks("sh"), ids=name)
def test_commands_exist_with_their_options(page, generate):
    known = dict(generate.walk(typer.main.get_command(app), "mien"))
    for line in shell_lines(page):
        words = shlex.split(line, comments=True)
        if words[0] != "mien":
            continue
        command = next(" ".join(words[:n]) for n in range(len(words), 0, -1) if " ".join(words[:n]) in known)
        options = {option for found in known[command].params for option in found.opts}
        assert {word for word in words if word.startswith("-")} <= options, line


def test_every_command_and_option_is_documented():
    # From Typer's own registrations, not by the walk of the generator.
    page = (ROOT / "docs" / "cli.md").read_text("utf-8")
    sections = dict(re.findall(r"^## `(mien[a-z -]*)`\n(.*?)(?=^## |\Z)", page, re.MULTILINE | re.DOTALL))
    groups = [
        ("mien", app),
        *((f"mien {group.name}", group.typer_instance) for group in app.registered_groups),
    ]
    expected = {prefix for prefix, _ in groups}
    for prefix, group in groups:
        for command in group.registered_commands:
            words = f"{prefix} {(command.name or command.callback.__name__).rstrip('_')}"
            expected.add(words)
            assert command.callback.__doc__.splitlines()[0] in sections[words]
    assert set(sections) == expected
    for option in ("--known DIR", "--largest", "--jsonl", "--device DEVICE", "-k, --candidates"):
        assert f"`{option}" in page


def test_every_error_is_documented():
    page = (ROOT / "docs" / "errors.md").read_text("utf-8")
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    assert len(kinds) > 20
    for kind in kinds:
        assert f"| `{kind.__name__}` | `{kind.code}` |" in page


def test_every_setting_is_documented():
    page = (ROOT / "docs" / "settings.md").read_text("utf-8")
    for setting in {*Settings.__struct_fields__} - {"server"}:
        assert f"| `{setting}` | `MIEN_{setting.upper()}` |" in page
    for setting in Serving.__struct_fields__:
        assert f"| `{setting}` | `MIEN_SERVER_{setting.upper()}` |" in page


def test_toml_is_valid():
    for page, kind in (("packs.md", Manifest), ("settings.md", Settings)):
        found = blocks(ROOT / "docs" / page, "toml")
        assert len(found) == 1
        msgspec.convert(tomllib.loads(found[0]), kind)


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_links_lead_somewhere(page):
    for link in LINK.findall(page.read_text("utf-8")):
        if "://" not in link:
            assert (page.parent / link).exists(), f"{name(page)} links to {link}"


def test_every_page_is_reachable():
    seen, waiting = set(), [ROOT / "README.md"]
    while waiting:
        page = waiting.pop()
        if page not in seen:
            seen.add(page)
            links = [
                link
                for link in LINK.findall(page.read_text("utf-8"))
                if link.endswith(".md") and "://" not in link
            ]
            waiting += [(page.parent / link).resolve() for link in links]
    assert seen >= set(PAGES)


def test_both_readmes_say_the_same():
    english, chinese = ((ROOT / page).read_text("utf-8") for page in READMES)
    for same in (
        lambda text: [len(marks) for marks in re.findall(r"^(#+) ", FENCED.sub("", text), re.MULTILINE)],
        lambda text: FENCED.findall(text),
        lambda text: [link for link in LINK.findall(text) if link not in READMES],
        lambda text: len(re.findall(r"^- ", text, re.MULTILINE)),
        lambda text: sorted(re.findall(r"(?<!`)`([^`\n]+)`(?!`)", FENCED.sub("", text))),
    ):
        assert same(english) == same(chinese)
    assert READMES[1] in LINK.findall(english)
    assert READMES[0] in LINK.findall(chinese)


def test_the_changelog_has_this_version():
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    text = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(version)}\] - (Unreleased|\d{{4}}-\d\d-\d\d)$", text, re.MULTILINE)


def test_decisions_are_numbered_and_say_why():
    pages = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    assert [page.name[:3] for page in pages] == [f"{i:03}" for i in range(1, len(pages) + 1)]
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {page.name[:3]}: ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Context", "Decision", "Consequences"]


def test_examples_run(clone, capsys):
    runpy.run_path(str(ROOT / "examples" / "quickstart.py"), run_name="__main__")
    assert "portrait-2012.jpg: Barack Obama\nblue-room.jpg: unknown\n" in capsys.readouterr().out
    to_csv = runpy.run_path(str(ROOT / "examples" / "folder_to_csv.py"))["main"]
    assert to_csv(ROOT / "examples" / "photos", clone / "faces.csv") == 0
    assert len((clone / "faces.csv").read_text("utf-8").splitlines()) == 1 + 7
    who = runpy.run_path(str(ROOT / "examples" / "identify.py"))["main"]
    found = who(ROOT / "examples" / "photos" / "known", ROOT / "examples" / "photos" / "unknown")
    assert {person: len(pictures) for person, pictures in found.items()} == {"Barack Obama": 2, "unknown": 1}


def test_turned_faces_are_missed_as_the_readme_says(kit, photos):
    portraits = sorted((photos / "known").rglob("*.jpg"))

    def found(degrees):
        turned = (PIL.Image.open(path).convert("RGB").rotate(degrees, expand=True) for path in portraits)
        return sum(len(kit.detect(Image.from_rgb(np.asarray(picture)))) for picture in turned)

    assert found(-30) == len(portraits)
    assert found(-90) < len(portraits)


def test_nothing_is_kept_outside_of_the_home(mien_home, photos, tmp_path):
    # The reporter keeps a device number and a database in the cache; it stays away from CI machines.
    environment = {"MIEN_HOME": str(mien_home), "HOME": str(tmp_path), "PATH": os.environ["PATH"]}
    code = f"from mien import Mien; Mien().detect({str(photos / 'unknown' / 'rocket.jpg')!r})"
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert list(tmp_path.rglob("*")) == []
