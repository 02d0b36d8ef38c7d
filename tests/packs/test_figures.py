"""What manifests say was measured here stands in docs/benchmarks.md, rounded as there."""

from pathlib import Path

import pytest

from mien.packs.builtin import builtin_manifests

PAGE = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text("utf-8")
MEASURED = [
    (name, figure)
    for name, manifest in builtin_manifests().items()
    for figure in manifest.figures
    if figure.by.startswith("make ")
]


@pytest.mark.parametrize(("name", "figure"), MEASURED, ids=lambda value: getattr(value, "what", value))
def test_measured_figures_stand_on_the_page(name, figure):
    rows = [line for line in PAGE.splitlines() if line.startswith("|") and name in line]
    shown = {f"{figure.value:.1%}", f"{figure.value:.2%}", f"{figure.value:.2f}"}
    assert any(text in row for row in rows for text in shown), figure


def test_there_are_some():
    assert len(MEASURED) > 20
