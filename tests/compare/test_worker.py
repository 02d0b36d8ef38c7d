import json
import os
import time

import pytest

from mien.compare.contestants.answering import central
from mien.compare.worker import Patience, Withdrawn, Worker, environment

SOON = Patience(open_s=20, photo_s=20)

HANGS = """
    import time

    class Contestant:
        threshold, versions = None, {}

        def __init__(self, options):
            pass

        def look_at(self, path):
            time.sleep(600)
"""
ANSWERS = """
    import sys
    sys.stdin.readline()
    print('{{"type": "opened", "versions": {{}}, "threshold": null}}', flush=True)
    for line in sys.stdin:
        print({answer!r}, flush=True)
"""


def opened(entry, patience=SOON):
    return Worker(entry.command, entry.options, install=entry.install, patience=patience)


def test_answers_for_photographs_and_pairs(contestant):
    with opened(contestant()) as worker:
        assert worker.opened.versions == {"Fake": "1.0"}
        assert worker.opened.threshold == 0.5
        seen = worker.look(["a/5", "a/1,6,9", "a/none"])
        assert seen.faces == [1, 3, 0]
        assert seen.seconds > 0
        # Of 1, 6 and 9 in a picture ten wide the 6 is nearest the centre.
        assert worker.judge([("a/5", "a/1,6,9"), ("a/5", "a/none"), ("a/5", "a/5")]) == [1.0, None, 0.0]


def test_what_it_prints_is_no_answer(contestant):
    script = """
        import os
        os.write(1, b"{}\\n")
        print("{}")
        class Contestant:
            threshold, versions = None, {}
            def __init__(self, options): print("{}")
            def look_at(self, path): os.write(1, b"noise\\n"); return (1, 1), [], []
    """
    with opened(contestant(script)) as worker:
        assert worker.look(["x"]).faces == [0]


def test_a_folder_is_handed_over_at_once_to_who_can_take_it(contestant):
    script = """
        class Contestant:
            threshold, versions = None, {}
            def __init__(self, options): pass
            def look(self, paths):
                n = len(paths)
                return [((1, 1), [(0, 0, 1, 1)] * n, [0.0] * n)] * n
    """
    with opened(contestant(script)) as worker:
        assert worker.look(["x", "y", "z"]).faces == [3, 3, 3]


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("import no_such_package_here", "is not installed: No module named 'no_such_package_here'."),
        (
            "print('Please install the models'); raise SystemExit",
            "is not installed: ended: Please install the models",
        ),
        ("raise RuntimeError('first\\nand last line')", "ended: and last line"),
        (
            "class Contestant:\n        def __init__(self, options): raise ValueError('no such card')",
            "ended: ValueError: no such card",
        ),
        ("import os; os._exit(3)", "ended with code 3."),
        ("import os; os.abort()", "ended"),
    ],
)
def test_one_that_cannot_open_says_why(contestant, script, said):
    with pytest.raises(Withdrawn) as caught:
        opened(contestant(script))
    assert caught.value.message.startswith(said)
    assert caught.value.hint == ("pip install fake" if "not installed" in said else "")


@pytest.mark.parametrize(
    "reach",
    [
        "import socket; socket.create_connection(('weights.example', 443))",
        "import socket; socket.socket().connect(('192.0.2.1', 443))",
        "import urllib.request; urllib.request.urlopen('http://weights.example/a.onnx')",
    ],
)
def test_one_that_wants_a_download_is_refused(contestant, reach):
    with pytest.raises(
        Withdrawn, match=r"wants to fetch weights from (weights\.example|192\.0\.2\.1), which"
    ):
        opened(contestant(reach))


def test_the_network_stays_closed_later_too(contestant):
    script = """
        import socket
        class Contestant:
            threshold, versions = None, {}
            def __init__(self, options): pass
            def look_at(self, path): socket.create_connection(("elsewhere.example", 80))
    """
    with (
        opened(contestant(script)) as worker,
        pytest.raises(Withdrawn, match=r"elsewhere\.example is not to be"),
    ):
        worker.look(["x"])


def test_an_error_with_a_hint_keeps_it(contestant):
    script = """
        class Odd(Exception):
            hint = "mien packs install yunet"
        raise Odd("The pack yunet is not installed.")
    """
    with pytest.raises(Withdrawn, match="yunet is not installed") as caught:
        opened(contestant(script))
    assert caught.value.hint == "mien packs install yunet"


def test_one_that_crashes_on_the_way_says_its_last_line(contestant):
    script = """
        class Contestant:
            threshold, versions = None, {}
            def __init__(self, options): pass
            def look_at(self, path): raise KeyError("gone")
    """
    with opened(contestant(script)) as worker, pytest.raises(Withdrawn, match="ended: KeyError: 'gone'"):
        worker.look(["x"])


def test_one_that_hangs_is_ended(contestant):
    with opened(contestant(HANGS), Patience(20, 0.2)) as worker:
        process = worker._process
        with pytest.raises(Withdrawn, match="did not answer within 1 seconds"):
            worker.look(["x"] * 5)
    assert process.returncode is not None
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_one_that_never_opens_is_ended(contestant):
    start = time.monotonic()
    with pytest.raises(Withdrawn, match="did not answer"):
        opened(contestant("import time; time.sleep(600)"), Patience(0.3, 1))
    assert time.monotonic() - start < 100


@pytest.mark.parametrize(
    "answer",
    [
        "rubbish",
        "",
        "[]",
        "{}",
        '{"type": "judged", "distances": []}',
        '{"type": "looked", "seconds": NaN, "faces": [1, 1], "memory_mb": 1.0}',
        '{"type": "looked", "seconds": "1", "faces": [1, 1], "memory_mb": 1.0}',
        '{"type": "looked", "seconds": 1.0, "faces": [1.5, 1], "memory_mb": 1.0}',
        '{"type": "looked", "seconds": 1.0}',
    ],
)
def test_what_is_no_answer_ends_it(contestant, answer):
    entry = contestant(ANSWERS.format(answer=answer), bare=True)
    with opened(entry) as worker, pytest.raises(Withdrawn, match="something that is no answer"):
        worker.look(["x", "y"])


@pytest.mark.parametrize(
    ("faces", "seconds"), [([1], 1.0), ([1, 1, 1], 1.0), ([1, -1], 1.0), ([1, 1], 0.0), ([1, 1], -1.0)]
)
def test_a_wrong_count_or_time_ends_it(contestant, faces, seconds):
    answer = json.dumps({"type": "looked", "seconds": seconds, "faces": faces, "memory_mb": None})
    entry = contestant(ANSWERS.format(answer=answer), bare=True)
    with opened(entry) as worker, pytest.raises(Withdrawn, match="photographs of 2"):
        worker.look(["x", "y"])


@pytest.mark.parametrize("distances", [[], [1.0], [1.0, 2.0, 3.0]])
def test_a_wrong_number_of_distances_ends_it(contestant, distances):
    entry = contestant(
        ANSWERS.format(answer=json.dumps({"type": "judged", "distances": distances})), bare=True
    )
    with opened(entry) as worker, pytest.raises(Withdrawn, match="pairs of 2"):
        worker.judge([("x", "y"), ("x", "x")])


def test_a_distance_that_is_no_number_ends_it(contestant):
    script = """
        class Contestant:
            threshold, versions = None, {}
            def __init__(self, options): pass
            def look_at(self, path): return (1, 1), [(0, 0, 1, 1)], [0.0]
            def distance(self, a, b): return float("nan")
    """
    with opened(contestant(script)) as worker:
        worker.look(["x"])
        with pytest.raises(Withdrawn, match="ended: ValueError: Out of range float"):
            worker.judge([("x", "x")])


def test_a_line_without_end_ends_it(contestant, monkeypatch):
    monkeypatch.setattr("mien.compare.worker._LONGEST_LINE", 1000)
    entry = contestant("import sys\nwhile True: sys.stdout.write('x' * 100)", bare=True)
    with pytest.raises(Withdrawn, match="something that is no answer"):
        opened(entry)


def test_one_that_talks_on_and_on_is_ended(contestant):
    script = """
        print('{"type": "opened", "versions": {}, "threshold": null}', flush=True)
        while True:
            print("{}", flush=True)
    """
    with opened(contestant(script, bare=True)) as worker:
        process = worker._process
        with pytest.raises(Withdrawn, match="something that is no answer"):
            worker.look(["x"])
    assert process.returncode is not None


def test_an_interpreter_that_is_none(tmp_path):
    with pytest.raises(Withdrawn, match="cannot be started"):
        Worker([str(tmp_path / "python")], {"threads": 1})


def test_threads_are_bounded_in_the_child(contestant):
    script = """
        import os
        class Contestant:
            threshold = None
            def __init__(self, options):
                cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
                self.versions = {"cores": str(cores), "OMP": os.environ["OMP_NUM_THREADS"]}
    """
    with opened(contestant(script)) as worker:
        assert worker.opened.versions == {"cores": "1", "OMP": "1"}
    assert set(environment(3).values()) >= {"3", "PASSIVE"}


def test_nothing_is_written(contestant, tmp_path, monkeypatch):
    """Vectors are biometric data: they stay in the process."""
    entry = contestant()
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with opened(entry) as worker:
        worker.look(["3", "4"])
        worker.judge([("3", "4")])
        assert not list(worker._words)[1:]  # one line that the fake prints
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize(
    ("boxes", "index"),
    [([(0, 0, 2, 2)], 0), ([(0, 0, 2, 2), (4, 4, 6, 6)], 1), ([(4, 4, 6, 6), (4, 4, 6, 6)], 0)],
)
def test_central(boxes, index):
    assert central((10, 10), boxes) == index


def test_the_runner_needs_nothing_but_python(contestant):
    python, *script = contestant().command
    with Worker([python, "-I", "-S", *script], {"threads": 1}, patience=SOON) as worker:
        assert worker.look(["5"]).faces == [1]
