"""Write where the faces in a folder are to a CSV file, of any number of pictures.

python examples/folder_to_csv.py examples/photos faces.csv
"""

import csv
import sys
from pathlib import Path

from mien import Failure, Mien


def main(folder: Path, table: Path) -> int:
    """Analyse a folder; returns how many pictures failed."""
    failed = 0
    with table.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["picture", "x1", "y1", "x2", "y2", "score"])
        for result in Mien().analyze(folder):
            if isinstance(result, Failure):
                failed += 1
                sys.stderr.write(f"{result.source}: {result.error} {result.error.hint}\n")
                continue
            for face in result.faces:
                writer.writerow([result.source, *(f"{side:.1f}" for side in face.box), f"{face.score:.3f}"])
    return failed


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1]), Path(sys.argv[2])) else 0)
