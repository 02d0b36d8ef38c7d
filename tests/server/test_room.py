"""Room for decoded photographs: never more than there is, in the order of coming, and none is lost."""

import asyncio
from contextlib import asynccontextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.server.room import Room


class Visits:
    """Who is inside, and in which order they came in."""

    def __init__(self, pixels):
        self.room, self.pixels = Room(pixels), pixels
        self.inside, self.came, self.most = {}, [], 0

    def visit(self, name, pixels):
        """A task that comes in, and stays until it is let go."""
        leave = asyncio.Event()

        async def stay():
            async with self.room.taken(pixels):
                self.came.append(name)
                self.inside[name] = min(pixels, self.pixels)
                self.most = max(self.most, sum(self.inside.values()))
                try:
                    await leave.wait()
                finally:
                    del self.inside[name]

        task = asyncio.create_task(stay())
        task.leave = leave.set
        return task


@asynccontextmanager
async def visits(pixels=10):
    async with asyncio.timeout(20):
        yield Visits(pixels)


async def settle():
    for _ in range(5):
        await asyncio.sleep(0)


async def room_is_whole(found):
    """Everything is there again: somebody who wants all of it gets it at once."""
    last = found.visit("last", found.pixels)
    await settle()
    assert list(found.inside) == ["last"]
    last.leave()
    await last


def test_who_finds_none_left_waits_and_nobody_overtakes():
    async def main():
        async with visits() as found:
            a, b = found.visit("a", 6), found.visit("b", 6)
            c, d = found.visit("c", 1), found.visit("d", 3)
            await settle()
            assert found.came == ["a"], "c and d would fit, but b came before"
            a.leave()
            await settle()
            assert found.came == ["a", "b", "c", "d"]
            for one in (b, c, d):
                one.leave()
            await asyncio.gather(a, b, c, d)
            await room_is_whole(found)

    asyncio.run(main())


def test_what_is_larger_than_everything_comes_in_alone():
    async def main():
        async with visits() as found:
            small, giant = found.visit("small", 1), found.visit("giant", 10**12)
            await settle()
            assert found.came == ["small"]
            small.leave()
            await settle()
            assert list(found.inside) == ["giant"]
            another = found.visit("another", 1)
            await settle()
            assert list(found.inside) == ["giant"]
            giant.leave()
            await settle()
            assert list(found.inside) == ["another"]
            another.leave()
            await asyncio.gather(small, giant, another)
            await room_is_whole(found)

    asyncio.run(main())


def test_nothing_needs_no_room():
    async def main():
        async with visits() as found:
            full, nothing = found.visit("full", 10), found.visit("nothing", 0)
            await settle()
            assert found.came == ["full", "nothing"]
            full.leave(), nothing.leave()
            await asyncio.gather(full, nothing)

    asyncio.run(main())


@pytest.mark.parametrize("moment", ["before it began", "while it waits", "as its turn comes", "inside"])
def test_who_gives_up_takes_nothing_along(moment):
    async def main():
        async with visits() as found:
            a = found.visit("a", 10)
            if moment != "before it began":
                await settle()
            b, c = found.visit("b", 7), found.visit("c", 3)
            if moment != "before it began":
                await settle()
            if moment == "as its turn comes":
                a.leave()
                while found.room._left == 0 and found.room._waiting:
                    await asyncio.sleep(0)  # the room was handed to b, which has not run yet
                assert "b" not in found.inside
            if moment == "inside":
                a.leave()
                await settle()
                assert "b" in found.inside
            b.cancel()
            a.leave()
            await settle()
            assert b.cancelled()
            assert found.inside == {"c": 3}
            c.leave()
            await asyncio.gather(a, c)
            await room_is_whole(found)

    asyncio.run(main())


def test_who_waits_behind_somebody_who_gives_up_comes_in():
    async def main():
        async with visits() as found:
            a, b, c = found.visit("a", 6), found.visit("b", 10), found.visit("c", 4)
            await settle()
            assert found.came == ["a"]
            b.cancel()
            await settle()
            assert found.came == ["a", "c"]
            for one in (a, c):
                one.leave()
            await asyncio.gather(a, c)
            await room_is_whole(found)

    asyncio.run(main())


def test_room_is_given_back_if_what_was_done_fails():
    async def main():
        async with visits() as found:
            with pytest.raises(ZeroDivisionError):
                async with found.room.taken(10):
                    1 / 0  # noqa: B018
            await room_is_whole(found)

    asyncio.run(main())


@settings(max_examples=150, deadline=None)
@given(
    acts=st.lists(
        st.tuples(
            st.sampled_from(["come", "come", "leave", "cancel", "pass"]), st.integers(0, 14), st.booleans()
        ),
        max_size=60,
    )
)
def test_never_more_than_there_is_in_order_and_all_of_it_in_the_end(acts):
    async def main():
        async with visits() as found:
            tasks = []
            for act, number, soon in acts:
                if act == "come":
                    tasks.append(found.visit(len(tasks), number))
                elif act != "pass" and tasks:
                    task = tasks[number % len(tasks)]
                    task.leave() if act == "leave" else task.cancel()
                for _ in range(0 if soon else 3):
                    await asyncio.sleep(0)
            await settle()
            for task in tasks:
                task.leave()
            await asyncio.gather(*tasks, return_exceptions=True)
            assert found.most <= found.pixels
            assert found.came == sorted(found.came)
            assert found.inside == {}
            await room_is_whole(found)

    asyncio.run(main())
