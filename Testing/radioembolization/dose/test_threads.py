"""Work on threads: order, errors, cancellation, and a linear algebra left as it was found."""

import threading
import time

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from radioembolization.dose import threads
from radioembolization.dose.threads import map_on_threads


def blas_threads():
    """Return the number of threads of each loaded linear-algebra library."""
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


@pytest.fixture(autouse=True)
def several_cores(monkeypatch):
    """Work on four threads, with two for linear algebra to begin with, also where there is one core; end like that."""
    monkeypatch.setattr(threads, "_cores", lambda: 4)
    with threadpool_limits(limits=2, user_api="blas"):
        before = blas_threads()
        yield
        assert blas_threads() == before


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_results_come_in_the_order_of_the_items(count):
    def slower_first(item):
        time.sleep(0.002 * (item % 3 == 0))
        return item * item

    assert list(map_on_threads(slower_first, list(range(count)))) == [i * i for i in range(count)]


def test_several_items_run_at_the_same_time():
    # Two items that wait for each other: on one thread the barrier would break.
    barrier = threading.Barrier(2, timeout=20.0)
    assert sorted(map_on_threads(lambda item: barrier.wait(), [0, 1])) == [0, 1]


def test_linear_algebra_has_one_thread_inside():
    inside = list(map_on_threads(lambda item: blas_threads(), [0, 1, 2]))
    assert all(number == 1 for numbers in inside for number in numbers)


@pytest.mark.parametrize("cores", [1, 4])
def test_an_error_in_an_item_is_raised(cores, monkeypatch):
    monkeypatch.setattr(threads, "_cores", lambda: cores)

    def work(item):
        if item == 3:
            raise ArithmeticError("item 3")
        return item

    done = []
    with pytest.raises(ArithmeticError, match="item 3"):
        done.extend(map_on_threads(work, list(range(10))))
    assert done in ([], [0, 1, 2])


def test_what_was_not_begun_is_dropped_when_the_consumer_stops():
    begun = []

    def work(item):
        begun.append(item)
        time.sleep(0.005)
        return item

    def stop_at_the_first():
        for _ in map_on_threads(work, list(range(200))):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop_at_the_first()
    number = len(begun)
    assert number < 100
    time.sleep(0.03)
    assert len(begun) == number  # nobody works on
    assert not [thread for thread in threading.enumerate() if "ThreadPoolExecutor" in thread.name]


def test_overlapping_work_does_not_leave_linear_algebra_on_one_thread():
    # Each limit alone restores what it found, which for the second is the first one's single thread.
    one, other = map_on_threads(abs, [1, -2, 3]), map_on_threads(abs, [4, -5, 6])
    assert (next(one), next(other)) == (1, 4)
    assert list(one) == [2, 3]
    assert all(number == 1 for number in blas_threads())  # the other is still at work
    assert list(other) == [5, 6]


def test_without_threadpoolctl_items_are_worked_on_one_by_one(monkeypatch):
    monkeypatch.setattr(threads, "_limits", lambda: None)
    names = set(map_on_threads(lambda item: threading.current_thread().name, list(range(5))))
    assert names == {threading.current_thread().name}
