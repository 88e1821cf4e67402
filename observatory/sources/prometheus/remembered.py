"""What a server answers about exemplars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import msgspec

from observatory.errors import MalformedAnswerError
from observatory.sources.prometheus.answers import Envelope


@dataclass(frozen=True, slots=True)
class Remembered:
    """The exemplars of one series, with the labels of the series and of each."""

    labels: Mapping[str, str]
    exemplars: Sequence[tuple[Mapping[str, str], float, float]]


class _Exemplar(msgspec.Struct, gc=False):
    labels: dict[str, str]
    value: str | float
    timestamp: float


class _Item(msgspec.Struct, gc=False, rename="camel"):
    series_labels: dict[str, str]
    exemplars: list[_Exemplar]


_items = msgspec.json.Decoder(list[_Item] | None)


def parse_exemplars(envelope: Envelope, address: str) -> list[Remembered]:
    """The answer about exemplars; raises MalformedAnswerError."""
    try:
        return [
            Remembered(item.series_labels, [(one.labels, float(one.value), one.timestamp) for one in item.exemplars])
            for item in _items.decode(envelope.data) or ()
        ]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedAnswerError(
            f"Prometheus at {address} sent exemplars of an unknown form ({str(error)[:200]})"
        ) from None
