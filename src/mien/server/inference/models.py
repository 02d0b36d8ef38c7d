"""Which models there are: each network of each installed pack is one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mien.errors import PackError, PackMissing
from mien.packs.pack import Pack
from mien.packs.store import PackStore

# Neither a pack nor a file can have it in its name.
_BETWEEN = ":"
_NETWORK = ".onnx"


@dataclass(frozen=True, slots=True)
class Model:
    """One network.

    Attributes:
        name: That of its pack; if the pack has several networks, followed by `:` and that of its file.
        pack: Whose it is.
        file: Of the pack.
    """

    name: str
    pack: Pack
    file: str

    @property
    def version(self) -> str:
        """That of the pack."""
        return str(self.pack.manifest.version)

    @property
    def gives_templates(self) -> bool:
        """Whether what it gives may be biometric templates."""
        return "embedding" in self.pack.manifest.gives

    @property
    def sha256(self) -> str | None:
        """Digest of the file, hexadecimal; None of a pack that somebody put there."""
        record = self.pack.record
        return None if record is None else record.files[self.file].sha256


def models_of(pack: Pack) -> tuple[Model, ...]:
    """The networks of a pack; none if it consists of trees or code."""
    files = [file.name for file in pack.manifest.files if file.name.endswith(_NETWORK)]
    if len(files) == 1:
        return (Model(pack.name, pack, files[0]),)
    return tuple(Model(f"{pack.name}{_BETWEEN}{file.removesuffix(_NETWORK)}", pack, file) for file in files)


def installed(packs: PackStore) -> Iterator[tuple[str, tuple[Model, ...] | None]]:
    """Names of the packs that are here with their models; None of a pack that is damaged."""
    for name in packs.present():
        try:
            yield name, models_of(packs.get(name))
        except PackError:
            yield name, None


def model_named(packs: PackStore, name: str, version: str | None = None) -> Model:
    """A model.

    Raises:
        PackMissing: There is none of that name, or not of that version.
        PackError: Its pack is damaged.
    """
    pack = packs.get(name.partition(_BETWEEN)[0])
    found = {model.name: model for model in models_of(pack)}
    if name not in found:
        raise PackMissing(
            f"There is no model {name!r}.", hint=f"Models of {pack.name}: {', '.join(found) or 'none'}."
        )
    model = found[name]
    if version is not None and version != model.version:
        raise PackMissing(f"{name} is here as version {model.version} only.", hint="Leave the version out.")
    return model
