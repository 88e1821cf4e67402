"""Answers of a Prometheus: read from JSON, checked, and put together to one frame of samples.

A range answer of a day of 1,000 services has a million values, so nothing here is done value by value in Python:
msgspec reads the text and says where it is not of the expected form, NumPy does the rest. Only one series at a time
exists as Python objects.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from observatory.errors import MalformedAnswerError
from observatory.model import LONGEST_NAME, SERVICE, TIMESTAMP, empty_samples, is_usable_name

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

LAST_TIME = 253_402_300_800  # the year 10,000 [s since the epoch]
SPARSE = 4
"""Cells a value: where more of them would be empty, only those that are needed are made."""
FEW_CELLS = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class Series:
    """One series of an answer: its labels, times [s since the epoch] and values (NaN where none or infinite)."""

    labels: Mapping[str, str]
    times: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """Series, and what the server wanted to be known about them; `partial` if it could not ask all it stands for.

    `warnings` put the values in doubt; `infos` are advice on the query, such as a counter's name without ``_total``.
    """

    series: list[Series]
    warnings: tuple[str, ...] = ()
    infos: tuple[str, ...] = ()
    partial: bool = False


class Envelope(msgspec.Struct, gc=False, rename="camel"):
    """What is around every answer; `data` is read later, by `read_answer`."""

    status: str
    data: msgspec.Raw = msgspec.Raw(b"null")
    error_type: str = "error"
    error: str = "no reason given"
    warnings: list[str] | None = None
    infos: list[str] | None = None
    is_partial: bool = False


class _Item(msgspec.Struct, gc=False):
    metric: dict[str, str]
    value: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    values: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    histogram: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET
    histograms: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Data(msgspec.Struct, gc=False, rename="camel"):
    result_type: str
    result: list[_Item] | None  # some servers have null for an empty list, and then no type either


class _Kind(msgspec.Struct, gc=False, rename="camel"):
    result_type: str


_envelope = msgspec.json.Decoder(Envelope)
_kind = msgspec.json.Decoder(_Kind)
_data = msgspec.json.Decoder(_Data)
_points = msgspec.json.Decoder(list[tuple[float, float]], strict=False)  # "1.5" is a number
_words = msgspec.json.Decoder(list[tuple[float, str]])  # what `_points` does not take: "+Inf", "1e400"


def read_envelope(body: bytes) -> Envelope | None:
    """What is around an answer; None where the text is none of a Prometheus."""
    try:
        return _envelope.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def parse(envelope: Envelope, kind: str, address: str) -> Answer:
    """The answer of a `kind`, ``"vector"`` or ``"matrix"``, of the server at `address`.

    Raises
    ------
    MalformedAnswerError
        It is of another kind, or of no known form; the message says where.
    """
    try:
        items = _items(envelope.data, kind, address)
        series = _vector(items) if kind == "vector" else [_series(item) for item in items]
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise MalformedAnswerError(
            f"Prometheus at {address} sent an answer of an unknown form ({str(error)[:200]}): "
            "is it a compatible server?"
        ) from None
    said = list(envelope.warnings or ())
    if envelope.is_partial:
        said.append("the answer is partial, as a part of the server did not answer")
    return Answer(series, tuple(dict.fromkeys(said)), tuple(envelope.infos or ()), partial=envelope.is_partial)


def _items(data: msgspec.Raw, kind: str, address: str) -> list[_Item]:
    try:
        found = _data.decode(data)
        other = found.result_type
    except msgspec.DecodeError:  # a scalar's result is no list: say that it is a scalar
        other = _kind.decode(data).result_type
        if other == kind:
            raise
    if found.result is None and other in (kind, ""):
        return []
    if other != kind:
        raise MalformedAnswerError(
            f"Prometheus at {address} answered with a {other[:40]}, not a {kind}: check the query"
        )
    return found.result or []


def wide_frame(
    answers: Mapping[str, Sequence[Sequence[Series]]],
    step: float | None = None,
    is_wanted: Callable[[str], bool] = is_usable_name,
) -> tuple[pd.DataFrame, list[str]]:
    """Answers by metric as one frame of samples, by service and time, and warnings.

    Columns are ``service_name``, ``timestamp`` and the metrics; rows without any value are left out. Of several series
    of one service in an answer the first wins, with a warning; and one answer of a metric before the next. `step` [s]
    is what times are expected to be apart, for speed only.
    """
    known_names = {one.labels.get(SERVICE, "") for groups in answers.values() for group in groups for one in group}
    wanted = {name for name in known_names if is_wanted(name)}
    chosen = {
        metric: [one for group in groups for one in group if one.labels.get(SERVICE) in wanted and len(one.times)]
        for metric, groups in answers.items()
    }
    names = sorted({one.labels[SERVICE] for series in chosen.values() for one in series})
    warnings = [
        f"{metric}: {_unusable(strange)}" for metric, groups in answers.items() if (strange := _strange_names(groups))
    ]
    if not names:
        return empty_samples(list(answers)), warnings
    codes = {name: code for code, name in enumerate(names)}
    cells, times = _cells(chosen, codes, step)
    size, rows = len(names) * len(times), None
    if size > max(FEW_CELLS, SPARSE * sum(map(len, cells.values()))):
        rows = np.unique(np.concatenate(list(cells.values())))
        size = len(rows)
    values = np.full((len(answers), size), np.nan)
    for row, (metric, series) in enumerate(chosen.items()):
        if not series:
            continue
        where = cells[metric] if rows is None else np.searchsorted(rows, cells[metric])
        numbers = np.concatenate([one.values for one in series])
        if len({one.labels[SERVICE] for one in series}) < len(series):  # some may be of the same time
            where, first = np.unique(where, return_index=True)
            if len(first) < len(numbers) and (twice := _twice(answers[metric])):
                warnings.append(f"{metric}: {twice}")
            numbers = numbers[first]
        values[row, where] = numbers
    known = np.flatnonzero(~np.isnan(values).all(axis=0))
    service, time = np.divmod(known if rows is None else rows[known], len(times))
    frame = pd.DataFrame(np.ascontiguousarray(values[:, known]).T, columns=list(answers), copy=False)
    frame.insert(0, SERVICE, pd.Series(np.array(names, dtype=object)[service], dtype=object))
    frame.insert(1, TIMESTAMP, pd.DatetimeIndex(times[time].astype("datetime64[ms]")).as_unit("us").tz_localize("UTC"))
    return frame, warnings


def _strange_names(groups: Sequence[Sequence[Series]]) -> list[str]:
    names = dict.fromkeys(one.labels.get(SERVICE, "") for group in groups for one in group)
    return [name for name in names if name and not is_usable_name(name)]


def _unusable(names: Sequence[str]) -> str:
    return (
        f"{len(names)} services were left out, such as {names[0][:40]!r}: a name has at most {LONGEST_NAME} "
        "characters, no control characters and no blank at its ends; make others of them with `rename` of their preset"
    )


def _cells(
    chosen: Mapping[str, Sequence[Series]], codes: Mapping[str, int], step: float | None
) -> tuple[dict[str, IntArray], IntArray]:
    """For each metric the cell of every value in a table of services × times, and those times [ms]."""
    stamps = {metric: np.concatenate([one.times for one in series]) for metric, series in chosen.items() if series}
    places, times = _axis(
        {metric: np.rint(seconds * 1000).astype(np.int64) for metric, seconds in stamps.items()}, step
    )
    cells: dict[str, IntArray] = {}
    for metric, place in places.items():
        owners = np.array([codes[one.labels[SERVICE]] for one in chosen[metric]], dtype=np.int64)
        cells[metric] = np.repeat(owners, [len(one.times) for one in chosen[metric]]) * len(times) + place
    return cells, times


def _axis(stamps: Mapping[str, IntArray], step: float | None) -> tuple[dict[str, IntArray], IntArray]:
    """Where each time lies among all times, and these; without sorting where they lie on a grid."""
    first, last = min(ms.min() for ms in stamps.values()), max(ms.max() for ms in stamps.values())
    apart = round((step or 0) * 1000)
    total = sum(map(len, stamps.values()))
    if apart and (last - first) // apart <= total and all(((ms - first) % apart == 0).all() for ms in stamps.values()):
        return {metric: (ms - first) // apart for metric, ms in stamps.items()}, np.arange(first, last + 1, apart)
    times = np.unique(np.concatenate(list(stamps.values())))
    return {metric: np.searchsorted(times, ms) for metric, ms in stamps.items()}, times


def _twice(groups: Sequence[Sequence[Series]]) -> str:
    """Which services have more than one series in an answer; empty where none has."""
    counts = [Counter(one.labels.get(SERVICE, "") for one in group) for group in groups]
    twice = [name for group in counts for name, count in group.items() if count > 1 and is_usable_name(name)]
    if not twice:
        return ""
    more = f" and {len(twice) - 1} others are" if len(twice) > 1 else " is"
    return f"{twice[0]}{more} there more than once, the first series counts"


def _vector(items: Sequence[_Item]) -> list[Series]:
    """A value a series: numbers of all of them are read at once."""
    texts = [bytes(_text(item, item.value, "value")) for item in items]
    times, values = _numbers(b"[" + b",".join(texts) + b"]")
    if len(times) != len(items):
        raise ValueError("a series has more than one value")
    return [Series(one.metric, times[i : i + 1], values[i : i + 1]) for i, one in enumerate(items)]


def _series(item: _Item) -> Series:
    return Series(item.metric, *_numbers(_text(item, item.values, "values")))


def _text(item: _Item, text: msgspec.Raw | msgspec.UnsetType, what: str) -> msgspec.Raw:
    if item.histogram is not msgspec.UNSET or item.histograms is not msgspec.UNSET:
        raise ValueError(
            "the query answers with native histograms, not with numbers: "
            "wrap it in histogram_quantile or histogram_count"
        )
    if isinstance(text, msgspec.UnsetType):
        raise ValueError(f"a series has no {what}")
    return text


def _numbers(text: msgspec.Raw | bytes) -> tuple[FloatArray, FloatArray]:
    """Times and values of pairs."""
    try:
        pairs = _points.decode(text)
    except msgspec.DecodeError:
        pairs = [(at, float(value)) for at, value in _words.decode(text)]
    flat = np.fromiter(itertools.chain.from_iterable(pairs), float, 2 * len(pairs))
    times, values = flat[::2].copy(), flat[1::2].copy()
    if len(times) and not np.abs(times).max() < LAST_TIME:
        raise ValueError(f"{times[np.argmax(np.abs(times))]:g} is no time")
    values[~np.isfinite(values)] = np.nan
    return times, values
