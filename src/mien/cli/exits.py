"""What the process ends with. The table in `docs/cli.md` is made from this one."""

from __future__ import annotations

from mien.errors import (
    BadRequest,
    CalibrationError,
    GalleryError,
    InferenceError,
    InputError,
    MienError,
    PackError,
    ServiceError,
    SettingsError,
    SourceError,
)

FINE = 0
DIFFERENT = 1
USAGE = 2
GALLERY = 5
PARTIAL = 9
OUTPUT = 10
BUG = 70
INTERRUPTED = 130

BY_ERROR: dict[type[MienError], int] = {
    BadRequest: USAGE,
    InputError: 3,
    PackError: 4,
    GalleryError: GALLERY,
    SourceError: 6,
    InferenceError: 7,
    SettingsError: 8,
    CalibrationError: 11,
    ServiceError: 12,
}

MEANINGS: dict[int, str] = {
    FINE: "Everything was done; for `verify`: the same person.",
    DIFFERENT: "`verify`: different people; `calibrate --check`: drift, or too little to tell; else: no.",
    USAGE: "The command line could not be understood, or its words do not fit together.",
    3: "A picture cannot be used: unreadable, too large, no face, several faces.",
    4: "A pack is missing, damaged, or could not be installed.",
    GALLERY: "The gallery refuses: unknown person, other embedding space, wrong key, damaged or full store.",
    6: "A stream or a video cannot be read.",
    7: "A network could not be run: no such device, no memory.",
    8: "A setting cannot be used.",
    PARTIAL: "Some pictures failed; all others were done. `compare`: nobody was there to compare with.",
    OUTPUT: "The results could not be written: disk full, no permission.",
    11: "A calibration cannot be used, or the photographs are too few for what was asked.",
    12: "A server refuses, or does not answer.",
    BUG: "A defect of Mien. Please report it.",
    INTERRUPTED: "Stopped by Ctrl-C.",
}


def exit_code(error: MienError) -> int:
    """The exit code of an error: that of its nearest ancestor in the table."""
    for kind in type(error).__mro__:
        if kind in BY_ERROR:
            return BY_ERROR[kind]
    return BUG
