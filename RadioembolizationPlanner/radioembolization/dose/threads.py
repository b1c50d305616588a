"""Independent work on several threads, each with single-threaded linear algebra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from threading import Lock
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_threads(function: Callable[[Item], Result], items: Sequence[Item], spread: bool = True) -> Iterator[Result]:
    """Yield the function's result for each item, in order.

    Matrix products of a few milliseconds lose when the linear-algebra library splits each over all cores,
    badly so on a busy machine; so whole items are spread over the cores instead.  Needs threadpoolctl;
    without it the items are worked on one after another, as they are where ``spread`` is false, for work so
    short that starting threads would take longer.
    """
    limits = _limits()
    if limits is None:
        yield from map(function, items)
    elif not spread or _cores() < 2 or len(items) < 2:
        with _LIMIT.held(limits):
            yield from map(function, items)
    else:
        with _LIMIT.held(limits), ThreadPoolExecutor(min(_cores(), len(items))) as pool:
            yield from pool.map(function, items)


@contextmanager
def single_threaded_products() -> Iterator[None]:
    """Let matrix products use one thread while this is held; without threadpoolctl it does nothing.

    For many short products in a row, which lose far more by waiting for the threads of each other, or of other
    programs, than they win.
    """
    limits = _limits()
    if limits is None:
        yield
    else:
        with _LIMIT.held(limits):
            yield


class _Limit:
    """One limit for the whole process while anyone holds it.

    Each limit restores the number of threads it found; of two that overlap, the second would find one
    thread and leave it behind.
    """

    def __init__(self) -> None:
        self._lock, self._holders = Lock(), 0
        self._limit: AbstractContextManager[Any] | None = None

    @contextmanager
    def held(self, limits: Callable[[], AbstractContextManager[Any]]) -> Iterator[None]:
        with self._lock:
            if self._limit is None:
                limit = limits()
                limit.__enter__()
                self._limit = limit
            self._holders += 1
        try:
            yield
        finally:
            with self._lock:
                self._holders -= 1
                if not self._holders and self._limit is not None:
                    self._limit.__exit__(None, None, None)
                    self._limit = None


_LIMIT = _Limit()


def _cores() -> int:
    return os.cpu_count() or 1


@cache
def _limits() -> Callable[[], AbstractContextManager[Any]] | None:
    try:
        from threadpoolctl import ThreadpoolController
    except ImportError:
        return None
    controller = ThreadpoolController()  # looks through all loaded libraries, once
    return lambda: controller.limit(limits=1, user_api="blas")
