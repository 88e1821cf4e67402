"""What a Prometheus answers, checked before it is believed, and made into columns of samples.

Values are strings, some of them ``NaN`` or ``+Inf``; warnings come with data; native histograms come in their place.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from observatory.errors import MalformedAnswerError
from observatory.model import SERVICE, TIMESTAMP, empty_samples, is_usable_name

LAST_TIME = 253_402_300_800  # the year 10,000 [s since the epoch]


@dataclass(frozen=True, slots=True)
class Series:
    """One series of an answer: its labels, times [s since the epoch] and values (NaN where none or infinite)."""

    labels: Mapping[str, str]
    times: list[float]
    values: list[float]


@dataclass(frozen=True, slots=True)
class Answer:
    """Series, and what the server wanted to be known about them."""

    series: list[Series]
    warnings: tuple[str, ...] = ()


def parse(answer: Mapping[str, Any], kind: str, address: str) -> Answer:
    """An answer of a `kind`, ``"vector"`` or ``"matrix"``, of the server at `address`.

    Raises
    ------
    MalformedAnswerError
        It is of another kind, or of no known form.
    """
    try:
        data = answer["data"]
        if data["resultType"] != kind:
            raise MalformedAnswerError(
                f"Prometheus at {address} answered with a {data['resultType']}, not a {kind}: check the query"
            )
        series = [_series(item, kind) for item in data["result"]]
        said = [*(answer.get("warnings") or []), *(answer.get("infos") or [])]
        return Answer(series, tuple(str(text) for text in said))
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        raise MalformedAnswerError(
            f"Prometheus at {address} sent an answer of an unknown form ({type(error).__name__}: {error}): "
            "is it a compatible server?"
        ) from None


def column(series: Sequence[Series]) -> tuple[pd.Series, list[str]]:
    """Values indexed by service and time, and a word on those left out; of two series of one service the first wins."""
    named = [one for one in series if one.labels.get(SERVICE)]
    strange = [one.labels[SERVICE] for one in named if not is_usable_name(one.labels[SERVICE])]
    if strange:
        named = [one for one in named if is_usable_name(one.labels[SERVICE])]
    counts = [len(one.times) for one in named]
    names = np.repeat(np.array([one.labels[SERVICE] for one in named], dtype=object), counts)
    seconds = np.fromiter((at for one in named for at in one.times), dtype=float)
    times = pd.to_datetime((seconds * 1000).round().astype("int64"), unit="ms", utc=True).as_unit("us")
    values = np.fromiter((value for one in named for value in one.values), dtype=float)
    index = pd.MultiIndex.from_arrays([names, times], names=[SERVICE, TIMESTAMP])
    found = pd.Series(values, index=index, dtype=float)
    twice = found.index.duplicated()
    said = [_unusable(strange)] if strange else []
    if twice.any():
        said.append(f"{int(twice.sum())} values came twice, such as of {index[twice][0][0]}: the first was taken")
    return found[~twice], said


def frame(columns: Mapping[str, pd.Series]) -> pd.DataFrame:
    """Samples of many services, wide: ``service_name``, ``timestamp``, and a column a metric."""
    if not any(len(values) for values in columns.values()):
        return empty_samples(list(columns))
    return pd.concat(columns, axis=1).dropna(how="all").reset_index()


def _series(item: Any, kind: str) -> Series:
    labels = {str(name): str(value) for name, value in item["metric"].items()}
    if "histogram" in item or "histograms" in item:
        raise MalformedAnswerError(
            "the query answers with native histograms, not with numbers: "
            "wrap it in histogram_quantile or histogram_count"
        )
    points = [item["value"]] if kind == "vector" else item["values"]
    return Series(labels, [_time(at) for at, _ in points], [_number(value) for _, value in points])


def _time(at: Any) -> float:
    seconds = float(at)
    if not abs(seconds) < LAST_TIME:
        raise ValueError(f"{at!r} is no time")
    return seconds


def _number(text: Any) -> float:
    value = float(text)
    return value if math.isfinite(value) else math.nan


def _unusable(names: Sequence[str]) -> str:
    shown = repr(names[0][:40])
    return (
        f"{len(set(names))} services were left out, such as {shown}: a name has at most 200 characters, no control "
        "characters and no blank at its ends; make others of them with `rename` of their preset"
    )
