"""What is known about identification after it was measured."""

from __future__ import annotations

import msgspec

from mien.evaluate.evaluation import Rate
from mien.evaluate.measures.case_groups import CaseGroups


class AtFpir(msgspec.Struct, frozen=True):
    """FNIR where so many searches for strangers give somebody.

    Attributes:
        fpir: The false-positive identification rate asked for.
        threshold: Largest distance of a candidate; None where the data cannot tell.
        fnir: Share of searches for people of the gallery that do not give them first and within it.
    """

    fpir: float
    threshold: float | None
    fnir: Rate


class InUse(msgspec.Struct, frozen=True):
    """What happens at the threshold that decides.

    Attributes:
        threshold: Largest distance of a candidate.
        source: Who states it.
        stated_fmr: False-match rate of one comparison that is stated for it; None if none is.
        fpir: Measured on this gallery; it grows with the number of people.
        fnir: Measured on this gallery.
    """

    threshold: float
    source: str
    stated_fmr: float | None
    fpir: Rate
    fnir: Rate


class AtSize(msgspec.Struct, frozen=True):
    """Rates of galleries of so many people, means over galleries drawn from the whole one.

    Attributes:
        people: Size of the gallery.
        galleries: How many were drawn.
        rank_1_missed: Share of searches for people of the gallery whose first candidate is somebody else.
        fnir_at_fpir: FNIR at each FPIR that the searches support, with the threshold that each gallery needs.
        fpir: At the threshold in use; None if there is none.
        fnir: At the threshold in use.
    """

    people: int
    galleries: int
    rank_1_missed: float
    fnir_at_fpir: dict[str, float]
    fpir: float | None
    fnir: float | None


class Searched(msgspec.Struct, frozen=True):
    """What was searched.

    Attributes:
        gallery: People in the gallery.
        mated: Searches for people of the gallery.
        strangers: Searches for strangers, of those that could be made.
        strangers_not_made: Photographs of strangers without a face.
        mated_people: How many people of the gallery were searched for.
        stranger_people: How many strangers there were.
    """

    gallery: int
    mated: int
    strangers: int
    strangers_not_made: int
    mated_people: int
    stranger_people: int


class SearchGroups(msgspec.Struct, frozen=True):
    """Rates at the threshold in use, by a label of the photographs searched with.

    Attributes:
        fpir: Searches for strangers of a group, in the whole gallery.
        fnir: Searches for people of the gallery.
    """

    fpir: CaseGroups
    fnir: CaseGroups


class IdentificationMeasures(msgspec.Struct, frozen=True):
    """The outcome of identification.

    Attributes:
        mode: `open set`, or `watch list` where the gallery is a list that was given.
        fnir_at_fpir: FNIR at false-positive identification rates of 0.1, 0.01 and 0.001, by rate.
        rank: Share of searches for people of the gallery that give them among the first k, by k.
        cmc: The same for every k from 1 on: the cumulative match characteristic.
        in_use: Rates at the threshold that decides.
        gallery_sizes: How rates grow with the gallery.
        failure_to_acquire: Photographs on which no face was found, or that could not be read.
        searches: What was searched.
        groups: Rates at the threshold in use by each label column; none without a threshold.
        metric: What distance means.
        space: The embedding space.
    """

    mode: str
    fnir_at_fpir: dict[str, AtFpir]
    rank: dict[str, Rate]
    cmc: list[float]
    in_use: InUse | None
    gallery_sizes: list[AtSize]
    failure_to_acquire: Rate
    searches: Searched
    groups: list[SearchGroups]
    metric: str
    space: str
