"""One frozen `Settings`: defaults < mien.toml < environment < arguments.

Read once at a door and passed down; no room below reads the environment.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
import platformdirs

from mien.errors import SettingsError
from mien.serving import Serving

Device = Literal["cpu", "cuda", "openvino", "coreml"]
Profile = Literal["fast", "balanced", "accurate"]
Search = Literal["fast", "normal", "tiny", "close", "thorough"]
Policy = Literal["best_face", "centroid"]
IndexKind = Literal["auto", "exact", "pq", "pgvector"]
Gate = Literal["off", "standard", "strict"]

# How a profile searches for faces unless `search` says otherwise.
_SEARCH: dict[Profile, Search] = {"fast": "fast", "balanced": "normal", "accurate": "thorough"}


_PASSWORD = re.compile(r"(://[^:/@]*:).*@")
_LISTS = {"hosts", "origins", "folders"}
# A face of a tenth of the longer side is then still as wide as embedders want it.
_FAST_SIDE = 1280


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Choices of the operator. Facts about networks live in manifests instead.

    Attributes:
        home: Everything the program keeps: packs, galleries, this file. `MIEN_HOME`.
        device: Where networks run; a missing device is an error, never a silent fallback.
        threads: Threads per network call; 0 means one per core.
        batch: Most pictures that travel through the pipeline together.
        max_pixels: Pictures with more pixels are refused before they are decoded.
        max_bytes: Files larger than this are refused before they are read.
        detector: Pack that finds faces; None means the default among the installed ones.
        embedder: Pack that compares faces; None means the default among the installed ones.
        use: Pack for any other column, by the column's name: `{"expression": "mini-xception"}`.
        profile: `fast` decodes large JPEGs to smaller copies and looks at these, `accurate` looks at many
            views of each picture.
        search: How one-shot detectors look at a picture: `fast` at a small copy, `normal` at a larger
            one, `tiny` also at tiles of it, `close` also from further away, `thorough` all of these and
            turned by quarters. None: as the profile says.
        least_score: Least score of a face, 0..1; None: what each detector's manifest says. Lower finds more,
            and more that are none.
        flip: Embed each face and its mirror image and take the mean; gives a space of its own. None:
            only with the profile `accurate`.
        calibration: File of `mien calibrate` to decide by; None: the one kept in `<home>/calibrations` for
            the embedder, if there is one.
        fmr: False-match rate to decide at; None: the one that was asked for when it was calibrated.
        review_fmr: False-match rate up to which people are given as uncertain; None: none are. Needs a
            calibration.
        least_margin: A match that is hardly nearer than a second person's, by less than this distance, is
            given as uncertain.
        store: Where people are kept: a SQLite file, `memory`, or `postgresql://user@host/database`; None:
            `<home>/gallery/people.db`.
        collection: People of one purpose within the store.
        gallery_key: Key of the store: a file, `env:NAME` for the variable that holds it, or `kms:NAME`; None:
            `<home>/keys/gallery.key`, made with the first store.
        policy: Whether a person's nearest face decides, or the mean of all.
        index: How faces are searched: compared one by one (`exact`), by an approximate index, or by
            PostgreSQL. `auto`: exact up to `exact_up_to`.
        exact_up_to: Most faces that are compared one by one.
        keep_crops: Keep a small picture of each enrolled face, encrypted, so that people can be shown and
            brought over to another embedder.
        gate: How good a face has to be to be enrolled.
        server: How the server listens, and what it takes.
        mirror: `file:` or `https:` address tried first for every download, for offline sites.
    """

    home: Path = msgspec.field(default_factory=lambda: Path(platformdirs.user_data_dir("mien")))
    device: Device = "cpu"
    threads: int = 0
    batch: int = 8
    max_pixels: int = 100_000_000
    max_bytes: int = 512 * 1024 * 1024
    detector: str | None = None
    embedder: str | None = None
    use: dict[str, str] = {}  # msgspec copies it for every Settings
    profile: Profile = "balanced"
    search: Search | None = None
    least_score: float | None = None
    flip: bool | None = None
    calibration: Path | None = None
    fmr: float | None = None
    review_fmr: float | None = None
    least_margin: float = 0.0
    store: str | None = None
    collection: str = "default"
    gallery_key: str | None = None
    policy: Policy = "best_face"
    index: IndexKind = "auto"
    exact_up_to: int = 200_000
    keep_crops: bool = False
    gate: Gate = "off"
    mirror: str | None = None
    server: Serving = Serving()

    def __post_init__(self) -> None:
        for name, least in (
            ("threads", 0),
            ("batch", 1),
            ("max_pixels", 1),
            ("max_bytes", 1),
            ("least_margin", 0),
            ("exact_up_to", 0),
        ):
            if getattr(self, name) < least:
                raise ValueError(f"{name} must be at least {least}")
        for name in ("fmr", "review_fmr", "least_score"):
            share = getattr(self, name)
            if share is not None and not 0 < share < 1:
                raise ValueError(f"{name} must lie between 0 and 1")

    def __repr__(self) -> str:
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in self.shown().items())})"

    def shown(self) -> dict[str, Any]:
        """All fields by name, without the password that the address of a store may hold."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        return fields | {"store": None if self.store is None else _PASSWORD.sub(r"\1***@", self.store)}

    @property
    def searching(self) -> Search:
        """How detectors look at pictures, by choice or by profile."""
        return self.search or _SEARCH[self.profile]

    @property
    def enough_side(self) -> int | None:
        """Longer side that pictures are decoded to at least; None: always in full."""
        return _FAST_SIDE if self.profile == "fast" else None

    @property
    def flipping(self) -> bool:
        """Whether embeddings are means with those of mirror images, by choice or by profile."""
        return self.profile == "accurate" if self.flip is None else self.flip

    @property
    def store_address(self) -> str:
        """Where people are kept."""
        return self.store or str(self.home / "gallery" / "people.db")

    @property
    def key_name(self) -> str:
        """Names the key of the store."""
        return self.gallery_key or str(self.home / "keys" / "gallery.key")

    @property
    def indexes_dir(self) -> Path:
        """Where search indexes are saved."""
        return self.home / "gallery" / "indexes"

    @property
    def calibrations_dir(self) -> Path:
        """Where calibrations are kept."""
        return self.home / "calibrations"

    @property
    def packs_dir(self) -> Path:
        """Where packs are installed."""
        return self.home / "packs"


def load_settings(
    *,
    environ: Mapping[str, str] | None = None,
    **arguments: Any,  # noqa: ANN401 - validated by Settings
) -> Settings:
    """Merge defaults, `<home>/mien.toml`, `MIEN_*` variables and arguments, in rising order of strength.

    Args:
        environ: Stands in for `os.environ` in tests.
        **arguments: Fields of `Settings`; None means not given.

    Raises:
        SettingsError: Unknown name, wrong type or value out of range, naming where it came from.
    """
    environ = os.environ if environ is None else environ
    from_environ = _from_environ(environ)
    given = {name: value for name, value in arguments.items() if value is not None}
    home = given.get("home") or from_environ.get("home") or platformdirs.user_data_dir("mien")
    try:
        home = Path(home).expanduser()
    except (TypeError, RuntimeError) as error:
        raise SettingsError(f"home cannot be used: {error}", hint="Set MIEN_HOME to a folder.") from error
    file = home / "mien.toml"
    in_file = _from_file(file)
    merged = {**in_file, **from_environ, **given, "home": home}
    if isinstance(merged.get("server", {}), dict):
        tables = [part.get("server", {}) for part in (in_file, from_environ, given)]
        merged["server"] = {k: v for table in tables if isinstance(table, dict) for k, v in table.items()}
    try:
        return msgspec.convert(merged, Settings, strict=False, dec_hook=_to_path)
    except msgspec.ValidationError as error:
        names = ", ".join(Settings.__struct_fields__)
        raise SettingsError(
            f"Settings cannot be used: {error}.",
            hint=f"Look at {file}, MIEN_* variables and the arguments. Known settings: {names}.",
        ) from error


def _to_path(kind: type, value: Any) -> Path:  # noqa: ANN401 - whatever a file or an argument holds
    """What msgspec does not know by itself: paths, of which the home is one too."""
    if kind is Path and isinstance(value, (str, os.PathLike)) and str(value):
        return Path(value).expanduser()
    raise ValueError(f"wants a path, got {value!r}")


def _from_file(file: Path) -> dict[str, Any]:
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}.") from error
    if "home" in found:
        raise SettingsError(
            f"{file} cannot set home, which says where it lies.", hint="Set MIEN_HOME instead."
        )
    return found


def _from_environ(environ: Mapping[str, str]) -> dict[str, Any]:
    known = Settings.__struct_fields__
    found: dict[str, Any] = {
        name: environ[f"MIEN_{name.upper()}"] for name in known if environ.get(f"MIEN_{name.upper()}")
    }
    found.pop("server", None)  # a table; its fields have variables of their own
    found |= {"use": read_pairs(found["use"].split(","))} if "use" in found else {}
    names = [name for name in Serving.__struct_fields__ if environ.get(f"MIEN_SERVER_{name.upper()}")]
    serving: dict[str, Any] = {name: environ[f"MIEN_SERVER_{name.upper()}"] for name in names}
    for name in _LISTS & serving.keys():
        serving[name] = [one.strip() for one in serving[name].split(",") if one.strip()]
    return found | ({"server": serving} if serving else {})


def read_pairs(words: Iterable[str]) -> dict[str, str]:
    """Read words such as `column=pack`.

    Raises:
        SettingsError: A word is no such pair.
    """
    pairs = [word.strip().partition("=") for word in words if word.strip()]
    if odd := ["".join(pair) for pair in pairs if not (pair[0] and pair[2])]:
        raise SettingsError(f"{odd[0]!r} names no column and its pack.", hint="Write column=pack.")
    return {column: pack for column, _, pack in pairs}
