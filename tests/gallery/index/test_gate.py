import threading

import pytest

from mien.gallery.index.gate import Gate


def test_readers_share_and_a_writer_is_alone():
    gate = Gate()
    both_in = threading.Barrier(2, timeout=10)

    def read():
        with gate.reading():
            both_in.wait()  # breaks unless the other reader is inside too

    threads = [threading.Thread(target=read) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert not both_in.broken

    inside = []

    def write(name):
        with gate.writing():
            inside.append(name)
            assert inside == [name]
            inside.remove(name)

    writers = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    with gate.reading():
        for writer in writers:
            writer.start()
        assert not inside
    for writer in writers:
        writer.join(10)
        assert not writer.is_alive()


def test_a_waiting_writer_goes_before_later_readers():
    gate, order = Gate(), []
    waiting = threading.Event()

    def write():
        waiting.set()
        with gate.writing():
            order.append("writer")

    def read():
        with gate.reading():
            order.append("reader")

    with gate.reading():
        writer = threading.Thread(target=write)
        writer.start()
        waiting.wait(10)
        while not gate._writers:
            pass
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)
        assert not order
    writer.join(10)
    reader.join(10)
    assert order == ["writer", "reader"]


def test_the_gate_opens_again_after_an_error():
    gate = Gate()
    for door in (gate.reading, gate.writing):
        with pytest.raises(ZeroDivisionError), door():
            _ = 1 / 0
    with gate.writing():
        pass
    with gate.reading():
        pass
