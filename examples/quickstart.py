"""Find, compare and recognise faces in the demo photographs.

python examples/quickstart.py
"""

from pathlib import Path

from mien import Mien

PHOTOS = Path(__file__).parent / "photos"


def main() -> None:
    """Detect, verify, enrol and identify."""
    mien = Mien()

    faces = mien.detect(PHOTOS / "unknown" / "portrait-2012.jpg")
    for face in faces:
        print(f"a face of {face.width:.0f} x {face.height:.0f} pixels, score {face.score:.2f}")

    same = mien.verify(
        PHOTOS / "known" / "Barack Obama" / "congress-2009.jpg", PHOTOS / "unknown" / "portrait-2012.jpg"
    )
    answer = "the same person" if same.verified else "different people"
    print(f"{answer}: {same.metric} distance {same.distance:.3f}, threshold {same.threshold}")

    for folder in sorted((PHOTOS / "known").iterdir()):
        mien.enroll(folder.name, folder)
    for name in ("portrait-2012.jpg", "blue-room.jpg"):
        for _, match in mien.identify(PHOTOS / "unknown" / name):
            print(f"{name}: {match.person if match else 'unknown'}")


if __name__ == "__main__":
    main()
