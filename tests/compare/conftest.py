import sys
import textwrap

import pytest

from mien.compare.peers import Entry
from mien.compare.worker import RUNNER

WORKS = """
    class Contestant:
        threshold = 0.5
        versions = {"Fake": "1.0"}

        def __init__(self, options):
            print("libraries print what they like")

        def look_at(self, path):
            # A photograph is called by where its faces are: "3,7" has two, "none" has none.
            name = path.rsplit("/", 1)[-1]
            places = [] if name == "none" else [float(word) for word in name.split(",")]
            return (10, 10), [(x - 1, 4, x + 1, 6) for x in places], places

        def distance(self, a, b):
            return abs(a - b)
"""


@pytest.fixture
def contestant(tmp_path):
    """Make an entry whose process runs a script through the runner, or with `bare` on its own."""

    def make(script=WORKS, name="fake", bare=False, rival=None, install="pip install fake", **options):
        path = tmp_path / f"{name}.py"
        path.write_text(textwrap.dedent(script))
        command = (sys.executable, str(path)) if bare else (sys.executable, str(RUNNER), str(path))
        told = {"threads": 1, "task": "embed", **options}
        return Entry(name, name.title(), "a + b", command, told, rival, install)

    return make
