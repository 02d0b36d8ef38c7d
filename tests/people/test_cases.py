import pytest

from casefiles import a_case
from mien.people.cases import picture_names, year_of


@pytest.mark.parametrize(
    ("said", "year"),
    [
        *(("1998", 1998), (2003, 2003), ("2010-05-10", 2010), ("0001", 1)),
        *((one, None) for one in ("", "98", "2010-05", None, "12345", "2010-05-10T00:00", "2010-02-30")),
        *((one, None) for one in ([2010], 1998.0, "١٩٩٨", "0000", "2010\n", " 2010", "-200")),
    ],
)
def test_year(said, year):
    assert year_of(said) == year


def test_a_case_in_a_log_names_nobody():
    case = a_case(title="Somebody", notes="secret")
    assert repr(case) == "Case(2 probes, 0 reviews)"


def test_only_what_is_shown_has_a_name():
    assert picture_names(a_case()) == ("probe-1.jpg", "probe-2.jpg", "f1.jpg", "f2.jpg")
    assert picture_names(a_case(run=None)) == ("probe-1.jpg", "probe-2.jpg")
