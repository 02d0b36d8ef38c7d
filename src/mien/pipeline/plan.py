"""Putting stages in order, once, from what they need and give."""

from __future__ import annotations

from collections.abc import Sequence

from mien.errors import BadRequest
from mien.models.stage import Stage


def order_stages(stages: Sequence[Stage]) -> tuple[Stage, ...]:
    """Order stages so that each runs after every other that gives something it needs.

    Among stages that could run at the same time those that give points come first, because others turn
    faces upright where there are points; for the rest the given order is kept. So the answers do not depend
    on the order in which columns are asked for.

    Raises:
        BadRequest: Nobody gives a needed column, or stages wait for each other.
    """
    waiting: list[Stage] = sorted(stages, key=lambda stage: "points" not in stage.gives)
    ordered: list[Stage] = []
    for stage in stages:
        given = frozenset[str]().union(*(other.gives for other in stages if other is not stage))
        if missing := stage.needs - given:
            raise BadRequest(
                f"{stage.name} needs {', '.join(sorted(missing))}, which no chosen pack gives.",
                hint="Choose another detector or embedder; mien packs list shows what is there.",
            )
    while waiting:
        for stage in waiting:
            if not any(stage.needs & other.gives for other in waiting if other is not stage):
                break
        else:
            names = ", ".join(stage.name for stage in waiting)
            raise BadRequest(f"These packs wait for each other: {names}.")
        ordered.append(stage)
        waiting.remove(stage)
    return tuple(ordered)
