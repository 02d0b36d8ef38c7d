"""Converting in a process of its own, for readers that are not ours and can crash or hang.

A file from a pack's manifest is known by its digest; one that somebody hands in may be made to break the
C library that reads it. There it may cost no more than the conversion.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from mien.convert.table import converter
from mien.errors import ConversionFailed

# Converters whose readers are native code, see `mien.convert.keras.network`.
NATIVE = frozenset({"keras"})

_MOST_BYTES = 4 << 30
_MOST_SECONDS = 120
_REFUSED = 3


def convert_apart(name: str, sources: Sequence[bytes]) -> bytes:
    """Convert in a child process with bounded memory and time; same result as the converter itself.

    Raises:
        ConversionFailed: As the converter, or it crashed, took too long or too much memory.
    """
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder, str(i)) for i in range(len(sources))]
        for path, content in zip(paths, sources, strict=True):
            path.write_bytes(content)
        made = Path(folder, "made")
        command = [sys.executable, "-m", "mien.convert.apart", name, str(made), *map(str, paths)]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_MOST_SECONDS, check=False)  # noqa: S603 - our own module
        except subprocess.TimeoutExpired as error:
            raise ConversionFailed(f"The file kept its reader busy for {_MOST_SECONDS} s.") from error
        if done.returncode == 0:
            return made.read_bytes()
        said = done.stderr.decode("utf-8", "replace").strip()
        if done.returncode == _REFUSED:
            message, _, hint = said.partition("\n")
            raise ConversionFailed(message, hint=hint or None)
        raise ConversionFailed(f"The file made its reader crash (exit {done.returncode}); it is damaged.")


def _main(name: str, made: str, *paths: str) -> int:
    try:
        import resource  # not on Windows, where only the time is bounded

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_BYTES, _MOST_BYTES))
    except (ImportError, ValueError):
        pass
    try:
        Path(made).write_bytes(converter(name)(*(Path(path).read_bytes() for path in paths)))
    except ConversionFailed as error:
        sys.stderr.write(f"{error.message}\n{error.hint}")
        return _REFUSED
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
