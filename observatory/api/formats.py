"""History in columns: as JSON, CSV or Arrow, straight from the arrays it is read into."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from typing import Any

import nanoarrow
import numpy as np
import orjson
import pandas as pd
from nanoarrow.ipc import StreamWriter
from numpy.typing import NDArray

from observatory.analysis.history import ServiceHistory

JSON, CSV, ARROW = "application/json", "text/csv", "application/vnd.apache.arrow.stream"
TYPES = (JSON, CSV, ARROW)
OPTIONS = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NAIVE_UTC | orjson.OPT_UTC_Z
BOUNDS = ("typical", "lower", "upper")


def encode(found: ServiceHistory, metrics: Sequence[str], kind: str, *, expected: bool, interval: float) -> bytes:
    """`metrics` of what was found as `kind`, one of `TYPES`; missing is null, and empty in CSV.

    In CSV and Arrow what was expected of a metric ``m`` is in columns ``m__typical``, ``m__lower``, ``m__upper``.
    """
    if kind == JSON:
        return orjson.dumps(_document(found, metrics, expected, interval), option=OPTIONS)
    columns = dict(_flat(found, metrics, expected))
    times = _times(found)
    if kind == CSV:
        frame = pd.DataFrame({"timestamp": np.char.add(np.datetime_as_string(times, "s"), "Z"), **columns})
        text: str = frame.to_csv(index=False, lineterminator="\r\n")
        return text.encode()
    return _arrow(times, columns)


def _document(found: ServiceHistory, metrics: Sequence[str], expected: bool, interval: float) -> dict[str, Any]:
    bands = found.expected if expected else None
    return {
        "service_name": found.service.name,
        "start": found.start,
        "end": found.end,
        "step": found.step,
        "resolution": "raw" if found.step <= interval else "summary",
        "timestamp": _times(found),
        "metrics": {name: _values(found.samples, name) for name in metrics},
        "expected": None
        if bands is None
        else {name: {bound: _values(getattr(bands, bound), name) for bound in BOUNDS} for name in metrics},
        "remarks": [{"start": r.start, "end": r.end, "text": r.text} for r in found.remarks],
    }


def _flat(found: ServiceHistory, metrics: Sequence[str], expected: bool) -> Iterator[tuple[str, NDArray[Any]]]:
    for name in metrics:
        yield name, _values(found.samples, name)
    if expected and found.expected is not None:
        for name in metrics:
            for bound in BOUNDS:
                yield f"{name}__{bound}", _values(getattr(found.expected, bound), name)


def _times(found: ServiceHistory) -> NDArray[Any]:
    index = pd.DatetimeIndex(found.samples.index)
    return np.ascontiguousarray(index.tz_convert("UTC").tz_localize(None).to_numpy("datetime64[us]"))


def _values(frame: pd.DataFrame, name: str) -> NDArray[Any]:
    return np.ascontiguousarray(frame[name].to_numpy(dtype=float))


def _arrow(times: NDArray[Any], columns: dict[str, NDArray[Any]]) -> bytes:
    rows, stamp, number = len(times), nanoarrow.timestamp("us", "UTC"), nanoarrow.float64()
    children = [nanoarrow.c_array_from_buffers(stamp, rows, [None, times.view("int64")], null_count=0)]
    for values in columns.values():
        known = ~np.isnan(values)
        mask = None if known.all() else np.packbits(known, bitorder="little")
        children.append(nanoarrow.c_array_from_buffers(number, rows, [mask, values]))
    schema = nanoarrow.struct({"timestamp": stamp, **dict.fromkeys(columns, number)})
    batch = nanoarrow.c_array_from_buffers(schema, rows, [None], children=children)
    out = io.BytesIO()
    with StreamWriter.from_writable(out) as writer:
        writer.write_stream(nanoarrow.c_array_stream(batch))
    return out.getvalue()
