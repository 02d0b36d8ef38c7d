"""`pack.toml`: everything known about one network, and nowhere else."""

from __future__ import annotations

import hashlib
import json
import math
import re
import tomllib
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from mien.core.columns import BY_NAME
from mien.errors import ManifestInvalid

T = TypeVar("T")

Metric = Literal["euclidean", "cosine"]
Colour = Literal["rgb", "bgr", "grey"]

MANIFEST_FILE = "pack.toml"
RECORD_FILE = "installed.json"

# Names become file names: no separators, no leading dot, nothing that a case-blind disk confuses.
NAME_PATTERN = r"^[a-z0-9][a-z0-9._-]*\Z"
Name = Annotated[str, Meta(pattern=NAME_PATTERN, max_length=100)]
# Sources keep the publisher's spelling, because a mirror serves them under it.
SourceName = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*\Z", max_length=200)]
Sha256 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
Side = Annotated[int, Meta(ge=1, le=16384)]


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A table of `pack.toml`: immutable, and a misspelt key is an error."""


class Licence(_Table, frozen=True):
    """What one may do with the weights.

    Attributes:
        id: SPDX identifier where one exists.
        name: Full name.
        url: Where its text or its grant can be read.
        commercial: Whether commercial use is allowed as far as the publisher and the data tell.
        restricted: Installation needs `--accept-licence`.
        note: What else a careful user should know.
    """

    id: str
    name: str
    url: str
    commercial: bool
    restricted: bool = False
    note: str = ""


class Origin(_Table, frozen=True):
    """Who made the network, from what.

    Attributes:
        authors: Who trained it, and who packaged it where that is someone else.
        paper: Citation with an identifier; empty if there is none.
        published: Year in which these weights were published.
        training_data: What it learned from, as far as is known.
    """

    authors: str
    paper: str
    published: str
    training_data: str


class Source(_Table, frozen=True):
    """One file as its publisher serves it.

    Attributes:
        name: Its name among all sources, the publisher's where that is not ambiguous; a mirror serves it
            under this name.
        url: `package:<distribution>/<path>`, `file:<path>`, `https://...`, or `bring:<where it is>` for
            a file that nobody serves on its own.
        sha256: Lower-case hexadecimal digest of the file.
        bytes: Its length; nothing longer is ever fetched.
    """

    name: SourceName
    url: str
    sha256: Sha256
    bytes: Annotated[int, Meta(ge=1)]


class File(_Table, frozen=True):
    """One file of the installed pack.

    Attributes:
        name: Its name in the pack.
        source: Name of the source it is made from, or the names in the order the converter wants them,
            for formats that keep the network and its weights apart.
        convert: Name of a converter (`mien.convert.table`); None copies the one source.
    """

    name: Name
    source: SourceName | Annotated[tuple[SourceName, ...], Meta(min_length=1, max_length=8)]
    convert: str | None = None

    def __post_init__(self) -> None:
        if self.convert is None and len(self.sources) > 1:
            raise ValueError("a file that is made of several sources needs a converter")

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources it is made from, in the converter's order."""
        return (self.source,) if isinstance(self.source, str) else self.source


class Input(_Table, frozen=True):
    """How pixels become a tensor: `(pixel - mean) * scale`, pixels in 0..255.

    Attributes:
        colour: Order of the channels the network wants.
        mean: One value per channel, in that order.
        scale: Multiplies what is left after subtracting the mean: one number, or one per channel.
        size_wh: Width and height; None for a network that takes any.
    """

    colour: Colour
    mean: tuple[float, ...]
    scale: float | tuple[float, ...]
    size_wh: tuple[Side, Side] | None = None

    def __post_init__(self) -> None:
        channels = 1 if self.colour == "grey" else 3
        if len(self.mean) != channels:
            raise ValueError(f"mean wants {channels} values for {self.colour}, got {len(self.mean)}")
        scale = self.scale if isinstance(self.scale, tuple) else (self.scale,) * channels
        if len(scale) != channels:
            raise ValueError(f"scale wants one value or {channels} for {self.colour}, got {len(scale)}")
        if not all(math.isfinite(value) for value in (*self.mean, *scale)) or 0 in scale:
            raise ValueError("mean and scale want finite numbers, and scale not 0")


class Threshold(_Table, frozen=True, kw_only=True):
    """Where "the same person" begins.

    Attributes:
        metric: What distances between embeddings of this network mean.
        distance: Pairs at this distance or nearer are taken for one person. Cosine distance is
            1 - cosine similarity.
        fmr: False-match rate at that distance; None if nobody measured it.
        measured: The measurement behind both, so that it can be repeated.
    """

    metric: Metric
    distance: Annotated[float, Meta(gt=0, le=100)]
    fmr: Annotated[float, Meta(gt=0, lt=1)] | None = None
    measured: str

    def __post_init__(self) -> None:
        if self.metric == "cosine" and self.distance > 2:
            raise ValueError("a cosine distance lies in 0..2")


class EightBits(_Table, frozen=True):
    """What `mien packs quantise` leaves in float32, found by quantising one layer at a time.

    Attributes:
        operators: Only operators of these types are quantised; none means all that can be.
        keep: Nodes that stay as they are, by name.
    """

    operators: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()


class Figure(_Table, frozen=True):
    """A published or measured result: `what` with its unit, its `value`, and `by` whom."""

    what: str
    value: float
    by: str


class Manifest(_Table, frozen=True, kw_only=True):
    """One network, or one cascade of networks.

    Attributes:
        name: Name of the pack and of its folder.
        version: Rises when the pack changes.
        gives: Columns of `mien.core.columns` that it computes; what gives `box` is a detector.
        family: Which code runs it: a name in `mien.models.table`.
        summary: One line for people.
        licence: Licence of the weights.
        origin: Who made it, from what.
        sources: Files to fetch; none for a stage that is all code.
        files: Files to make of them.
        input: Preprocessing; None where the family brings its own (regression trees).
        facts: Constants of the decoding; the family checks them when it loads the pack.
        threshold: Operating point; every embedder has one, because it fixes the metric.
        eight_bits: How its networks are quantised.
        figures: Published or measured results.
    """

    name: Name
    version: Annotated[int, Meta(ge=1)]
    gives: tuple[str, ...]
    family: Name
    summary: str
    licence: Licence
    origin: Origin
    sources: tuple[Source, ...] = ()
    files: tuple[File, ...] = ()
    input: Input | None = None
    facts: dict[str, Any] = {}  # msgspec copies it for every manifest
    threshold: Threshold | None = None
    eight_bits: EightBits = EightBits()
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        sources = [source.name for source in self.sources]
        files = [file.name for file in self.files]
        for what, names in (("sources", sources), ("files", files)):
            if len(set(names)) != len(names):
                raise ValueError(f"{what} has two entries of one name")
        if odd := {name for file in self.files for name in file.sources} ^ set(sources):
            raise ValueError(f"sources and files do not fit together at {', '.join(sorted(odd))}")
        if reserved := {MANIFEST_FILE, RECORD_FILE} & set(files):
            raise ValueError(f"a file must not be called {reserved.pop()}")
        if not self.gives:
            raise ValueError("gives is empty")
        if not files and "embedding" in self.gives:
            raise ValueError("an embedder needs [[files]]")
        if unknown := set(self.gives) - BY_NAME.keys():
            raise ValueError(f"gives names unknown columns: {', '.join(sorted(unknown))}")
        if "embedding" in self.gives and (self.input is None or self.threshold is None):
            raise ValueError("an embedder needs [input] and [threshold]")

    @property
    def label(self) -> str:
        """Name and a digest of its source files, for what is kept longer than the pack."""
        digests = "".join(source.sha256 for source in self.sources)
        return f"{self.name}@{hashlib.sha256(digests.encode()).hexdigest()[:16]}"

    @property
    def installs_itself(self) -> bool:
        """Whether it may be installed unasked: nothing to fetch from elsewhere, no consent to ask for."""
        local = all(source.url.startswith("package:") for source in self.sources)
        return local and self.licence.commercial and not self.licence.restricted

    def source(self, name: str) -> Source:
        """The source of that name."""
        return next(source for source in self.sources if source.name == name)


def is_name(text: str) -> bool:
    """Whether a pack could have that name; anything else must not become part of a path."""
    return re.match(NAME_PATTERN, text) is not None


def read_manifest(path: Path | Traversable) -> Manifest:
    """Read and check one `pack.toml`.

    Raises:
        ManifestInvalid: Missing, not TOML, or a field is unknown, missing or out of range; the
            message names file, reason and field.
    """
    return read_toml(path, Manifest)


def read_toml(path: Path | Traversable, kind: type[T]) -> T:
    """Read a TOML file as one of our tables; errors as in `read_manifest`."""
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), kind)
    except OSError as error:
        raise ManifestInvalid(f"{path} cannot be read: {error.strerror or error}.") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ManifestInvalid(f"{path} is not TOML: {error}.", hint="Check it with a TOML linter.") from error
    except msgspec.ValidationError as error:
        raise ManifestInvalid(
            f"{path}: {error}.", hint="Correct that field; mien.packs.manifest describes each."
        ) from error


def space(manifest: Manifest) -> str:
    """Name the space that this embedder's vectors live in: `<name>:<16 hexadecimal digits>`.

    It digests what decides the vectors: the *source* files and the preprocessing. It does not
    digest converted files, so that it is the same on every machine and with every version of onnx.
    """
    parts = {
        "sources": [source.sha256 for source in manifest.sources],
        "converters": [file.convert for file in manifest.files],
        "input": manifest.input,
        "facts": manifest.facts,
        "metric": manifest.threshold.metric if manifest.threshold else None,
    }
    canonical = json.dumps(msgspec.to_builtins(parts), sort_keys=True, separators=(",", ":"))
    return f"{manifest.name}:{hashlib.sha256(canonical.encode()).hexdigest()[:16]}"
