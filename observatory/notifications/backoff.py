"""When a message that could not be delivered is tried again."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

FIRST = 5.0
"""Longest wait before the second attempt [s]; it doubles with each."""
LONGEST = 600.0
GIVEN_UP = timedelta(days=1)
"""What happened so long ago is not tried again,"""
FEWEST = 8
"""but for these attempts: it may have been held back until now."""


def wait_after(attempts: int, asked: float | None, chance: Callable[[], float]) -> float:
    """How long to wait after so many attempts [s]: exponential with full jitter, at least what the receiver asked for.

    Parameters
    ----------
    attempts
        How many there were, from 1.
    asked
        What the receiver asked for, as ``Retry-After`` [s].
    chance
        Gives a number from 0 to 1.

    Notes
    -----
    "Exponential Backoff and Jitter", Brooker, AWS Architecture Blog, 2015. Half of the wait is kept, so that a
    receiver that is in trouble is never hurried.

    Examples
    --------
    >>> [wait_after(attempts, None, lambda: 1.0) for attempts in (1, 2, 3, 9)]
    [5.0, 10.0, 20.0, 600.0]
    >>> wait_after(1, 30.0, lambda: 0.0)
    30.0
    """
    most = min(LONGEST, FIRST * 2.0 ** (attempts - 1))
    return max(most * (0.5 + 0.5 * chance()), min(asked or 0.0, LONGEST * 6))
