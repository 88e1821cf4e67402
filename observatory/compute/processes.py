"""Pieces of work in processes of their own, as each is done; one that fails does not stop the others."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from typing import Any, TypeVar

R = TypeVar("R")


def outcomes(
    function: Callable[..., R], work: Sequence[tuple[Any, ...]], jobs: int = 1
) -> Iterator[tuple[int, R | Exception]]:
    """What `function` made of each tuple of arguments, or the error it raised, with its number in `work`.

    With one job everything happens in this process.
    """
    if jobs <= 1 or len(work) <= 1:
        for number, arguments in enumerate(work):
            yield number, _attempt(function, arguments)
        return
    # A forked process would share locks with threads that it does not have.
    with ProcessPoolExecutor(min(jobs, len(work)), multiprocessing.get_context("spawn")) as pool:
        waiting = {pool.submit(_attempt, function, arguments): number for number, arguments in enumerate(work)}
        for future in as_completed(waiting):
            yield waiting[future], future.result()


def _attempt(function: Callable[..., R], arguments: tuple[Any, ...]) -> R | Exception:
    try:
        return function(*arguments)
    except Exception as error:  # noqa: BLE001 - handed back, for the caller to tell
        return error
