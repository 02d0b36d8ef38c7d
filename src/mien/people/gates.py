"""How good a face has to be to be enrolled: who is enrolled badly is mistaken for others for years."""

from __future__ import annotations

from dataclasses import dataclass

from mien.core.advice import reasons
from mien.core.faces import Face
from mien.errors import FaceRefused
from mien.settings import Gate


@dataclass(frozen=True, slots=True)
class Demands:
    """What a gate asks for.

    Attributes:
        needs: Columns that must be computed; without their packs nobody is enrolled.
        takes: Columns that are looked at where they can be computed.
        least_quality: Of `quality`; 0: any.
        advised: Whether a face is refused for whatever `mien.core.advice` finds to be better.
    """

    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    least_quality: float = 0.0
    advised: bool = False


# Half of the pairs with a face of quality below 0.5 fail (docs/benchmarks.md, "What quality predicts").
GATES: dict[Gate, Demands] = {
    "off": Demands(),
    "standard": Demands(needs=("quality_parts",), takes=("quality", "mask"), advised=True),
    "strict": Demands(
        needs=("quality_parts", "quality", "pose"),
        takes=("mask", "eyes_open"),
        least_quality=0.7,
        advised=True,
    ),
}


def let_pass(face: Face, gate: Gate, source: str) -> None:
    """Refuse a face that is not good enough.

    Args:
        face: With the columns that the gate needs.
        gate: Which.
        source: The photograph, for the message.

    Raises:
        FaceRefused: It is not; the message says what would help.
    """
    demands = GATES[gate]
    found = reasons(face) if demands.advised else ()
    said = ", ".join(reason.text for reason in found)
    if not said and face.quality is not None and face.quality < demands.least_quality:
        said = f"quality {face.quality:.2f} is below {demands.least_quality:.2f}"
    if said:
        raise FaceRefused(f"The face in {source} is not good enough to enrol ({gate}): {said}.")
