from importlib.metadata import EntryPoint
from types import SimpleNamespace

import pytest

from mien.errors import ManifestInvalid
from mien.models import table
from mien.models.mmod import MmodFacts
from mien.models.stage import read_facts


def test_every_family_leads_to_a_class():
    for place in table.FAMILIES.values():
        module, name = place.split(":")
        assert hasattr(__import__(module, fromlist=[name]), name)


def test_unknown_family_lists_the_known():
    pack = SimpleNamespace(manifest=SimpleNamespace(name="toy", family="alchemy"))
    with pytest.raises(ManifestInvalid, match="alchemy") as failure:
        table.load_stage(pack, None, None)
    assert "mtcnn" in failure.value.hint


def test_others_add_families_by_entry_points(monkeypatch):
    entry = EntryPoint("alchemy", "types:SimpleNamespace", "mien.models")
    monkeypatch.setattr(
        table,
        "entry_points",
        lambda group, name: [entry] if (group, name) == ("mien.models", "alchemy") else [],
    )
    monkeypatch.setattr(EntryPoint, "load", lambda self: lambda *given: ("made", *given))
    pack = SimpleNamespace(manifest=SimpleNamespace(name="toy", family="alchemy"))
    assert table.load_stage(pack, "runtime", "settings") == ("made", pack, "runtime", "settings")


@pytest.mark.parametrize("facts", [{}, {"window": "wide"}, {"windows": 80}])
def test_facts_that_do_not_fit_are_named(facts):
    manifest = SimpleNamespace(name="toy", family="mmod", facts=facts)
    with pytest.raises(ManifestInvalid, match="toy"):
        read_facts(manifest, MmodFacts)
