"""Jobs that find the faces of photographs and read what they look like."""

from __future__ import annotations

import msgspec

from mien.answers.pictures import PhotoRow, error_row, photo_row
from mien.core.analysis import Failure
from mien.core.columns import COLUMNS
from mien.errors import MienError
from mien.jobs.photographs import Photograph
from mien.jobs.task import Result, Step, Steps, Task
from mien.kit import Mien
from mien.pipeline.stages import DETECTION


class Analyzing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to compute: names of columns, as a list or with commas, or `all`; nothing: where faces are."""

    columns: str | tuple[str, ...] = ()


def prepare(kit: Mien, options: Analyzing) -> Analyzing:
    """Know the columns by name, and that there are networks for them. Raises BadRequest, PackError."""
    asked = options.columns.split(",") if isinstance(options.columns, str) else options.columns
    names = [name for name in map(str.strip, asked) if name]
    if names == ["all"]:
        available = kit.available()
        names = [column.name for column in COLUMNS if column.export and column.name in available]
    columns = tuple(dict.fromkeys((*DETECTION, *names)))
    kit.stages_for(columns)
    return Analyzing(columns)


def analyze(task: Task) -> Steps:
    """Look at all photographs."""
    columns = tuple(msgspec.convert(task.job.options, Analyzing).columns)
    faces = task.job.summary.get("faces", 0)
    for portion in task.portions(columns):
        rows = []
        for photograph, found in portion:
            if isinstance(found, Failure):
                rows.append(failed(photograph, found.error))
                continue
            faces += len(found.faces)
            rows.append(Result(msgspec.structs.replace(photo_row(found), source=photograph.name)))
        yield Step(tuple(rows), len(rows), {"faces": faces})


def failed(photograph: Photograph, error: MienError) -> Result:
    """What is said of a photograph that could not be looked at."""
    return Result(PhotoRow(photograph.name, error=error_row(error)), failed=True)
