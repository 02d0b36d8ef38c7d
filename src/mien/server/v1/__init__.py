"""The native API: one file for each noun."""

from __future__ import annotations

from mien.server.v1 import (
    audit,
    calibration,
    clusters,
    collections,
    faces,
    health,
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
    calibration.door,
    audit.door,
    keys.door,
)
