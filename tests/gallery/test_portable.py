"""People who are written to files come back the same, on whatever back end; hostile files are refused."""

import io
import json
import os
import shutil
from datetime import date

import numpy as np
import pytest

from gallery.known import COSINE, Place, face, names, newcomer, refused, spread, vectors
from mien.errors import BadRequest, GalleryError, MienError, SpaceMismatch
from mien.gallery.checking import check
from mien.gallery.portable import export, import_into
from mien.gallery.rule import DecisionRule
from mien.gallery.store import audit
from mien.gallery.store.records import NewFace, Provenance


def enrol_everything(gallery, rng):
    rows = spread(rng, 12, 16)
    source = Provenance(
        source="/photos/ä b.jpg",
        digest="ab" * 32,
        box=(1.5, 2, 30, 40),
        size_wh=(640, 480),
        quality=0.7,
        packs=("x@1",),
    )
    gallery.enroll_many(
        [
            newcomer(
                "Ada 陳", NewFace(rows[0], source, b"\xff\xd8jpeg"), rows[1], tags=("a", "b"),
                metadata={"deep": [1, {"x": None}]}, note="line\nline", until=date(2099, 12, 31),
            ),
            newcomer(None, face(rows[2], "d2", crop=b"crop")),
            newcomer("nobody's face"),
            *(newcomer(f"p{i}", row) for i, row in enumerate(rows[3:])),
        ],
        "s",
    )  # fmt: skip
    return rows


def everything(gallery):
    found = gallery.templates()
    rows = {face: row.tobytes() for face, row in zip(found.face, found.vectors, strict=True)}
    return {
        person.id: (
            person.about, repr(person.about.name), person.about.metadata, person.consent_until,
            [
                (one.id, one.provenance, one.provenance.box, gallery.crop(one.id), rows[one.id.encode()])
                for one in gallery.faces(person.id)
            ],
        )
        for person in gallery.people()
    }  # fmt: skip


def test_people_go_from_one_back_end_to_the_other_and_back(postgres, tmp_path, rng):
    places = [
        Place(str(tmp_path / "first.db"), "sqlite"), Place(postgres.fresh(), "postgres"),
        Place(str(tmp_path / "last.db"), "sqlite"), Place("memory", "memory"),
    ]  # fmt: skip
    first, *others = (place.gallery(COSINE) for place in places)
    rows = enrol_everything(first, rng)
    told, gallery = everything(first), first
    for i, other in enumerate(others):
        moved = export(gallery, tmp_path / f"export{i}")
        assert (moved.people, moved.faces) == (12, 12)
        done = import_into(other, tmp_path / f"export{i}")
        assert (done.people, done.faces, done.repeated, done.forgotten) == (12, 12, 0, 0)
        assert everything(other) == told
        assert names(other, rows) == names(first, rows)
        assert check(other.store).problems == ()
        gallery = other
    for place in places:
        place.close()
    postgres.drop(places[1].address)


def test_importing_again_adds_nothing(place, tmp_path, rng):
    gallery = place.gallery()
    enrol_everything(gallery, rng)
    export(gallery, tmp_path / "out")
    before = everything(gallery)
    done = import_into(gallery, tmp_path / "out")
    assert (done.people, done.faces, done.repeated) == (12, 0, 12)
    assert everything(gallery) == before


def test_who_is_known_by_name_gets_the_faces(place, tmp_path, rng):
    store = place.store()
    one, other = place.gallery(collection="one", store=store), place.gallery(collection="other", store=store)
    one.enroll_many([newcomer("Ada", [1, 0], tags=("new",)), newcomer("Bo", [5, 5])], "s")
    other.enroll_many([newcomer("Ada", [2, 0], tags=("old",))], "s")
    export(one, tmp_path / "out")
    import_into(other, tmp_path / "out")
    assert (other.person("Ada").faces, other.person("Ada").tags) == (2, ("old",))
    assert other.person("Bo").id != one.person("Bo").id, "the identifier is taken in this store"
    assert names(other, vectors([1, 0], [5, 5])) == [["Ada"], ["Bo"]]


def test_the_forgotten_do_not_come_back(place, tmp_path, rng):
    gallery = place.gallery()
    enrol_everything(gallery, rng)
    export(gallery, tmp_path / "out")
    gallery.merge("Ada 陳", ["p0"])
    gallery.move([gallery.faces("p1")[0].id], "Ada 陳")
    gallery.forget("Ada 陳")
    done = import_into(gallery, tmp_path / "out")
    assert done.forgotten == 2, "with whom was merged into"
    here = {person.name for person in gallery.people()}
    assert {"Ada 陳", "p0"}.isdisjoint(here)
    assert gallery.person("p1").faces == 0, "the face had become the other's"
    assert check(gallery.store).problems == ()


def test_an_empty_collection_can_be_moved(place, tmp_path):
    gallery = place.gallery()
    assert export(gallery, tmp_path / "out").people == 0
    assert import_into(gallery, tmp_path / "out").people == 0


def test_files_are_plain_and_for_the_owner_only(place, tmp_path, rng):
    gallery = place.gallery()
    rows = enrol_everything(gallery, rng)
    old = os.umask(0)
    try:
        export(gallery, tmp_path / "out")
    finally:
        os.umask(old)
    out = tmp_path / "out"
    assert oct(out.stat().st_mode & 0o777) == "0o700"
    assert json.loads((out / "collection.json").read_text()) == {
        "format": 1, "name": "default", "space": "s", "embedder": "",
    }  # fmt: skip
    people = [json.loads(line) for line in (out / "people.jsonl").read_text("utf-8").splitlines()]
    assert [one.get("name") for one in people][:3] == ["Ada 陳", None, "nobody's face"]
    faces = [json.loads(line) for line in (out / "faces.jsonl").read_text("utf-8").splitlines()]
    np.testing.assert_array_equal(np.load(out / "vectors.npy"), rows)
    assert [one["person_id"] for one in faces][:2] == [people[0]["id"]] * 2
    assert (out / "crops" / f"{faces[0]['id']}.jpg").read_bytes() == b"\xff\xd8jpeg"


def test_a_folder_is_never_overwritten(place, tmp_path):
    gallery = place.gallery()
    (tmp_path / "out").mkdir()
    assert type(refused(export, gallery, tmp_path / "out")) is BadRequest
    (tmp_path / "file").write_text("x")
    assert isinstance(refused(export, gallery, tmp_path / "file" / "out"), GalleryError)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "kept") == ["file", "out"]


def test_exports_are_noted(place, tmp_path):
    gallery = place.gallery()
    export(gallery, tmp_path / "out")
    with gallery.store.reading() as snapshot:
        assert [entry.action for entry in audit.entries(snapshot.connection)][-1] == "exported"


def test_embeddings_of_another_space_are_refused(place, tmp_path):
    gallery = place.gallery()
    gallery.enroll("Ada", vectors([1, 0]), "s")
    export(gallery, tmp_path / "out")
    other = place.gallery(DecisionRule("t", "cosine", 0.3, None), "other", store=gallery.store)
    assert type(refused(import_into, other, tmp_path / "out")) is SpaceMismatch
    assert other.people() == ()


# Hostile folders


def array_bytes(array, **options):
    sink = io.BytesIO()
    np.save(sink, array, **options)
    return sink.getvalue()


def huge(shape):
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    header = header.ljust(118 - 1) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 64


def archive():
    sink = io.BytesIO()
    np.savez(sink, x=np.zeros((3, 2), np.float32))
    return sink.getvalue()


P = "0123456789abc"
Q, R = "0123456789abd", "0123456789abe"
GOOD = {
    "collection.json": {"format": 1, "name": "n", "space": "s", "embedder": ""},
    "people.jsonl": [{"id": P, "name": "Ada"}, {"id": Q}],
    "faces.jsonl": [
        {"id": P, "person_id": P, "provenance": {}},
        {"id": Q, "person_id": Q, "provenance": {}, "crop": True},
        {"id": R, "person_id": Q, "provenance": {}},
    ],
    "vectors.npy": array_bytes(np.ones((3, 2), np.float32)),
}


def written(folder, changes):
    (folder / "crops").mkdir(parents=True)
    (folder / "crops" / f"{Q}.jpg").write_bytes(b"crop")
    for name, content in (GOOD | changes).items():
        if isinstance(content, list):
            content = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in content)
        if isinstance(content, dict):
            content = json.dumps(content)
        if content is not None:
            (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder


def people(**changes):
    return {"people.jsonl": [{"id": P, "name": "Ada"} | changes, {"id": Q}]}


def faces(**changes):
    return {"faces.jsonl": [GOOD["faces.jsonl"][0] | changes, *GOOD["faces.jsonl"][1:]]}


HOSTILE = {
    "no collection": {"collection.json": None},
    "no people": {"people.jsonl": None},
    "no vectors": {"vectors.npy": None},
    "another format": {"collection.json": GOOD["collection.json"] | {"format": 2}},
    "not JSON": {"collection.json": "{"},
    "bytes": {"people.jsonl": b"\xff\xfe\x00"},
    "an unknown field": people(surname="x"),
    "a name of another kind": people(name=7),
    "an empty name": people(name=" "),
    "a name without end": people(name="x" * 10_000),
    "a name of half a letter": {"people.jsonl": [json.dumps({"id": P, "name": "\ud800"}), {"id": Q}]},
    "tags without end": people(tags=["x"] * 1000),
    "metadata without end": people(metadata={"x": "y" * 100_000}),
    "metadata that is deep": {
        "people.jsonl": [f'{{"id": "{P}", "metadata": {{"a": {"[" * 5000 + "]" * 5000}}}}}']
    },
    "a day that is none": people(consent_until="2030-02-31"),
    "a person twice": {"people.jsonl": [{"id": P, "name": "Ada"}, {"id": Q}, {"id": P, "name": "Bo"}]},
    "a name twice": {"people.jsonl": [{"id": P, "name": "Ada"}, {"id": Q, "name": "Ada"}]},
    "a name twice in two forms": {
        "people.jsonl": [{"id": P, "name": "\u00e9"}, {"id": Q, "name": "e\u0301"}]
    },
    "an identifier that is long": {"people.jsonl": [{"id": P + "x"}, {"id": Q}, {"id": P}]},
    "an identifier that is a path": {"people.jsonl": [{"id": "../../etc/pas"}, {"id": Q}, {"id": P}]},
    "a face that is a path": faces(id="../../etc/pas", crop=True),
    "a face with a strange letter": faces(id="0123456789ab\u0661"),
    "a face twice": faces(id=R),
    "a face of nobody": faces(person_id=R),
    "a missing crop": faces(crop=True),
    "a box of words": faces(provenance={"box": ["a"]}),
    "a box of no number": {
        "faces.jsonl": [f'{{"id": "{P}", "person_id": "{P}", "provenance": {{"box": [NaN]}}}}']
    },
    "fewer vectors": {"vectors.npy": array_bytes(np.ones((2, 2), np.float32))},
    "more vectors": {"vectors.npy": array_bytes(np.ones((4, 2), np.float32))},
    "vectors of one": {"vectors.npy": array_bytes(np.ones(3, np.float32))},
    "vectors of none": {"vectors.npy": array_bytes(np.ones((3, 0), np.float32))},
    "vectors of three": {"vectors.npy": array_bytes(np.ones((3, 2, 2), np.float32))},
    "vectors of doubles": {"vectors.npy": array_bytes(np.ones((3, 2)))},
    "vectors of no number": {"vectors.npy": array_bytes(np.full((3, 2), np.nan, np.float32))},
    "vectors beyond all bounds": {"vectors.npy": array_bytes(np.full((3, 2), 1e30, np.float32))},
    "a pickle": {
        "vectors.npy": array_bytes(np.array([[print], [print], [print]], object), allow_pickle=True)
    },
    "an archive": {"vectors.npy": archive()},
    "an archive of nobody's": {"vectors.npy": archive(), "faces.jsonl": [], "people.jsonl": []},
    "a vector without end": {"vectors.npy": huge((3, 10**12))},
    "vectors without end": {"vectors.npy": huge((10**15, 2)), "faces.jsonl": []},
    "a shape below zero": {"vectors.npy": huge((3, -2))},
    "a shape beyond numbers": {"vectors.npy": huge((3, 10**30))},
    "a cut array": {"vectors.npy": GOOD["vectors.npy"][:-4]},
    "nothing": {"vectors.npy": b""},
    "text": {"vectors.npy": b"1 2 3\n" * 100},
}


@pytest.mark.parametrize("how", HOSTILE)
def test_hostile_folders_are_refused_and_nothing_is_kept(place, tmp_path, how):
    gallery = place.gallery()
    gallery.enroll("Known", vectors([9, 9]), "s")
    error = refused(import_into, gallery, written(tmp_path / "in", HOSTILE[how]))
    assert type(error) is BadRequest
    assert [person.name for person in gallery.people()] == ["Known"]
    assert check(gallery.store).problems == ()


def test_the_folder_that_the_hostile_ones_were_made_of_is_good(place, tmp_path):
    gallery = place.gallery()
    done = import_into(gallery, written(tmp_path / "in", {}))
    assert (done.people, done.faces) == (2, 3)
    assert gallery.crop(Q) == b"crop"
    assert [person.id for person in gallery.people()] == [P, Q]


def test_what_is_no_folder(place, tmp_path):
    gallery = place.gallery()
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "none", tmp_path / "file", tmp_path):
        assert isinstance(refused(import_into, gallery, folder), MienError)


def test_crops_that_are_links_or_pipes_are_not_followed(place, tmp_path):
    gallery = place.gallery()
    secret = tmp_path / "secret"
    secret.write_text("of the host")
    for make in (lambda file: file.symlink_to(secret), os.mkfifo, lambda file: file.mkdir()):
        folder = written(tmp_path / "in", {})
        crop = folder / "crops" / f"{Q}.jpg"
        crop.unlink()
        make(crop)
        assert type(refused(import_into, gallery, folder)) is BadRequest
        shutil.rmtree(folder)
    assert gallery.people() == ()
