import threading
from functools import partial

import pytest

from mien.gallery.index.workers import Workers


@pytest.mark.parametrize("threads", [0, 1, 2, 5])
@pytest.mark.parametrize("tasks", [0, 1, 3, 40])
def test_results_come_in_order(threads, tasks):
    workers = Workers(threads)
    assert workers.count >= 1
    assert workers.run(partial(pow, number, 2) for number in range(tasks)) == [n * n for n in range(tasks)]


def test_as_many_at_a_time_as_there_are_threads():
    both = threading.Barrier(2, timeout=10)
    assert sorted(Workers(2).run([both.wait, both.wait])) == [0, 1]


def test_nobody_waits_for_a_thread_that_has_not_begun():
    workers, release = Workers(2), threading.Event()
    busy = workers._pool.submit(release.wait, 10)
    caller = threading.get_ident()
    assert workers.run([threading.get_ident] * 6) == [caller] * 6
    release.set()
    assert busy.result(10)


def test_an_error_of_a_task_is_the_callers():
    workers = Workers(3)
    with pytest.raises(ZeroDivisionError):
        workers.run([partial(divmod, 1, number % 2) for number in range(20)])
    assert workers.run([partial(pow, 2, 3)]) == [8]


def test_openmp_has_one_thread_inside_and_what_it_had_outside():
    faiss = pytest.importorskip("faiss")
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(3)
    try:
        assert set(Workers(2).run([faiss.omp_get_max_threads] * 8)) == {1}
        assert faiss.omp_get_max_threads() == 3
    finally:
        faiss.omp_set_num_threads(before)
