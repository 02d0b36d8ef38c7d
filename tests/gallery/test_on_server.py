import numpy as np
import pytest

from gallery.known import COSINE, KEY, RULE, newcomer, refused, spread
from mien.errors import BadRequest, KeyWrong
from mien.gallery.choices import IndexChoices
from mien.gallery.gallery import Gallery, memory_gallery
from mien.gallery.rotating import rotate
from mien.gallery.store.store import Store
from mien.gallery.vault.master import random_key

SERVER = IndexChoices(kind="pgvector")


@pytest.fixture
def address(postgres):
    return postgres.fresh()


@pytest.fixture
def make(address):
    opened = []

    def made(rule=COSINE, key=KEY, **choices):
        opened.append(Gallery(Store(address, key), rule, choices=IndexChoices(kind="pgvector", **choices)))
        return opened[-1]

    yield made
    for gallery in opened:
        gallery.store.close()


def people(rng, count, faces=3):
    found = spread(rng, count * faces)
    return [
        newcomer(f"p{i}", *found[faces * i : faces * (i + 1)], tags=["even"] * (i % 2 == 0))
        for i in range(count)
    ]


@pytest.mark.parametrize("rule", [COSINE, RULE], ids=["cosine", "euclidean"])
@pytest.mark.parametrize("policy", ["best_face", "centroid"])
def test_it_says_what_memory_says_through_all_changes(make, rng, rule, policy):
    server = make(rule, policy=policy)
    memory = memory_gallery(rule, choices=IndexChoices(policy=policy))
    probes = spread(rng, 8)
    everybody = people(rng, 30)
    both = (server, memory)
    for gallery in both:
        gallery.enroll_many(everybody, "s")

    def same():
        for options in ({}, {"tags": ["even"]}):
            asked = [gallery.identify(probes, "s", 4, **options) for gallery in both]
            assert asked[0].person.tolist() == asked[1].person.tolist()
            np.testing.assert_array_equal(asked[0].distance, asked[1].distance)
        found = [gallery.search(probes, "s", 5) for gallery in both]
        assert found[0].person.tolist() == found[1].person.tolist()

    same()
    for change in (
        lambda g: g.enroll("new", probes[:2], "s"),
        lambda g: g.merge("p1", ["p2", "p3"]),
        lambda g: g.move([g.faces("p4")[0].id], "p5"),
        lambda g: g.drop_faces([g.faces("p6")[1].id]),
        lambda g: g.forget(["p7", "new"]),
        lambda g: g.edit("p9", tags=["even"]),
    ):
        for gallery in both:
            change(gallery)
        same()


def test_processes_share_it(make, rng):
    one, two = make(), make()
    probe = spread(rng, 1)
    assert two.identify(probe, "s").person.shape == (1, 0)
    one.enroll("Ada", probe, "s")
    assert two.identify(probe, "s").person.tolist() == [["Ada"]]
    two.forget("Ada")
    assert one.identify(probe, "s").person.shape == (1, 0)


def test_one_person_with_many_faces_hides_nobody(make, rng):
    gallery, probe = make(), spread(rng, 1)
    near = probe + rng.normal(0, 0.01, (200, 32)).astype(np.float32)
    gallery.enroll_many([newcomer("many", *near), newcomer("other", *spread(rng, 1))], "s")
    assert gallery.identify(probe, "s", 2).person.tolist() == [["many", "other"]]


def test_with_a_graph_it_still_finds_them(make, rng):
    gallery = make(exact_up_to=50)
    everybody = people(rng, 100)
    gallery.enroll_many(everybody, "s")
    probes = np.stack([one.faces[1].vector for one in everybody])
    found = gallery.identify(probes, "s").person[:, 0]
    assert np.mean(found == [one.about.name for one in everybody]) >= 0.99


def test_after_a_crash_of_the_server_it_is_filled_again(make, rng, postgres, address):
    gallery, probe = make(), spread(rng, 1)
    gallery.enroll("Ada", probe, "s")
    assert gallery.identify(probe, "s").person.tolist() == [["Ada"]]
    tables = [
        row[0]
        for row in postgres.run(
            "SELECT relname FROM pg_class WHERE relname LIKE 'nearby%' AND relkind = 'r'", address=address
        )
    ]
    kinds = postgres.run(
        "SELECT DISTINCT relpersistence FROM pg_class WHERE relname LIKE 'nearby%'", address=address
    )
    assert (len(tables), kinds) == (2, [("u",)]), "nothing of it is logged"
    postgres.run(f"TRUNCATE {', '.join(tables)}", address=address)  # as the server does to such tables
    assert gallery.identify(probe, "s").person.tolist() == [["Ada"]]
    assert make().identify(probe, "s").person.tolist() == [["Ada"]]


def test_the_server_sees_no_template(make, rng, postgres, address):
    gallery, vectors = make(), spread(rng, 20)
    gallery.enroll_many([newcomer(f"p{i}", vector) for i, vector in enumerate(vectors)], "s")
    gallery.identify(vectors, "s")
    (table,) = [
        row[0]
        for row in postgres.run(
            "SELECT relname FROM pg_class WHERE relname LIKE 'nearby%best_face%' AND relkind = 'r'",
            address=address,
        )
    ]
    rows = [
        np.array(row[0].strip("[]").split(","), float)
        for row in postgres.run(f"SELECT v::text FROM {table}", address=address)
    ]
    seen = np.array(rows)
    assert seen.shape == vectors.shape
    nearest = np.abs(seen[:, None] - vectors[None]).max(axis=2).min()
    assert nearest > 0.05, "none of them is there as it is"
    np.testing.assert_allclose(
        np.sort((seen @ seen.T).ravel()), np.sort((vectors @ vectors.T).ravel()), atol=2e-3
    )


def test_an_exchange_of_keys_fills_it_anew(make, rng):
    gallery, probe = make(), spread(rng, 1)
    gallery.enroll("Ada", probe, "s")
    gallery.identify(probe, "s")
    new = random_key()
    rotate(gallery.store, new)
    assert gallery.identify(probe, "s").person.tolist() == [["Ada"]]
    assert make(key=new).identify(probe, "s").person.tolist() == [["Ada"]]
    assert isinstance(refused(make), KeyWrong)


def test_probes_of_another_length_are_refused(make, rng):
    gallery = make()
    gallery.enroll("Ada", spread(rng, 1), "s")
    assert isinstance(refused(gallery.identify, np.zeros((1, 7), np.float32), "s"), BadRequest)


def test_it_wants_a_server(tmp_path):
    with Store(str(tmp_path / "people.db"), KEY) as store:
        error = refused(Gallery, store, RULE, choices=SERVER)
    assert isinstance(error, BadRequest)
    assert "PostgreSQL" in str(error)


def test_another_process_may_fill_it_anew(make, rng, postgres, address):
    one, two = make(), make()
    everybody = people(rng, 8, 1)
    one.enroll_many(everybody, "s")
    probes = np.stack([person.faces[0].vector for person in everybody])
    wanted = [[person.about.name] for person in everybody]
    assert one.identify(probes, "s").person.tolist() == two.identify(probes, "s").person.tolist() == wanted
    postgres.run("TRUNCATE nearby", address=address)
    assert two.identify(probes, "s").person.tolist() == wanted
    assert one.identify(probes, "s").person.tolist() == wanted, "turned otherwise than it knew"


def test_it_gets_a_graph_when_it_has_grown(make, rng):
    gallery = make(exact_up_to=20)
    gallery.enroll_many(people(rng, 5, 3), "s")
    assert (gallery.nearby.described().kind, gallery.nearby.described().rows) == ("exact", 15)
    gallery.enroll_many([newcomer(f"more {i}", vector) for i, vector in enumerate(spread(rng, 10))], "s")
    assert (gallery.nearby.described().kind, gallery.nearby.described().rows) == ("hnsw", 25)
