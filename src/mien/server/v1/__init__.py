"""The native API: one file for each noun."""

from __future__ import annotations

from mien.server.v1 import (
    audit,
    calibration,
    cases,
    clusters,
    collections,
    faces,
    health,
    jobs,
    keys,
    machine,
    people,
    pictures,
    recognising,
)

DOORS = (
    health.door,
    machine.door,
    pictures.door,
    collections.door,
    people.door,
    faces.door,
    recognising.door,
    clusters.door,
    cases.door,
    calibration.door,
    jobs.door,
    audit.door,
    keys.door,
)
