"""Independent work on several threads, each with single-threaded linear algebra."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_on_threads(function: Callable[[Item], Result], items: Sequence[Item]) -> Iterator[Result]:
    """Yield the function's result for each item, in order.

    Matrix products of a few milliseconds lose when the linear-algebra library splits each over all cores,
    badly so on a busy machine; so whole items are spread over the cores instead.  Needs threadpoolctl;
    without it the items are worked on one after another.
    """
    limits = _limits()
    if limits is None or len(items) < 2 or _cores() < 2:
        with limits() if limits and len(items) > 1 else nullcontext():
            yield from map(function, items)
        return
    with limits(), ThreadPoolExecutor(min(_cores(), len(items))) as pool:
        yield from pool.map(function, items)


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
