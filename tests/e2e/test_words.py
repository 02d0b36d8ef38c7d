"""The two languages of the console, and whether what the code says is in them. Needs no browser."""

import re
from collections import Counter
from pathlib import Path

import pytest

import mien
import mien.server
from mien.core.columns import COLUMNS

CONSOLE = Path(mien.server.__file__).parent / "console"
LANGUAGES = ("en", "zh")
WORD = re.compile(r'^  "(?P<key>[^"]+)": (?P<text>.+),$', re.MULTILINE)
PLACE = re.compile(r"\{(\w+)\}")
# What counts as a use: a text in quotes, or with parts that are filled in.
PLAIN = re.compile(r'"([a-z][\w. -]*)"')
FILLED = re.compile(r"`([a-z][^`\n]*\$\{[^`\n]*)`")
NAMED = re.compile(r'\bnamed\("([^"]+)"')  # options of a choice
TOLD = re.compile(r'\bt\("([^"]+)"')


def words(language):
    found = []
    for topic in sorted((CONSOLE / "words" / language).glob("*.js")):
        found += [(one["key"], one["text"]) for one in WORD.finditer(topic.read_text())]
    return found


def code():
    files = [*CONSOLE.glob("js/**/*.js"), *CONSOLE.glob("pages/**/*.js")]
    return "\n".join(file.read_text() for file in files)


@pytest.fixture(scope="module")
def tables():
    return {language: dict(words(language)) for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_key_is_in_two_topics(language):
    counts = Counter(key for key, _ in words(language))
    assert [key for key, count in counts.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_line_of_a_topic_is_read_by_this_test(language):
    for topic in (CONSOLE / "words" / language).glob("*.js"):
        text = topic.read_text()
        assert len(WORD.findall(text)) == sum(line.startswith('  "') for line in text.splitlines()), topic


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_topic_is_in_the_table_of_its_language(language):
    table = (CONSOLE / "words" / f"{language}.js").read_text()
    for topic in (CONSOLE / "words" / language).glob("*.js"):
        assert f'import {{ words as {topic.stem} }} from "./{language}/{topic.name}";' in table
        assert f"...{topic.stem}," in table


def test_both_languages_have_the_same_keys(tables):
    assert tables["en"].keys() == tables["zh"].keys()


def test_texts_of_both_languages_name_the_same_values(tables):
    differing = [
        key
        for key in tables["en"].keys() & tables["zh"].keys()
        if set(PLACE.findall(tables["en"][key])) != set(PLACE.findall(tables["zh"][key]))
    ]
    assert differing == []


def test_chinese_texts_are_chinese(tables):
    names = {"docs.title", "docs.file.base64"}  # which every language writes so
    english = re.compile(r"[A-Za-z]{3}")
    chinese = re.compile(r"[\u4e00-\u9fff]")
    texts = {key: PLACE.sub("", text) for key, text in tables["zh"].items() if key not in names}
    assert [key for key, text in texts.items() if english.search(text) and not chinese.search(text)] == []


def test_every_text_that_the_code_says_is_there(tables):
    assert {key for key in TOLD.findall(code()) if key not in tables["en"]} == set()


def test_every_text_is_said_somewhere(tables):
    said = code()
    plain = set(PLAIN.findall(said))
    patterns = [
        re.compile(".+".join(map(re.escape, re.split(r"\$\{.*?\}", one)))) for one in FILLED.findall(said)
    ]
    patterns += [re.compile(rf"{re.escape(prefix)}\..+") for prefix in NAMED.findall(said)]
    labels = {f"{column.name}.{label}" for column in COLUMNS for label in column.labels}
    unsaid = [
        key
        for key in tables["en"].keys() - plain - labels
        if key.removesuffix(".text") not in plain and not any(pattern.fullmatch(key) for pattern in patterns)
    ]
    assert unsaid == []


@pytest.mark.parametrize("column", ["gender", "expression", "pose", "eyes_open", "quality_parts"])
def test_everything_that_a_column_tells_has_a_word(tables, column):
    (found,) = (one for one in COLUMNS if one.name == column)
    key = "eyes" if column == "eyes_open" else column
    assert {label for label in found.labels if f"{key}.{label}" not in tables["en"]} == set()


def test_everything_that_is_installed_has_a_word(tables):
    columns = {column.name for column in COLUMNS if column.export}
    assert {name for name in columns if f"column.{name}" not in tables["en"]} == set()


def test_every_action_that_the_store_notes_has_a_sentence(tables):
    noted = set()
    for file in Path(mien.__file__).parent.glob("**/*.py"):
        text = file.read_text()
        noted |= set(re.findall(r'\.note\(\s*"([^"]+)"', text))
        noted |= set(re.findall(r'\baction(?:: str)? ?= ?"([^"]+)"', text))
    sentences = {key.removeprefix("audit.did.").partition(".")[0] for key in tables["en"]}
    assert len(noted) > 30
    assert (
        noted - {"Nobody is enrolled.", "Nothing in it looks like one.", "The folders say otherwise."}
        <= sentences
    )
