"""Sort pictures by who is in them, given a folder with a folder of pictures per person.

python examples/identify.py examples/photos/known examples/photos/unknown
"""

import sys
from collections import defaultdict
from pathlib import Path

from mien import Failure, Mien, MienError


def main(known: Path, pictures: Path) -> dict[str, list[str]]:
    """Enrol everybody of `known`, then look for them; gives the pictures of each person."""
    mien = Mien()
    for folder in sorted(path for path in known.iterdir() if path.is_dir()):
        try:
            mien.enroll(folder.name, folder, face="largest")
        except MienError as error:
            sys.stderr.write(f"{folder.name} is left out: {error} {error.hint}\n")

    found: dict[str, list[str]] = defaultdict(list)
    for result in mien.identify_all(pictures):
        if isinstance(result, Failure):
            sys.stderr.write(f"{result.source}: {result.error}\n")
            continue
        for name in result.names:
            found[name or "unknown"].append(result.image.source or "")
    return dict(found)


if __name__ == "__main__":
    for person, sources in sorted(main(Path(sys.argv[1]), Path(sys.argv[2])).items()):
        print(f"{person}: {', '.join(sources)}")
