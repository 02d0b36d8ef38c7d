"""`mien serve` as a process of its own: to be watched, told to stop, and killed."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import httpx

_ADDRESS = re.compile(r"Uvicorn running on (https?://[^ ]+)")
_SERVE = "import sys; from mien.cli.main import main; sys.argv = ['mien', *sys.argv[1:]]; main()"


class Process:
    """A running `mien serve`.

    Attributes:
        url: Where it answers.
        log: The file to which its standard error goes.
    """

    def __init__(self, home, words, environ):
        self.log = home / "serve.log"
        self._before = self.log.stat().st_size if self.log.exists() else 0
        with self.log.open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-c", _SERVE, "serve", "--port", "0", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={
                    **os.environ,
                    "MIEN_HOME": str(home),
                    "MIEN_THREADS": "1",
                    "OMP_NUM_THREADS": "1",
                    **environ,
                },
                start_new_session=True,
            )
        self.url = self._address()

    def said(self):
        """What it wrote since it was started."""
        with self.log.open("rb") as file:
            file.seek(self._before)
            return file.read().decode()

    def lines(self):
        """The lines of JSON that it wrote."""
        return [json.loads(line) for line in self.said().splitlines() if line.startswith("{")]

    def client(self, **options):
        return httpx.Client(base_url=self.url, trust_env=False, **{"timeout": 60, **options})

    def ready(self, workers=1):
        """Wait until it answers."""
        end = time.monotonic() + 120
        while sum(line["event"] == "started" for line in self.lines()) < workers:
            self._alive(end)
        with self.client() as client:
            while client.get("/v1/health/ready", headers={"connection": "close"}).status_code != 200:
                self._alive(end)
        return self

    def pids(self):
        """Of all its processes."""
        found, children = {self.child.pid}, {}
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
                except OSError:
                    continue
                children.setdefault(parent, set()).add(int(folder.name))
        waiting = [self.child.pid]
        while waiting:
            new = children.get(waiting.pop(), set()) - found
            found |= new
            waiting += new
        return found

    def memory(self, what="VmRSS"):
        """Bytes that it holds, or the most that it ever held (`VmHWM`); of one worker."""
        status = Path(f"/proc/{self.child.pid}/status").read_text()
        return int(re.search(rf"{what}:\s+(\d+) kB", status)[1]) * 1024

    def forget_peak(self):
        """Measure `VmHWM` from now on."""
        Path(f"/proc/{self.child.pid}/clear_refs").write_text("5")

    def files(self):
        """How many files and connections it holds."""
        return len(list(Path(f"/proc/{self.child.pid}/fd").iterdir()))

    def kill(self):
        """End it in the middle of whatever it does, with all its workers."""
        for pid in self.pids():
            os.kill(pid, signal.SIGKILL)
        self.child.wait()

    def stop(self, timeout_s=60):
        """Tell it to stop; its exit code."""
        if self.child.poll() is None:
            self.child.terminate()
        return self.child.wait(timeout_s)

    def _address(self):
        end = time.monotonic() + 60
        while (found := _ADDRESS.search(self.said())) is None:
            self._alive(end)
        return found[1]

    def _alive(self, end):
        assert self.child.poll() is None, f"it ended: {self.said()}"
        assert time.monotonic() < end, f"it does not answer: {self.said()}"
        time.sleep(0.02)


@contextmanager
def serving(home, packs_home, *words, workers=1, wait=True, **environ):
    """Serve from a home with the packs of another one, and end it whatever happens."""
    home.mkdir(exist_ok=True)
    if not (home / "packs").exists():
        (home / "packs").symlink_to(packs_home / "packs")
    process = Process(home, ("--workers", str(workers), *words), environ)
    try:
        if wait:
            process.ready(workers)
        yield process
    finally:
        if process.child.poll() is None:
            process.kill()
