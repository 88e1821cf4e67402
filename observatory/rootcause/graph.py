"""Who calls whom, among the services there are."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class CallGraph:
    """Calls between numbered services.

    Attributes
    ----------
    callers, callees
        The two ends of each call, shape (calls,); no call twice, none to itself.
    """

    callers: NDArray[np.intp]
    callees: NDArray[np.intp]

    @classmethod
    def among(cls, services: Sequence[str], calls: Iterable[tuple[str, str]]) -> CallGraph:
        """Of `calls` as (caller, callee) those between two of `services`; circles are fine."""
        number = {service: position for position, service in enumerate(services)}
        known = {
            (number[caller], number[callee])
            for caller, callee in calls
            if caller in number and callee in number and caller != callee
        }
        ends = np.array(sorted(known), dtype=np.intp).reshape(-1, 2)
        return cls(ends[:, 0], ends[:, 1])

    def callees_of(self, service: int) -> list[int]:
        return [int(callee) for callee in self.callees[self.callers == service]]

    def callers_of(self, service: int) -> list[int]:
        return [int(caller) for caller in self.callers[self.callees == service]]
