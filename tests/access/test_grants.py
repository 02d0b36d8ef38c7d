"""Who may do what."""

import pytest

from gallery.known import KEY, refused
from mien.access import grants, keys
from mien.access.grants import Caller
from mien.access.scopes import MEANINGS, SCOPES, checked_scopes
from mien.errors import BadRequest, Forbidden
from mien.gallery.sql.engine import MEMORY
from mien.gallery.store.store import Store


def test_each_scope_has_a_meaning():
    assert tuple(MEANINGS) == SCOPES == ("detect", "verify", "search", "enroll", "admin")
    assert all(MEANINGS.values())


def test_scopes_come_once_and_in_order():
    assert checked_scopes(["admin", "detect", "admin"]) == ("detect", "admin")
    for odd in ([], (), "detect", ["Detect"], ["detect", ""]):
        assert type(refused(checked_scopes, odd)) is BadRequest


@pytest.mark.parametrize("scope", SCOPES)
def test_a_caller_may_do_what_his_scopes_say_and_admin_everything(scope):
    caller = Caller("key:1", "n", (scope,))
    for asked in SCOPES:
        allowed = scope in (asked, "admin")
        assert caller.may(asked) is allowed
        if allowed:
            caller.demand(asked)
        else:
            error = refused(caller.demand, asked)
            assert type(error) is Forbidden
            assert asked in error.message
            assert asked in error.hint


def test_a_caller_works_with_his_collections():
    caller = Caller("key:1", "n", ("admin",), ("a", "b"))
    caller.demand_collection("a")
    assert caller.may_see("b")
    for other in ("c", "", "A", "a "):
        assert not caller.may_see(other)
        assert type(refused(caller.demand_collection, other)) is Forbidden
    Caller("key:1", "n", ("detect",)).demand_collection("anything")
    assert not Caller("key:1", "n", ("detect",), ()).may_see("a")


def test_this_machine_may_do_everything():
    local = grants.local()
    assert (local.actor, local.key_id, local.rate_per_minute) == ("local", None, None)
    assert all(local.may(scope) for scope in SCOPES)
    assert local.may_see("anything")


def test_a_key_is_a_caller():
    with Store(MEMORY, KEY) as store:
        key, _ = keys.create(store, "Ada's", ["verify"], collections=["a"], rate_per_minute=5)
    caller = grants.caller_of(key)
    assert (caller.actor, caller.key_id, caller.name) == (f"key:{key.id}", key.id, "Ada's")
    assert (caller.scopes, caller.collections, caller.rate_per_minute) == (("verify",), ("a",), 5)
    assert "Ada" not in repr(caller)
