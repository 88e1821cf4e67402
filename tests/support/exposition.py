"""Metrics as an exporter serves them: text, and native histograms in protocol buffers, which text cannot hold."""

from __future__ import annotations

import struct
from collections.abc import Mapping

from support.servers import Reply

PROTOBUF = "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited"


def text(**gauges: float) -> Reply:
    """Gauges without labels."""
    lines = [f"# TYPE {name} gauge\n{name} {value:g}\n" for name, value in gauges.items()]
    return Reply(body="".join(lines).encode(), headers={"Content-Type": "text/plain; version=0.0.4"})


def native_histogram(name: str, series: Mapping[str, int], label: str) -> Reply:
    """A native histogram a value of `label`: so many observations, all between 0.25 s and 0.5 s."""
    metrics = b"".join(_field(4, _metric(label, value, count)) for value, count in series.items())
    family = _field(1, name.encode()) + _number(3, 4) + metrics  # 4: a histogram
    return Reply(body=_varint(len(family)) + family, headers={"Content-Type": PROTOBUF})


def _metric(label: str, value: str, count: int) -> bytes:
    span = _number(1, _zigzag(-1)) + _number(2, 1)  # bucket -1 of schema 0 ends at 0.5
    histogram = (
        _number(1, count)
        + _varint(2 << 3 | 1)
        + struct.pack("<d", 0.4 * count)
        + _number(5, 0)
        + _varint(6 << 3 | 1)
        + struct.pack("<d", 1e-9)
        + _field(12, span)
        + _number(13, _zigzag(count))
    )
    return _field(1, _field(1, label.encode()) + _field(2, value.encode())) + _field(7, histogram)


def _zigzag(value: int) -> int:
    return value * 2 if value >= 0 else -value * 2 - 1


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)
