"""Photographs of many requests go through the networks together, and come back to those who asked."""

import asyncio
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mien.core.analysis import Analysis, Failure
from mien.core.faces import Faces
from mien.core.image import Image
from mien.errors import InferenceError, MienError, NoFace, Overloaded, TimedOut, UnreadableImage
from mien.server.batching import Batcher, Limits, without_pixels

BOX, AGE = ("box",), ("box", "age")


def as_it_is(found):
    return found


def image(number):
    return Image.from_rgb(np.full((2, 2, 3), number % 256, np.uint8), source=str(number))


def analysis(one):
    return Analysis(one, Faces.empty(one.size_wh))


class Networks:
    """What looks: notes what it is given, and waits for a gate if there is one."""

    def __init__(self, gate=None, act=None):
        self.batches, self.gate, self.act = [], gate, act
        self.busy = threading.Event()

    def __call__(self, images, columns):
        self.batches.append(([int(one.source) for one in images], columns))
        self.busy.set()
        if self.gate is not None:
            assert self.gate.wait(20)
        return [analysis(one) for one in images] if self.act is None else self.act(images)


def run(networks, work, *, defect=lambda _error: None, **limits):
    """Do something with a batcher, within a time."""
    batcher = Batcher(networks, Limits(**limits), defect=defect)

    async def main():
        async with asyncio.timeout(20):
            return await work(batcher)

    try:
        return asyncio.run(main())
    finally:
        if networks.gate is not None:
            networks.gate.set()
        batcher.close()


async def begun(networks, batcher, *numbers, columns=BOX):
    """Tasks that wait; the first of them is being looked at when this returns."""
    tasks = [
        asyncio.create_task(batcher.look(lambda number=number: image(number), 4, columns, as_it_is))
        for number in numbers
    ]
    await asyncio.to_thread(networks.busy.wait, 20)
    return tasks


async def queued(batcher, count):
    while len(batcher._queue) < count:
        await asyncio.sleep(0.001)


def test_a_result_goes_to_whom_it_belongs_and_what_waits_goes_together():
    networks = Networks(threading.Event())

    async def work(batcher):
        (first,) = await begun(networks, batcher, 0)
        others = await begun(networks, batcher, *range(1, 12))
        await queued(batcher, 11)
        networks.gate.set()
        return [int((await one).source) for one in [first, *others]]

    assert run(networks, work, batch=8) == list(range(12))
    counts = [len(numbers) for numbers, _ in networks.batches]
    assert counts == [1, 8, 3]


def test_only_what_asks_for_the_same_goes_together():
    networks = Networks(threading.Event())

    async def work(batcher):
        tasks = await begun(networks, batcher, 0)
        for number in range(1, 7):
            tasks += await begun(networks, batcher, number, columns=AGE if number % 2 else BOX)
            await queued(batcher, number)
        networks.gate.set()
        await asyncio.gather(*tasks)

    run(networks, work)
    assert networks.batches[1:] == [([1, 3, 5], AGE), ([2, 4, 6], BOX)]


def test_who_is_alone_does_not_wait_for_company():
    networks = Networks()

    async def work(batcher):
        return [int((await batcher.look(lambda n=n: image(n), 4, BOX, as_it_is)).source) for n in range(3)]

    # With a minute to wait, the time allowed would be over if anybody did.
    assert run(networks, work, wait_s=60) == [0, 1, 2]
    assert [len(numbers) for numbers, _ in networks.batches] == [1, 1, 1]


def test_what_is_ready_waits_for_what_is_being_decoded():
    networks, decoding = Networks(), threading.Event()

    def slowly():
        assert decoding.wait(20)
        return image(1)

    async def work(batcher):
        slow = asyncio.create_task(batcher.look(slowly, 4, BOX, as_it_is))
        while not batcher._arriving:
            await asyncio.sleep(0.001)
        quick = asyncio.create_task(batcher.look(lambda: image(0), 4, BOX, as_it_is))
        await queued(batcher, 1)
        decoding.set()
        await asyncio.gather(slow, quick)

    run(networks, work, wait_s=15)
    assert networks.batches == [([0, 1], BOX)]


def test_it_does_not_wait_longer_than_it_may():
    networks, decoding = Networks(), threading.Event()

    async def work(batcher):
        slow = asyncio.create_task(batcher.look(lambda: decoding.wait(20) and image(1), 4, BOX, as_it_is))
        while not batcher._arriving:
            await asyncio.sleep(0.001)
        await batcher.look(lambda: image(0), 4, BOX, as_it_is)
        decoding.set()
        await slow

    run(networks, work, wait_s=0.01)
    assert networks.batches == [([0], BOX), ([1], BOX)]


def test_a_photograph_that_cannot_be_read_fails_alone():
    networks = Networks()

    def broken():
        raise UnreadableImage("no picture")

    async def work(batcher):
        looks = [
            batcher.look(broken if n % 3 == 0 else lambda n=n: image(n), 4, BOX, as_it_is) for n in range(9)
        ]
        return await asyncio.gather(*looks, return_exceptions=True)

    results = run(networks, work)
    assert [type(one) for one in results[::3]] == [UnreadableImage] * 3
    assert [int(one.source) for i, one in enumerate(results) if i % 3] == [1, 2, 4, 5, 7, 8]


def test_a_photograph_at_which_nothing_can_be_looked_fails_alone():
    def act(images):
        return [Failure(one.source, NoFace("none")) if one.source == "2" else analysis(one) for one in images]

    networks = Networks(threading.Event(), act)

    async def work(batcher):
        tasks = await begun(networks, batcher, *range(5))
        networks.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    assert [type(one) for one in run(networks, work)] == [Analysis, Analysis, NoFace, Analysis, Analysis]


@pytest.mark.parametrize(
    "mistake",
    [
        lambda images: 1 / 0,
        lambda images: [],
        lambda images: (one for one in [analysis(images[0]), 1 / 0]),
    ],
    ids=["an error", "no results", "an error half way"],
)
def test_a_defect_answers_everybody_is_told_and_the_next_are_looked_at(mistake):
    broken, told = {"now": True}, []
    networks = Networks(
        threading.Event(),
        lambda images: mistake(images) if broken["now"] else [analysis(one) for one in images],
    )

    async def work(batcher):
        tasks = await begun(networks, batcher, 0)
        tasks += await begun(networks, batcher, 1, 2, 3)
        await queued(batcher, 3)
        networks.gate.set()
        failed = await asyncio.gather(*tasks, return_exceptions=True)
        broken["now"] = False
        return failed, await batcher.look(lambda: image(7), 4, BOX, without_pixels)

    failed, after = run(networks, work, defect=told.append)
    assert [type(one) for one in failed] == [InferenceError] * 4
    assert len(told) == 2, "once for each batch"
    assert not any(isinstance(one, MienError) for one in told)
    assert after.source == "7"


def test_a_defect_for_one_photograph_does_not_fail_those_that_came_with_it():
    def act(images):
        if any(one.source == "2" for one in images):
            raise ZeroDivisionError
        return [analysis(one) for one in images]

    networks = Networks(threading.Event(), act)

    async def work(batcher):
        tasks = await begun(networks, batcher, 0)
        tasks += await begun(networks, batcher, 1, 2, 3)
        await queued(batcher, 3)
        networks.gate.set()
        return await asyncio.gather(*tasks, return_exceptions=True)

    results = run(networks, work)
    assert [type(one) for one in results] == [Analysis, Analysis, InferenceError, Analysis]


def test_results_that_are_too_many_are_a_defect():
    networks = Networks(act=lambda images: [analysis(image(50))] * (len(images) + 1))
    told = []

    async def work(batcher):
        return await batcher.look(lambda: image(0), 4, BOX, without_pixels)

    run(networks, work, defect=told.append)
    assert [type(one) for one in told] == [ValueError]


def test_an_error_of_the_networks_is_told_to_everybody_in_the_batch():
    def refuse(images):
        raise NoFace(f"none in {len(images)}")

    async def work(batcher):
        return await asyncio.gather(
            batcher.look(lambda: image(0), 4, BOX, as_it_is),
            batcher.look(lambda: image(1), 4, AGE, as_it_is),
            return_exceptions=True,
        )

    assert [str(one) for one in run(Networks(act=refuse), work)] == ["none in 1"] * 2


def test_beyond_what_may_wait_it_is_overloaded_and_takes_on_again_later():
    networks = Networks(threading.Event())

    async def work(batcher):
        tasks = await begun(networks, batcher, 0, 1, 2)
        assert batcher.waiting == 3
        with pytest.raises(Overloaded) as caught:
            await batcher.look(lambda: image(3), 4, BOX, as_it_is)
        assert caught.value.retry_after_s
        with pytest.raises(Overloaded):
            await batcher.admit()
        late = asyncio.create_task(batcher.admit())
        networks.gate.set()
        await asyncio.gather(*tasks)
        assert batcher.waiting == 0
        await late  # waited a moment, and found a place
        return await batcher.look(lambda: image(4), 4, BOX, as_it_is)

    assert run(networks, work, waiting=3).source == "4"


def test_what_takes_too_long_is_told_so_and_gives_its_place_free():
    networks = Networks(threading.Event())

    async def work(batcher):
        tasks = await begun(networks, batcher, 0, 1, 2)
        results = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(one) for one in results] == [TimedOut] * 3
        assert batcher.waiting == 0
        networks.gate.set()
        return await batcher.look(lambda: image(4), 4, BOX, as_it_is)

    assert run(networks, work, timeout_s=0.2).source == "4"
    assert len(networks.batches) == 2
    assert networks.batches[1] == ([4], BOX)


def test_who_has_gone_is_not_looked_at():
    networks = Networks(threading.Event())

    async def work(batcher):
        (first,) = await begun(networks, batcher, 0)
        others = await begun(networks, batcher, *range(1, 30))
        await queued(batcher, 8)
        for one in others:
            one.cancel()
        assert all(
            isinstance(one, asyncio.CancelledError)
            for one in await asyncio.gather(*others, return_exceptions=True)
        )
        assert batcher.waiting == 1
        networks.gate.set()
        await first
        return await batcher.look(lambda: image(99), 4, BOX, as_it_is)

    assert run(networks, work).source == "99"
    assert networks.batches == [([0], BOX), ([99], BOX)]


def test_pixels_are_bounded_however_many_ask():
    held, most, lock = [0], [0], threading.Lock()
    networks = Networks(act=lambda images: [analysis(one) for one in images])

    def decode(number):
        with lock:
            held[0] += 10
            most[0] = max(most[0], held[0])
        return image(number)

    async def look(batcher, number):
        try:
            return await batcher.look(lambda: decode(number), 10, BOX, as_it_is)
        finally:
            with lock:
                held[0] -= 10

    async def work(batcher):
        return await asyncio.gather(*(look(batcher, number) for number in range(40)))

    assert [int(one.source) for one in run(networks, work, pixels=35)] == list(range(40))
    assert 10 < most[0] <= 35


def test_what_is_made_of_a_photograph_is_made_while_it_has_room():
    networks, made, go_on = Networks(), threading.Event(), threading.Event()

    def then(found):
        made.set()
        assert go_on.wait(20)
        return found.image.rgb.sum()

    async def work(batcher):
        first = asyncio.create_task(batcher.look(lambda: image(3), 10, BOX, then))
        await asyncio.to_thread(made.wait, 20)
        second = asyncio.create_task(batcher.look(lambda: image(4), 10, BOX, without_pixels))
        await asyncio.sleep(0.05)
        assert not second.done()
        assert len(networks.batches) == 1, "the second has no room yet"
        go_on.set()
        return await first, (await second).source

    assert run(networks, work, pixels=10) == (3 * 12, "4")


def test_what_cannot_be_made_of_a_photograph_is_said():
    def then(found):
        raise NoFace(f"none in {found.source}")

    async def work(batcher):
        with pytest.raises(NoFace, match="none in 3"):
            await batcher.look(lambda: image(3), 10, BOX, then)
        assert batcher.waiting == 0
        return await batcher.look(lambda: image(4), 10, BOX, without_pixels)

    assert run(Networks(), work, pixels=10).source == "4"


def test_what_is_given_without_pixels_has_none():
    found = without_pixels(Analysis(image(3), Faces.empty((2, 2))))
    assert found.image.rgb.size == 3
    assert (found.source, found.image.original_wh) == ("3", (2, 2))


def test_closing_finishes_what_was_taken_on_and_takes_nothing_else():
    networks = Networks(threading.Event())

    async def work(batcher):
        # Some are being looked at, some wait for it, some are not even decoded: there is no room for them.
        tasks = await begun(networks, batcher, *range(10))
        closing = asyncio.create_task(asyncio.to_thread(batcher.close))
        while not batcher._closed:
            await asyncio.sleep(0.001)
        with pytest.raises(Overloaded, match="stop"):
            await batcher.look(lambda: image(11), 4, BOX, as_it_is)
        assert not closing.done()
        networks.gate.set()
        results = await asyncio.gather(*tasks)
        await closing
        return [int(one.source) for one in results]

    assert run(networks, work, pixels=12, batch=2) == list(range(10))


def test_closing_a_batcher_that_has_nothing_to_do_and_closing_it_twice():
    batcher = Batcher(Networks(), Limits())
    batcher.close()
    batcher.close()


@settings(max_examples=25, deadline=None)
@given(
    asks=st.lists(
        st.tuples(
            st.sampled_from([BOX, AGE]), st.sampled_from(["fine", "broken", "gone"]), st.integers(1, 8)
        ),
        min_size=1,
        max_size=40,
    ),
    batch=st.integers(1, 8),
)
def test_everybody_gets_his_own_answer_whatever_happens_to_others(asks, batch):
    networks = Networks()

    def decode(number, fate):
        if fate == "broken":
            raise UnreadableImage(str(number))
        return image(number)

    async def work(batcher):
        tasks = [
            asyncio.create_task(
                batcher.look(lambda n=n, fate=fate: decode(n, fate), pixels, columns, as_it_is)
            )
            for n, (columns, fate, pixels) in enumerate(asks)
        ]
        await asyncio.sleep(0)
        for task, (_, fate, _) in zip(tasks, asks, strict=True):
            if fate == "gone":
                task.cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    for number, (result, (_, fate, _)) in enumerate(
        zip(run(networks, work, batch=batch, pixels=10), asks, strict=True)
    ):
        if fate == "fine":
            assert result.source == str(number)
        else:
            assert isinstance(result, (UnreadableImage, asyncio.CancelledError))
    for numbers, columns in networks.batches:
        assert len(numbers) <= batch
        assert {asks[number][0] for number in numbers} == {columns}
