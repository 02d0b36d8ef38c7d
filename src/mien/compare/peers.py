"""Who Mien is compared with, and with which of our packs on our side: those that hold the same weights."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

from mien.compare.weights import write_weights
from mien.compare.worker import RUNNER
from mien.errors import BadRequest, PackError, PackMissing
from mien.packs.store import PackStore

Task = Literal["find", "embed", "live", "all"]
MIEN: Final = "Mien"


@dataclass(frozen=True, slots=True)
class Peer:
    """A program to compare with.

    Attributes:
        title: Its name.
        script: Its script in `contestants`.
        detector: Pack that Mien finds faces with beside it.
        embedder: Pack that Mien compares faces with beside it.
        networks: What it runs itself, where that is not the same.
        files: Weights to write for it, by the names of `mien.compare.weights`.
        install: How it is installed.
        options: What its script wants to know besides.
    """

    title: str
    script: str
    detector: str
    embedder: str
    install: str
    files: tuple[str, ...] = ()
    networks: str = ""
    options: Mapping[str, str] = field(default_factory=dict)


_FACE_RECOGNITION: Final = (
    "pip install --no-deps face-recognition==1.3.0 && "
    "pip install dlib-bin face_recognition_models 'setuptools<81'"
)
_IN_VENV: Final = "in a venv of its own, named by --python: pip install "
_DEEPFACE: Final = "opencv-python-headless dlib-bin onnxruntime requests gdown tqdm pandas werkzeug"
_DEEPFACE_FILES: Final = (
    ".deepface/weights/face_detection_yunet_2023mar.onnx",
    ".deepface/weights/dlib_face_recognition_resnet_model_v1.dat",
)

PEERS: Final[dict[str, Peer]] = {
    "face_recognition": Peer(
        "face_recognition", "with_face_recognition.py", "mtcnn", "dlib-resnet29", _FACE_RECOGNITION,
        networks="HOG + dlib-resnet29", options={"model": "hog"},
    ),
    "face_recognition-cnn": Peer(
        "face_recognition, cnn", "with_face_recognition.py", "mmod", "dlib-resnet29", _FACE_RECOGNITION,
        options={"model": "cnn"},
    ),
    "deepface": Peer(
        "DeepFace", "with_deepface.py", "yunet-2023mar", "dlib-resnet29",
        f"{_IN_VENV}--no-deps deepface==0.0.103 && pip install {_DEEPFACE}", _DEEPFACE_FILES,
    ),
    "insightface": Peer(
        "InsightFace", "with_insightface.py", "scrfd-500m", "mobilefacenet",
        f"{_IN_VENV}insightface==2.1", ("scrfd.onnx", "arcface.onnx"),
    ),
    "uniface": Peer(
        "UniFace", "with_uniface.py", "scrfd-500m", "mobilefacenet",
        f"{_IN_VENV}'uniface[cpu]==4.2.1'", ("scrfd.onnx", "arcface.onnx"),
    ),
    "opencv": Peer(
        "OpenCV", "with_opencv.py", "yunet-2023mar", "mobilefacenet",
        "pip install opencv-python-headless", ("yunet.onnx", "sface.onnx"),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """A contestant that is to run.

    Attributes:
        name: Unique.
        title: For people.
        networks: Detector and embedder.
        command: Starts its process.
        options: What the process is told first.
        rival: Name of the Mien that it is compared with; None for a Mien.
        install: What to do if it is not there.
    """

    name: str
    title: str
    networks: str
    command: tuple[str, ...]
    options: Mapping[str, Any]
    rival: str | None = None
    install: str = ""


@dataclass(frozen=True, slots=True)
class Absent:
    """A contestant that cannot take part, why, and what can be done about it."""

    name: str
    reason: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Setting:
    """What holds for all contestants.

    Attributes:
        python: Interpreter of this process, which has Mien.
        pythons: Interpreters by name of a peer, where they differ.
        threads: Threads, and cores, of each.
        task: What is asked of each.
        weights: Folder for the files of the peers.
        store: Packs of Mien.
    """

    python: str
    pythons: Mapping[str, Path]
    threads: int
    task: Task
    weights: Path
    store: PackStore


def entries_for(names: Iterable[str], setting: Setting) -> tuple[list[Entry], list[Absent]]:
    """The peers of these names, each after the Mien that it is compared with, and those that lack a pack.

    Raises:
        BadRequest: An unknown peer.
    """
    entries: dict[str, Entry] = {}
    absent: list[Absent] = []
    for name in dict.fromkeys(names):
        peer = _peer(name)
        rival = mien_with(peer.detector, peer.embedder, setting)
        if missing := _missing((peer.detector, peer.embedder), setting.store):
            absent.append(Absent(peer.title, *missing))
            continue
        try:
            files = (*peer.files, "minifasnet.onnx") if setting.task == "live" else peer.files
            write_weights(setting.store, files, setting.weights)
        except PackError as error:
            absent.append(Absent(peer.title, error.message, error.hint))
            continue
        entries.setdefault(rival.name, rival)
        python = setting.pythons.get(name, setting.python)
        options = {
            "task": setting.task,
            "threads": setting.threads,
            "weights": str(setting.weights),
            **peer.options,
        }
        entries[name] = Entry(
            name,
            peer.title,
            peer.networks or rival.networks,
            (str(python), str(RUNNER), str(RUNNER.with_name(peer.script))),
            options,
            rival.name,
            peer.install,
        )
    return list(entries.values()), absent


def _missing(packs: Iterable[str], store: PackStore) -> tuple[str, str] | None:
    """What is said of packs that are not here, all at once, and what to do."""
    errors: dict[str, PackError] = {}
    for pack in packs:
        try:
            store.ensure(pack)
        except PackError as error:
            errors[pack] = error
    if not errors:
        return None
    if all(isinstance(error, PackMissing) for error in errors.values()):
        return f"Not installed: {', '.join(errors)}.", f"mien packs install {' '.join(errors)}"
    first = next(iter(errors.values()))
    return first.message, first.hint


def mien_with(detector: str, embedder: str, setting: Setting, profile: str = "balanced") -> Entry:
    """Mien as a contestant, with two packs."""
    networks = f"{detector} + {embedder}"
    options = {
        "task": setting.task,
        "threads": setting.threads,
        "home": str(setting.store.folder.parent),
        "detector": detector,
        "embedder": embedder,
        "profile": profile,
    }
    title = MIEN if profile == "balanced" else f"{MIEN}, {profile}"
    command = (setting.python, str(RUNNER), str(RUNNER.with_name("with_mien.py")))
    return Entry(f"{title}, {networks}", title, networks, command, options)


def _peer(name: str) -> Peer:
    if name not in PEERS:
        raise BadRequest(f"Nobody knows {name!r} here.", hint=f"Known: {', '.join(PEERS)}.")
    return PEERS[name]


def packs_of(names: Iterable[str]) -> tuple[str, ...]:
    """The packs that Mien runs beside these peers.

    Raises:
        BadRequest: An unknown peer.
    """
    return tuple(
        dict.fromkeys(pack for name in names for pack in (_peer(name).detector, _peer(name).embedder))
    )
