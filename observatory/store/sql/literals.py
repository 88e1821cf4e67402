"""Values as SQL literals, for what takes no bound parameters: ATTACH, COPY, and EXECUTE over Quack.

Statements themselves are always prepared by DuckDB; only values pass through here, each by its type.
"""

from __future__ import annotations

import glob
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

Parameters = Sequence[Any] | Mapping[str, Any]
Row = dict[str, Any]
"""Plain values by column."""


def literal(value: Any) -> str:
    """One value as DuckDB would read it back.

    Raises
    ------
    TypeError
        No literal is known for its type.
    """
    if isinstance(value, np.generic):
        value = value.item()
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value) + "::DOUBLE" if math.isfinite(value) else f"'{value}'::DOUBLE"
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError(f"a time without its zone: {value.isoformat()}")
        return f"'{value.isoformat()}'::TIMESTAMPTZ"
    if isinstance(value, str):
        text = "'" + value.replace("'", "''") + "'"
        return "(" + text.replace("\0", "' || chr(0) || '") + ")" if "\0" in text else text
    if isinstance(value, list | tuple):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    raise TypeError(f"no literal for {type(value).__name__}")


def arguments(parameters: Parameters) -> str:
    """Values for ``EXECUTE``, by place or by name; empty where there are none."""
    if isinstance(parameters, Mapping):
        values = [f'"{name}" := {literal(value)}' for name, value in parameters.items()]
    else:
        values = [literal(value) for value in parameters]
    return f"({', '.join(values)})" if values else ""


def file_literal(path: object) -> str:
    """A file's path as DuckDB's readers take it, for which brackets, ``*`` and ``?`` would otherwise name others.

    >>> file_literal("w[1].csv")
    "'w[[]1].csv'"
    """
    return literal(glob.escape(str(path)))
