"""What a server says of itself and of what it has: its build, and names and types of its metrics and labels."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from observatory.errors import MalformedAnswerError
from observatory.sources.prometheus.answers import Envelope

PROMETHEUS, VICTORIAMETRICS, MIMIR = "Prometheus", "VictoriaMetrics", "Mimir"
THANOS, CORTEX = "Thanos", "Cortex"


@dataclass(frozen=True, slots=True)
class Build:
    """Which program answers, and its version; both empty where it cannot be told.

    A VictoriaMetrics gives no version of its own.
    """

    name: str = ""
    version: str = ""


class _Build(msgspec.Struct, gc=False, rename="camel"):
    version: str = ""
    application: str = ""
    revision: str = ""
    go_version: str = ""


class _Metadata(msgspec.Struct, gc=False):
    type: str = ""


def read_version(envelope: Envelope) -> str:
    """What a server says of itself; empty where it says nothing that is understood."""
    return _read_build(envelope).version


def read_build(envelope: Envelope) -> Build:
    """The program of a build info; without a name where several may answer so.

    Thanos and Cortex answer in the words of Prometheus, with versions of their own: 0.x and 1.x. A Prometheus of
    those versions has no build info.
    """
    build = _read_build(envelope)
    if build.application:
        is_mimir = any(word in build.application for word in ("Mimir", "Enterprise Metrics"))
        return Build(MIMIR if is_mimir else build.application, build.version)
    major = re.match(r"v?(\d+)\.", build.version)
    if major is None or not (build.revision or build.go_version):
        return Build()
    return Build({0: THANOS, 1: CORTEX}.get(int(major[1]), PROMETHEUS), build.version)


def read_names(envelope: Envelope, address: str) -> list[str]:
    """Names or values of labels, sorted.

    Raises
    ------
    MalformedAnswerError
        It is no list of texts.
    """
    try:
        return sorted(set(msgspec.json.decode(envelope.data, type=list[str] | None) or ()))
    except msgspec.DecodeError as error:
        raise MalformedAnswerError(
            f"Prometheus at {address} sent labels of an unknown form ({str(error)[:200]}): is it a compatible server?"
        ) from None


def read_features(envelope: Envelope) -> frozenset[str] | None:
    """What the flags of a Prometheus enable (``--enable-feature``); None where they are not understood."""
    try:
        flags = msgspec.json.decode(envelope.data, type=dict[str, str])
    except msgspec.DecodeError:
        return None
    return frozenset(flags.get("enable-feature", "").split(",")) - {""}


def read_types(envelope: Envelope) -> Mapping[str, str]:
    """Type by metric (``"counter"``, ``"gauge"`` …) where the server says one; empty where it is not understood."""
    try:
        found = msgspec.json.decode(envelope.data, type=dict[str, list[_Metadata]] | None) or {}
    except msgspec.DecodeError:
        return {}
    types = {name: next((one.type for one in entries if one.type), "") for name, entries in found.items()}
    return {name: kind for name, kind in types.items() if kind and kind != "unknown"}


def escaped(label: str) -> str:
    """The name of a label as it stands in a path: as it is, or in Prometheus's escaping of UTF-8 names."""
    if re.fullmatch(r"[a-zA-Z_][a-zA-Z0-9_]*", label):
        return label
    return "U__" + "".join(_escaped(one) for one in label)


def _escaped(one: str) -> str:
    if one == "_":
        return "__"
    return one if one.isascii() and one.isalnum() else f"_{ord(one):x}_"


def _read_build(envelope: Envelope) -> _Build:
    try:
        return msgspec.json.decode(envelope.data, type=_Build)
    except msgspec.DecodeError:
        return _Build()
