"""Services by what others may call them: metrics of meshes, traces, people.

>>> KnownServices(["shop/cart", "shop/pay", "bank/pay"]).find(["cart"])
'shop/cart'
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence


class KnownServices:
    """Services by what another metric may call them."""

    def __init__(self, services: Collection[str]) -> None:
        self._names = frozenset(services)
        ends: dict[tuple[str, str], set[str]] = defaultdict(set)
        for name in services:
            parts = name.split("/")
            for number in range(1, len(parts)):
                end = "/".join(parts[number:])
                ends["", end].add(name)
                ends[parts[0], end].add(name)
        self._by_end = {end: next(iter(names)) for end, names in ends.items() if len(names) == 1}

    def find(self, names: Sequence[str], cluster: str = "") -> str | None:
        """The service that goes by the first of `names` that is known; None where it is not clear which that is.

        A name is one of a service, or its end: payments is shop/payments where there is no other payments, or no other
        in that cluster.
        """
        for name in (*(f"{cluster}/{name}" for name in names if cluster), *names):
            if name in self._names:
                return name
        fronts = (cluster, "") if cluster else ("",)
        wanted = [(front, name) for name in names for front in fronts]
        return next((self._by_end[one] for one in wanted if one in self._by_end), None)
