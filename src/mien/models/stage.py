"""What every family is: a stage that adds columns to the faces of a batch of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Protocol, TypeVar

import msgspec

from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import ManifestInvalid
from mien.packs.manifest import Manifest

T = TypeVar("T")

# Kinds of facts; a manifest that leaves their range is refused when it is read.
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=1)]


class Stage(Protocol):
    """One step of the pipeline.

    A stage sees a batch of pictures at once and batches the crops of all their faces. It never
    changes what another stage wrote.

    Attributes:
        name: The pack it comes from.
        needs: Columns that must be there before it runs.
        gives: Columns it adds.
    """

    @property
    def name(self) -> str: ...  # noqa: D102

    @property
    def needs(self) -> frozenset[str]: ...  # noqa: D102

    @property
    def gives(self) -> frozenset[str]: ...  # noqa: D102

    def __call__(self, images: Sequence[Image], faces: Sequence[Faces]) -> list[Faces]:
        """Return the faces with the new columns, in the order of the pictures."""
        ...


def read_facts(manifest: Manifest, kind: type[T]) -> T:
    """Check the `[facts]` of a manifest against what its family needs.

    Raises:
        ManifestInvalid: A fact is missing, unknown or of the wrong type.
    """
    try:
        facts: Any = msgspec.convert(manifest.facts, kind)
    except msgspec.ValidationError as error:
        raise ManifestInvalid(
            f"The facts of pack {manifest.name} do not fit family {manifest.family}: {error}."
        ) from error
    found: T = facts
    return found


def spread(values: Any, faces: Sequence[Faces]) -> list[Any]:  # noqa: ANN401
    """Split rows computed for the faces of a whole batch back into one piece per picture."""
    pieces, start = [], 0
    for one in faces:
        pieces.append(values[start : start + len(one)])
        start += len(one)
    return pieces
