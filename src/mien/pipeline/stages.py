"""Which networks compute what: packs chosen for columns, opened when first needed."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from mien.core.columns import BY_NAME
from mien.errors import BadRequest, ExtraMissing, PackMissing
from mien.models.stage import Stage
from mien.models.table import load_stage
from mien.packs.manifest import Manifest
from mien.packs.sources import Progress
from mien.packs.store import PackStore
from mien.runtime.session import Runtime
from mien.settings import Settings

DETECTION = ("box", "score", "points")


class Stages:
    """Opened packs, by what they compute; threads may share it.

    Args:
        packs: What is installed.
        runtime: Where networks run.
        settings: Which pack is wanted for what.
        progress: Told about conversions.
    """

    def __init__(self, packs: PackStore, runtime: Runtime, settings: Settings, progress: Progress) -> None:
        self.packs, self._runtime, self.settings, self._progress = packs, runtime, settings, progress
        self._stages: dict[str, Stage] = {}
        self._plans: dict[tuple[str, ...], tuple[Stage, ...]] = {}
        # Which pack was opened for a column: a choice is made once.
        self._givers: dict[str, str] = {}
        self._preferred: dict[str, str] = {}
        self._lock = threading.RLock()

    def for_columns(self, columns: Iterable[str]) -> tuple[Stage, ...]:
        """The stages that compute these columns and whatever they need, detector first.

        The choice is made once for the life of this object: packs installed later do not change it.

        Raises:
            BadRequest: Unknown column.
            PackMissing: No installed pack gives a column.
        """
        wanted = tuple(columns)
        with self._lock:
            if wanted not in self._plans:
                self._plans[wanted] = self._choose_stages(wanted)
            return self._plans[wanted]

    def _choose_stages(self, columns: tuple[str, ...]) -> tuple[Stage, ...]:
        if unknown := set(columns) - BY_NAME.keys():
            raise BadRequest(
                f"Unknown: {', '.join(sorted(unknown))}.", hint=f"Columns: {', '.join(BY_NAME)}."
            )
        stages = [self._opened_for("box")]
        missing: dict[str, PackMissing] = {}
        # Points are given with the boxes or not at all, unless another stage needs them.
        wanted = [column for column in columns if column not in DETECTION]
        while wanted:
            column = wanted.pop(0)
            if any(column in stage.gives for stage in stages):
                continue
            try:
                stages.append(self._opened_for(column))
            except PackMissing as error:
                missing[self.giver(column)] = error
            else:
                wanted.extend(sorted(stages[-1].needs))
        if len(missing) == 1:
            raise next(iter(missing.values()))
        if missing:
            raise PackMissing(
                f"These packs are not installed: {', '.join(missing)}.",
                hint=f"mien packs install {' '.join(missing)}",
            )
        return tuple(stages)

    def prefer(self, column: str, name: str) -> None:
        """Compute a column by this pack, unless settings name another or one was opened for it already."""
        self._preferred[column] = name

    def giver(self, column: str) -> str:
        """The pack that computes a column: the one opened for it, even if a better one came since."""
        return self._givers.get(column) or self.manifest_for(column).name

    def _opened_for(self, column: str) -> Stage:
        name = self.giver(column)
        stage = self.stage(name)
        self._givers[column] = name
        return stage

    def available(self) -> tuple[str, ...]:
        """The columns that can be computed here and now, without installing what is to be fetched.

        A column whose own pack is here may still need another's, such as `mesh`; it counts only if
        that one is here too.
        """
        return tuple(column for column in BY_NAME if self._is_available(column))

    def _is_available(self, column: str) -> bool:
        if column in DETECTION:
            return True
        if not self.packs.is_at_hand(self.manifest_for(column)):
            return False
        try:
            self.for_columns((column,))
        except (PackMissing, ExtraMissing):
            return False
        return True

    def manifest_for(self, column: str) -> Manifest:
        """The manifest of the pack that computes a column here: the chosen one, or the default.

        Raises:
            PackMissing: No pack gives the column, or the chosen pack is unknown.
        """
        named = {"box": self.settings.detector, "embedding": self.settings.embedder}
        chosen = named.get(column) or self.settings.use.get(column) or self._preferred.get(column)
        manifest = self.packs.manifest(chosen or self.packs.default(column))
        if column not in manifest.gives:
            fit = sorted(name for name, other in self.packs.manifests().items() if column in other.gives)
            what = "finds no faces" if column == "box" else f"gives no {column}"
            raise BadRequest(f"The pack {manifest.name} {what}.", hint=f"Packs that do: {', '.join(fit)}.")
        return manifest

    def stage(self, name: str) -> Stage:
        """Open a pack by name; converts it first if it comes from installed packages.

        Raises:
            PackMissing: Unknown, or to be installed by `mien packs install`.
        """
        with self._lock:
            if name not in self._stages:
                self._stages[name] = load_stage(
                    self.packs.ensure(name, self._progress), self._runtime, self.settings
                )
            return self._stages[name]
