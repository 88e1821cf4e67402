"""Texts of others on a terminal or in a log: what would be obeyed there is shown instead.

>>> plain("cart\\x1b[2J")
'cart\\\\x1b[2J'
"""

from __future__ import annotations

import json
import re
import unicodedata

KEPT = "\n\t"
_STYLES = re.compile(r"\x1b\[[0-9;]*m")
_HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Kinds of characters that steer, or that nobody sees: control, format (direction, zero width), and line separators."""
_SUSPECT = re.compile(r"[^\x20-\x7e\u00a1-\u00ac\u00ae-\u024f]")
"""A quick look first: most texts have none."""


def plain(text: object, keep: str = KEPT) -> str:
    """`text` in which everything that steers a terminal, or hides, is written out; but for the characters in `keep`."""
    return _SUSPECT.sub(lambda found: found[0] if found[0] in keep else _shown(found[0]), str(text))


def plain_json(value: object, **options: object) -> str:
    """`value` as JSON that a terminal can show, and that reads back as the same."""
    text = json.dumps(value, ensure_ascii=False, **options)  # type: ignore[arg-type]
    return _SUSPECT.sub(lambda found: found[0] if found[0] == "\n" else _quoted(found[0]), text)


def without_styles(text: str) -> str:
    """`text` without colours, as tracebacks of notebooks have them."""
    return _STYLES.sub("", text)


def _shown(letter: str) -> str:
    return letter.encode("unicode_escape").decode() if unicodedata.category(letter) in _HIDDEN else letter


def _quoted(letter: str) -> str:
    return json.dumps(letter)[1:-1] if unicodedata.category(letter) in _HIDDEN else letter
