from pathlib import Path

import msgspec
import pytest

from mien.errors import SettingsError
from mien.serving import Serving
from mien.settings import Settings, load_settings

# field: default, then (written in mien.toml, its value), (in the environment, its value), argument
FIELDS = {
    "device": ("cpu", ('"cuda"', "cuda"), ("openvino", "openvino"), "coreml"),
    "threads": (0, ("3", 3), ("4", 4), 5),
    "batch": (8, ("3", 3), ("4", 4), 5),
    "max_pixels": (100_000_000, ("3_000", 3000), ("4000", 4000), 5000),
    "max_bytes": (512 * 1024 * 1024, ("3_000", 3000), ("4000", 4000), 5000),
    "detector": (None, ('"a"', "a"), ("b", "b"), "c"),
    "embedder": (None, ('"a"', "a"), ("b", "b"), "c"),
    "use": ({}, ('{age = "a"}', {"age": "a"}), ("age=b, live=c", {"age": "b", "live": "c"}), {"age": "d"}),
    "profile": ("balanced", ('"fast"', "fast"), ("accurate", "accurate"), "fast"),
    "search": (None, ('"tiny"', "tiny"), ("close", "close"), "thorough"),
    "least_score": (None, ("0.3", 0.3), ("0.4", 0.4), 0.5),
    "flip": (None, ("true", True), ("false", False), True),
    "calibration": (None, ('"a.json"', Path("a.json")), ("b.json", Path("b.json")), Path("c.json")),
    "fmr": (None, ("1e-3", 1e-3), ("0.01", 0.01), 0.1),
    "review_fmr": (None, ("1e-2", 1e-2), ("0.02", 0.02), 0.1),
    "least_margin": (0.0, ("0.1", 0.1), ("0.2", 0.2), 0.3),
    "store": (None, ('"a.db"', "a.db"), ("b.db", "b.db"), "memory"),
    "collection": ("default", ('"a"', "a"), ("b", "b"), "c"),
    "gallery_key": (None, ('"a.key"', "a.key"), ("env:KEY", "env:KEY"), "kms:vault"),
    "policy": ("best_face", ('"centroid"', "centroid"), ("best_face", "best_face"), "centroid"),
    "index": ("auto", ('"exact"', "exact"), ("auto", "auto"), "exact"),
    "exact_up_to": (200_000, ("1", 1), ("2", 2), 3),
    "keep_crops": (False, ("true", True), ("false", False), True),
    "gate": ("off", ('"standard"', "standard"), ("strict", "strict"), "off"),
    "mirror": (None, ('"file:a"', "file:a"), ("file:b", "file:b"), "file:c"),
}

# The table [server], likewise; in the environment MIEN_SERVER_*.
SERVER = {
    "host": ("127.0.0.1", ('"::1"', "::1"), ("0.0.0.0", "0.0.0.0"), "localhost"),
    "port": (8000, ("1", 1), ("2", 2), 3),
    "workers": (1, ("2", 2), ("3", 3), 4),
    "hosts": ((), ('["a", "b"]', ("a", "b")), (" c , d,", ("c", "d")), ("e",)),
    "origins": ((), ('["http://a"]', ("http://a",)), ("http://b", ("http://b",)), ("http://c",)),
    "folders": ((), ('["/a"]', (Path("/a"),)), ("/b,/c d", (Path("/b"), Path("/c d"))), (Path("/e"),)),
    "max_body_bytes": (64 * 1024 * 1024, ("1_000", 1000), ("2000", 2000), 3000),
    "max_pixels": (50_000_000, ("1_000", 1000), ("2000", 2000), 3000),
    "max_photographs": (100, ("1", 1), ("2", 2), 3),
    "waiting": (64, ("1", 1), ("2", 2), 3),
    "batch_wait_ms": (5.0, ("0", 0.0), ("2.5", 2.5), 3.0),
    "timeout_s": (30.0, ("1", 1.0), ("0.5", 0.5), 3.0),
    "rate_per_minute": (0, ("1", 1), ("2", 2), 3),
    "console": (True, ("false", False), ("true", True), False),
    "trace": (None, ('"http://a"', "http://a"), ("http://b", "http://b"), "http://c"),
}
TLS = {"tls_cert": "a.pem", "tls_key": "b.pem"}


@pytest.fixture
def write(tmp_path):
    def written(text, home=tmp_path):
        home.mkdir(exist_ok=True)
        (home / "mien.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return home

    return written


def test_the_password_of_a_store_is_not_shown():
    address = "postgresql://me:s3cr@t@host/people"
    shown = repr(Settings(store=address))
    assert "s3cr" not in shown
    assert "postgresql://me:***@host/people" in shown
    assert "store='people.db'" in repr(Settings(store="people.db"))


def test_the_table_above_knows_every_field():
    assert {*FIELDS, "home", "server"} == set(Settings.__struct_fields__)
    assert {*SERVER, *TLS} == set(Serving.__struct_fields__)


@pytest.mark.parametrize("name", FIELDS)
def test_arguments_beat_environment_beats_file_beats_default(name, tmp_path, write):
    default, (in_file, from_file), (in_environ, from_environ), argument = FIELDS[name]
    home, environ = {"MIEN_HOME": str(tmp_path)}, {f"MIEN_{name.upper()}": in_environ}

    def value(environ, **arguments):
        return getattr(load_settings(environ=environ, **arguments), name)

    assert value(home) == default
    write(f"{name} = {in_file}")
    assert value(home) == from_file
    assert value(home | environ) == from_environ
    assert value(home | environ, **{name: argument}) == argument
    assert value(home | environ, **{name: None}) == from_environ, "None is not given"
    assert value(home | {f"MIEN_{name.upper()}": ""}) == from_file, "an empty variable is not set"


def test_home_has_a_default_and_is_overridden(tmp_path, monkeypatch, write):
    monkeypatch.setattr("platformdirs.user_data_dir", lambda name: str(tmp_path / "data" / name))
    assert load_settings(environ={}).home == Settings().home == tmp_path / "data" / "mien"
    a, b = write("batch = 2", tmp_path / "a"), write("batch = 3", tmp_path / "b")
    assert load_settings(environ={"MIEN_HOME": str(a)}).home == a
    found = load_settings(environ={"MIEN_HOME": str(a)}, home=b)
    assert (found.home, found.batch) == (b, 3), "the file of the chosen home is the one that counts"
    assert found.packs_dir == b / "packs"


def test_a_tilde_is_the_users_home(tmp_path, monkeypatch, write):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    write("batch = 3", tmp_path / "faces")
    for found in (load_settings(environ={"MIEN_HOME": "~/faces"}), load_settings(environ={}, home="~/faces")):
        assert (found.home, found.batch) == (tmp_path / "faces", 3)


def test_the_environment_of_the_process_is_read(tmp_path, monkeypatch):
    monkeypatch.setenv("MIEN_HOME", str(tmp_path))
    monkeypatch.setenv("MIEN_BATCH", "5")
    assert (load_settings().home, load_settings().batch) == (tmp_path, 5)


BAD = [
    ("device", "gpu"),
    ("threads", "-1"),
    ("threads", "two"),
    ("batch", "0"),
    ("batch", "1.5"),
    ("max_pixels", "0"),
    ("max_pixels", "-5"),
    ("max_bytes", "0"),
    ("max_bytes", "1GB"),
]


@pytest.mark.parametrize(("name", "value"), BAD)
@pytest.mark.parametrize("door", ["file", "environment", "argument"])
def test_a_value_that_cannot_be_used_is_named(door, name, value, tmp_path, write):
    environ = {"MIEN_HOME": str(tmp_path)} | (
        {f"MIEN_{name.upper()}": value} if door == "environment" else {}
    )
    if door == "file":
        write(f'{name} = "{value}"')
    with pytest.raises(SettingsError) as caught:
        load_settings(environ=environ, **({name: value} if door == "argument" else {}))
    assert name in str(caught.value)
    assert str(tmp_path / "mien.toml") in caught.value.hint


def test_an_unknown_name_is_named_and_the_known_ones_listed(tmp_path, write):
    environ = {"MIEN_HOME": str(tmp_path)}
    with pytest.raises(SettingsError, match="detectr"):
        load_settings(environ=environ, detectr="mtcnn")
    write("embeder = 'x'")
    with pytest.raises(SettingsError, match="embeder") as caught:
        load_settings(environ=environ)
    assert all(name in caught.value.hint for name in Settings.__struct_fields__)


@pytest.mark.parametrize("text", ["batch = ", "batch", b"batch = \xff", "[", "batch = 1\nbatch = 2"])
def test_a_broken_file_is_named(text, tmp_path, write):
    write(text)
    with pytest.raises(SettingsError, match="cannot be read") as caught:
        load_settings(environ={"MIEN_HOME": str(tmp_path)})
    assert str(tmp_path / "mien.toml") in str(caught.value)


def test_a_folder_in_place_of_the_file_is_named(tmp_path):
    (tmp_path / "mien.toml").mkdir()
    with pytest.raises(SettingsError, match=r"mien\.toml cannot be read"):
        load_settings(environ={"MIEN_HOME": str(tmp_path)})


def test_a_file_cannot_move_the_home_it_lies_in(tmp_path, write):
    write("home = '/elsewhere'")
    with pytest.raises(SettingsError, match="cannot set home") as caught:
        load_settings(environ={"MIEN_HOME": str(tmp_path)})
    assert "MIEN_HOME" in caught.value.hint


@pytest.mark.parametrize("home", [5, "~nobody-of-this-name/faces"])
def test_a_home_that_is_no_folder_name_is_refused(home):
    with pytest.raises(SettingsError, match="home") as caught:
        load_settings(environ={}, home=home)
    assert "MIEN_HOME" in caught.value.hint


def test_settings_are_frozen_and_checked_without_files_too(tmp_path):
    settings = Settings(home=tmp_path)
    assert isinstance(settings.home, Path)
    with pytest.raises(AttributeError):
        settings.batch = 4
    with pytest.raises(ValueError, match="batch must be at least 1"):
        Settings(batch=0)
    with pytest.raises(ValueError, match="threads must be at least 0"):
        msgspec.structs.replace(settings, threads=-1)
    for name in ("fmr", "least_score"):
        with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1"):
            Settings(**{name: 1.0})


@pytest.mark.parametrize("written", ["age", "age=", "=b", "age=b,live"])
def test_pairs_that_name_no_column_or_no_pack(written):
    with pytest.raises(SettingsError, match="column and its pack"):
        load_settings(environ={"MIEN_USE": written})


def test_profiles_choose_what_is_not_chosen():
    fast, plain, accurate = (Settings(profile=name) for name in ("fast", "balanced", "accurate"))
    assert [one.searching for one in (fast, plain, accurate)] == ["fast", "normal", "thorough"]
    assert [one.flipping for one in (fast, plain, accurate)] == [False, False, True]
    assert (fast.enough_side is not None, plain.enough_side, accurate.enough_side) == (True, None, None)
    assert Settings(profile="accurate", search="tiny", flip=False).searching == "tiny"
    assert not Settings(profile="accurate", flip=False).flipping


@pytest.mark.parametrize("name", SERVER)
def test_of_the_server_too_arguments_beat_environment_beats_file_beats_default(name, tmp_path, write):
    default, (in_file, from_file), (in_environ, from_environ), argument = SERVER[name]
    home, environ = {"MIEN_HOME": str(tmp_path)}, {f"MIEN_SERVER_{name.upper()}": in_environ}

    def value(environ, **arguments):
        return getattr(load_settings(environ=environ, **arguments).server, name)

    assert value(home) == default
    write(f"[server]\n{name} = {in_file}")
    assert value(home) == from_file
    assert value(home | environ) == from_environ
    assert value(home | environ, server={name: argument}) == argument
    assert value(home | environ, server={}) == from_environ
    assert value(home | {f"MIEN_SERVER_{name.upper()}": ""}) == from_file, "an empty variable is not set"


def test_fields_of_the_server_come_from_wherever_they_are_said(tmp_path, write):
    write('threads = 2\n[server]\nport = 1\nwaiting = 7\nhosts = ["a"]')
    environ = {"MIEN_HOME": str(tmp_path), "MIEN_SERVER_WAITING": "8", "MIEN_SERVER_WORKERS": "2"}
    found = load_settings(environ=environ, server={"workers": 3})
    assert (found.server.port, found.server.waiting, found.server.workers) == (1, 8, 3)
    assert (found.server.hosts, found.threads) == (("a",), 2)
    whole = load_settings(environ=environ, server=Serving(port=9))
    assert whole.server == Serving(port=9), "a whole one is taken as it is"


@pytest.mark.parametrize("door", ["file", "environment", "argument"])
def test_a_certificate_comes_with_its_key(door, tmp_path, write):
    def load(**told):
        environ = {"MIEN_HOME": str(tmp_path)}
        lines = [f'{name} = "{value}"' for name, value in told.items()]
        write("\n".join(["[server]", *lines]) if door == "file" else "")
        if door == "environment":
            environ |= {f"MIEN_SERVER_{name.upper()}": value for name, value in told.items()}
        return load_settings(environ=environ, server=told if door == "argument" else None).server

    both = load(**TLS)
    assert (both.tls_cert, both.tls_key) == (Path("a.pem"), Path("b.pem"))
    for name, value in TLS.items():
        with pytest.raises(SettingsError, match="tls_cert and tls_key come together"):
            load(**{name: value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "-1"),
        ("port", "65536"),
        ("port", "http"),
        ("workers", "0"),
        ("max_body_bytes", "0"),
        ("max_pixels", "0"),
        ("max_photographs", "0"),
        ("waiting", "0"),
        ("waiting", "1.5"),
        ("batch_wait_ms", "-1"),
        ("timeout_s", "0"),
        ("timeout_s", "-1"),
        ("timeout_s", "nan"),
        ("rate_per_minute", "-1"),
        ("console", "perhaps"),
    ],
)
@pytest.mark.parametrize("door", ["file", "environment", "argument"])
def test_a_value_of_the_server_that_cannot_be_used_is_named(door, name, value, tmp_path, write):
    environ = {"MIEN_HOME": str(tmp_path)}
    if door == "environment":
        environ[f"MIEN_SERVER_{name.upper()}"] = value
    if door == "file":
        write(f'[server]\n{name} = "{value}"')
    with pytest.raises(SettingsError, match=name):
        load_settings(environ=environ, server={name: value} if door == "argument" else None)


@pytest.mark.parametrize("text", ["[server]\nprot = 1", "server = 1", 'server = "x"', "[[server]]\nport = 1"])
def test_a_table_of_the_server_that_is_none(text, tmp_path, write):
    write(text)
    with pytest.raises(SettingsError, match=r"server|prot"):
        load_settings(environ={"MIEN_HOME": str(tmp_path)})
    with pytest.raises(SettingsError, match="prot"):
        load_settings(environ={}, server={"prot": 1})


def test_who_is_on_loopback():
    for ours in ("127.0.0.1", "::1", "localhost"):
        assert Serving(host=ours).on_loopback
    for others in ("0.0.0.0", "::", "10.0.0.1", "", "faces.example"):
        assert not Serving(host=others).on_loopback
