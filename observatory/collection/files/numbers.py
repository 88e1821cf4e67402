"""Numbers as files write them: which sign is the decimal one, what stands for no value, units behind the number.

The decimal sign is taken from the values themselves. ``1,200.5`` and ``10,5`` leave one reading; where all that has a
comma looks like ``1,200`` nobody can know, and the file is refused until its user says.
"""
# ruff: noqa: S608

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from observatory.collection.files.units import UNITS, shortened, written
from observatory.store.sql.builders import quoted
from observatory.store.sql.literals import literal

MISSING = ("null", "none", "n/a", "#n/a", "na", "nil", "undefined", "<na>", "no data")
"""Words for no value that mean nothing else, in any case."""
DECIMALS = (".", ",")
_SPACES = r"[\x{00A0}\x{202F}\x{2009}]"  # what locales put between groups of three digits
_PARTS = r"^([+-]?[0-9][0-9.,' ]*(?:[eE][+-]?[0-9]+)?)\s*([^0-9\s].*)?$"
_GROUPS, _JOINED = "([0-9])[' ]([0-9]{3})", r"\1\2"
_PLAIN = {
    ".": r"^[+-]?([0-9]{1,3}([,' ][0-9]{3})+|[0-9]+)(\.[0-9]*)?([eE][+-]?[0-9]+)?$",
    ",": r"^[+-]?([0-9]{1,3}([.' ][0-9]{3})+|[0-9]+)(,[0-9]*)?([eE][+-]?[0-9]+)?$",
}
_DECIDES = {
    ".": r"^[+-]?([0-9]*\.([0-9]{1,2}|[0-9]{4,})|0\.[0-9]+|[0-9]{4,}\.[0-9]+|.*,[0-9]{3}[,.].*)(\s*[^0-9\s].*)?$",
    ",": r"^[+-]?([0-9]*,([0-9]{1,2}|[0-9]{4,})|0,[0-9]+|[0-9]{4,},[0-9]+|.*\.[0-9]{3}[,.].*)(\s*[^0-9\s].*)?$",
}


@dataclass(frozen=True, slots=True)
class NumberStyle:
    """How a file writes numbers: its decimal sign, and words for no value beyond the usual ones."""

    decimal: str = "."
    missing: tuple[str, ...] = ()
    units: Mapping[str, float] = field(default_factory=dict)


def tidied(column: str) -> str:
    """The text of a value: no blanks around it, plain ones inside, without the ``'`` that guards formulas."""
    text = f"trim(regexp_replace({quoted([column])[0]}, {literal(_SPACES)}, ' ', 'g'))"
    return f"regexp_replace({text}, {literal(chr(94) + chr(39))}, '')"


def is_missing(column: str, style: NumberStyle) -> str:
    """Whether a text says that there is no value."""
    usual = ", ".join(map(literal, MISSING))
    named = f" OR {tidied(column)} IN ({', '.join(map(literal, style.missing))})" if style.missing else ""
    words = f"({_plainly(column)} IS NULL AND lower({tidied(column)}) IN ({usual}))"
    return f"({words}{named})"


def value(column: str, factor: str, bases: Sequence[str], style: NumberStyle, base: str | None = None) -> str:
    """SQL of a value in its base unit; NULL where there is none, or no number.

    `factor` is SQL for what makes a number without a unit the base unit. `bases` are the base units there may be, and
    `base` SQL for which it is, where there are several.
    """
    text = tidied(column)
    number = f"regexp_extract({text}, {literal(_PARTS)}, 1)"
    unit = f"trim(regexp_extract({text}, {literal(_PARTS)}, 2))"
    plain = (
        f"CASE WHEN regexp_matches(trim({number}), {literal(_PLAIN[style.decimal])}) THEN {_bare(number, style)} END"
    )
    by_base = [(one, _scale(unit, factor, one)) for one in dict.fromkeys(bases)]
    scale = by_base[0][1] if base is None else _choose(base, by_base)
    slow = f"({plain}) * ({scale})"
    slow = f"CASE WHEN {is_missing(column, style)} THEN NULL ELSE {slow} END"
    if style.decimal == ".":  # nearly all values are plain: only the others are taken apart
        slow = f"coalesce({_plainly(column)} * {factor}, {slow})"
    bare = f"trim({quoted([column])[0]})"
    named = f"WHEN {bare} IN ({', '.join(map(literal, style.missing))}) THEN NULL " if style.missing else ""
    return f"CASE {named}WHEN {bare} != '' THEN {slow} END"


def _plainly(column: str) -> str:
    return f"TRY_CAST(trim({quoted([column])[0]}) AS DOUBLE)"


def has_commas(columns: Sequence[str]) -> str:
    """SQL that counts rows of ``raw`` with a comma in any of these columns."""
    comma = literal(",")
    return f"SELECT count(*) FROM raw WHERE {' OR '.join(f'contains({name}, {comma})' for name in quoted(columns))}"


def _bare(number: str, style: NumberStyle) -> str:
    groups = "[,' ]" if style.decimal == "." else "[.' ]"
    return f"TRY_CAST(replace(regexp_replace({number}, {literal(groups)}, '', 'g'), ',', '.') AS DOUBLE)"


def _scale(unit: str, factor: str, base: str) -> str:
    whens = [f"WHEN '' THEN {factor}"]
    whens += [f"WHEN {literal(name)} THEN {size!r} * {factor}" for name, size in shortened(base).items()]
    whens += [f"WHEN {literal(name)} THEN {size!r}::DOUBLE" for name, size in written(base).items()]
    return f"CASE {unit} {' '.join(whens)} END"


def _choose(base: str, by_base: Sequence[tuple[str, str]]) -> str:
    return f"CASE {base} {' '.join(f'WHEN {literal(one)} THEN {scale}' for one, scale in by_base)} END"


def evidence(columns: Sequence[str]) -> str:
    """SQL over ``raw``: a row a decimal sign and one without (NULL), each with the first value that shows it.

    Columns are ``decimal``, ``column``, ``row``, ``value``; the row of NULL is a value with a comma, whatever it means.
    """
    parts = []
    for column in columns:
        text = f"regexp_replace({tidied(column)}, {literal(_GROUPS)}, {literal(_JOINED)}, 'g')"
        for sign, pattern in [*_DECIDES.items(), (None, ",")]:
            shown = f"regexp_matches({text}, {literal(pattern)})"
            told = "NULL" if sign is None else literal(sign)
            parts.append(
                f'SELECT {told} AS decimal, {literal(column)} AS "column", min("row") AS "row", '
                f'arg_min({quoted([column])[0]}, "row") AS value FROM raw WHERE {shown} HAVING count(*) > 0'
            )
    return " UNION ALL ".join(parts)


def units_of(base: str) -> str:
    """Units that may stand behind a value, for messages."""
    return ", ".join(UNITS.get(base, {})) or "none"
