"""Names that change with every deploy: a hash, a build or a time in the name of a service, recognised by its siblings.

>>> deploy_renames(["shop/cart-3f9ab12", "shop/cart-b81c0de", "my-app-v2"])
(('shop/cart-[0-9a-f]{7}', 'shop/cart'),)

Nothing is taken from one name alone: two names with the same stem must differ in a part that people do not choose.
What could as well be an ordinal, a port or a customer's number (``cart-1042``) counts only where it is known when
each name had samples, and one follows the other.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby, pairwise
from typing import NamedTuple

from observatory.model import Renames, Span, apply_renames

_SAFE = "[2456789bcdfghjklmnpqrstvwxz]"
"""What Kubernetes makes random names of: no vowels, so that no words come out."""
_HEX, _POD = "[0-9a-f]", _SAFE + "{5}"
_DAY = r"20[0-9]{2}[-.]?(?:0[1-9]|1[0-2])[-.]?(?:0[1-9]|[12][0-9]|3[01])"
_TIME = r"[-_.tT]?(?:[01][0-9]|2[0-3])[-.]?[0-5][0-9](?:[-.]?[0-5][0-9])?[zZ]?"

_KINDS = {
    "uuid": f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}",
    "time": f"{_DAY}(?:{_TIME})?",
    "epoch": "1[4-9][0-9]{8}|1[4-9][0-9]{11}",
    "revision": "0[0-9]{4}-[a-z]{3}",  # Cloud Run
    "task": r"[0-9]+\.[a-z0-9]{25}",  # Docker Swarm
    "build": "(?:build|rev|revision)[-_.]?[0-9]+",
    "hash": f"{_HEX}{{7,64}}|{_SAFE}{{8,10}}|[0-9A-F]{{8}}|[0-9A-Z]{{12,13}}",
    "number": r"v?[0-9]+(?P<dot>[-_.o])[0-9]+(?P=dot)[0-9]+|[0-9]{3,}|[br][0-9]+",
}
"""Parts of names by kind, in the order in which they are looked for."""
_PARTS = {kind: re.compile(rf"(?P<rest>.+?)(?P<separator>--?|[_.])(?P<text>{form})") for kind, form in _KINDS.items()}
_OF_POD = re.compile(rf"(?P<rest>.+)-(?P<text>{_POD})")
_DISPATCHED = re.compile("(?P<rest>.+)/(?:dispatch|periodic)-1[0-9]{9}(?:-[0-9a-f]{6,8})?")
_OF_REVISION = re.compile("(?P<rest>.+)--(?P<text>[a-z0-9]{7})")  # Azure Container Apps
_ALPHABETS = (_HEX, _SAFE, "[0-9A-F]", "[0-9A-Z]", "[0-9a-z]")
_FORMS = {"number": r"[0-9]+(?:[-_.o][0-9]+){2}", "pod": _POD}

_MOST_AT_ONCE = 3.0
"""Deploys that are alive at once, on average; more of them are customers, shards or machines."""
_MOST_OF_NUMBERS = 1.5
_FEWEST_NUMBERS = 3
_MOST_PARTS = 3
_MOMENT = timedelta(seconds=1)


class _Part(NamedTuple):
    """One part of a name: what stands before it, its kind, and itself."""

    separator: str
    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class _Name:
    """A name taken apart: ``head`` and ``tail`` are what every deploy has, `parts` are this deploy's."""

    name: str
    head: str
    tail: str
    parts: tuple[_Part, ...]

    @property
    def stem(self) -> str:
        return self.head + self.tail

    @property
    def form(self) -> tuple[tuple[str, str], ...]:
        return tuple((part.separator, part.kind) for part in self.parts)

    @property
    def deploy(self) -> tuple[str, ...]:
        """What tells this deploy from others: its pods are one."""
        return tuple(part.text for part in self.parts if part.kind != "pod")

    @property
    def is_strong(self) -> bool:
        """Whether nobody would choose such a name."""
        has_pod = any(part.kind == "pod" for part in self.parts)
        return any(_is_strong(part, has_pod=has_pod) for part in self.parts)


def deploy_renames(
    names: Iterable[str],
    spans: Mapping[str, Span] | None = None,
    known: Renames = (),
    apart: Iterable[str] = (),
) -> Renames:
    """Rules that name services by what all of their deploys have in common.

    Parameters
    ----------
    names
        All names there are or were.
    spans
        Times of the first and the last sample, by name, where they are known.
    known
        Rules of before: they stay, so that a service keeps its name.
    apart
        Stems whose deploys are to stay apart.

    Returns
    -------
    `known`, and after it the new rules: a pattern (RE2, the whole name) and its replacement, in which ``$`` is ``$$``.
    """
    stems = {replacement.replace("$$", "$") for _, replacement in known}
    kept_apart = set(apart)
    found = [taken for name in sorted(set(names)) if apply_renames(name, known) == name and (taken := _taken(name))]
    rules = []
    for stem, group in groupby(sorted(found, key=lambda one: (one.stem, one.name)), key=lambda one: one.stem):
        members = list(group)
        if stem not in kept_apart:
            rules += _rules(members, spans or {}, is_known=stem in stems)
    return (*known, *rules)


def _rules(members: Sequence[_Name], spans: Mapping[str, Span], *, is_known: bool) -> list[tuple[str, str]]:
    """The rules of one stem: one for what is before and after the part that changes."""
    strong = [one for one in members if one.is_strong]
    if len({one.parts for one in strong}) >= (1 if is_known else 2) and _at_once(strong, spans) <= _MOST_AT_ONCE:
        chosen = [one for one in members if one.is_strong or any(part.kind == "hash" for part in one.parts)]
    else:
        chosen = [one for one in members if all(part.text.isdigit() or part.kind == "number" for part in one.parts)]
        if not _follow_each_other(chosen, spans):
            return []
    ends = sorted({(one.head, one.tail) for one in chosen})
    return [_rule(head, tail, [one for one in chosen if (one.head, one.tail) == (head, tail)]) for head, tail in ends]


def _rule(head: str, tail: str, members: Sequence[_Name]) -> tuple[str, str]:
    forms = sorted({one.form for one in members})
    patterns = [
        "".join(
            re.escape(separator) + _pattern(kind, [one.parts[place].text for one in members if one.form == form])
            for place, (separator, kind) in enumerate(form)
        )
        for form in forms
    ]
    changing = patterns[0] if len(patterns) == 1 else f"(?:{'|'.join(patterns)})"
    return _escaped(head) + changing.replace(r"\-", "-") + _escaped(tail), (head + tail).replace("$", "$$")


def _pattern(kind: str, texts: Sequence[str]) -> str:
    """What matches such parts, those of deploys to come too."""
    if kind == "dispatched":
        return "(?:dispatch|periodic)-1[0-9]{9}(?:-[0-9a-f]{6,8})?"
    if kind == "number":
        lengths = {len(re.findall("[0-9]+", text)) for text in texts}
        letters = "".join(sorted({text[0] for text in texts if text[0].isalpha()}))
        start = f"[{letters}]{'?' if any(text[0].isdigit() for text in texts) else ''}" if letters else ""
        return start + ("[0-9]+" if lengths == {1} else _FORMS["number"])
    if kind != "hash":
        form = _FORMS.get(kind) or _KINDS[kind]
        return f"(?:{form})" if "|" in form else form
    alphabet = next(one for one in _ALPHABETS if all(re.fullmatch(f"{one}+", text) for text in texts))
    shortest, longest = min(map(len, texts)), max(map(len, texts))
    if alphabet == _SAFE or (alphabet == _HEX and all(re.fullmatch(f"{_SAFE}{{8,10}}", text) for text in texts)):
        alphabet, shortest, longest = _SAFE, min(shortest, 8), max(longest, 10)  # of Kubernetes, until seen otherwise
    return f"{alphabet}{{{shortest}}}" if shortest == longest else f"{alphabet}{{{shortest},{longest}}}"


# -- taking names apart -----------------------------------------------------------------------


def _taken(name: str) -> _Name | None:
    """The name with the parts at its end that a deploy may have put there, else with those in its middle."""
    dispatched = _DISPATCHED.fullmatch(name)
    if dispatched:
        head = dispatched["rest"]
        return _Name(name, head, "", (_Part("/", "dispatched", name[len(head) + 1 :]),))
    begin = name.rfind("/") + 1
    ends = [len(name), *(place for place in range(len(name) - 1, begin, -1) if name[place] in "-_.")]
    for end in ends:
        head, parts = _stripped(name[begin:end])
        is_middle = end < len(name)
        if not parts or sum(letter.isalpha() for letter in head) < 2:
            continue
        found = _Name(name, name[:begin] + head, name[end:], parts)
        if not is_middle or (found.is_strong and all(part.kind in ("uuid", "time", "hash") for part in parts)):
            return found
    return None


def _stripped(text: str) -> tuple[str, tuple[_Part, ...]]:
    """A text without the parts at its end, and these."""
    parts: list[_Part] = []
    pod = _OF_POD.fullmatch(text)
    if pod:
        last = _last(pod["rest"])
        if last and (last[1].kind in ("hash", "epoch") or re.fullmatch("[0-9]{8,10}", last[1].text)):
            parts, text = [_Part("-", "pod", pod["text"])], pod["rest"]
    while len(parts) <= _MOST_PARTS and (found := _last(text)):
        text, part = found
        if part.kind == "number" and part.text.isdigit() and any(one.kind != "pod" for one in parts):
            return f"{text}{part.separator}{part.text}", tuple(reversed(parts))  # a number before a hash is no deploy's
        parts.append(part)
    return text, tuple(reversed(parts))


def _last(text: str) -> tuple[str, _Part] | None:
    azure = _OF_REVISION.fullmatch(text)
    if azure:
        return azure["rest"], _Part("--", "hash", azure["text"])
    for kind, expression in _PARTS.items():
        found = expression.fullmatch(text)
        if found and any(letter.isdigit() for letter in found["text"]):  # letters alone may be a word
            return found["rest"], _Part(found["separator"], kind, found["text"])
    return None


def _is_strong(part: _Part, *, has_pod: bool) -> bool:
    if part.kind == "hash":  # cafe2024 is a word and a year
        return _changes(part.text) >= 2 or has_pod
    if part.kind == "number":
        return has_pod
    if part.kind == "task":
        return _changes(part.text.partition(".")[2]) >= 4
    return part.kind != "pod"


def _changes(text: str) -> int:
    """How often letters and digits take turns."""
    return sum(one.isdigit() != other.isdigit() for one, other in pairwise(text))


# -- when they were alive ---------------------------------------------------------------------


def _at_once(members: Sequence[_Name], spans: Mapping[str, Span]) -> float:
    """How many deploys were alive at once, on average over the time in which any was; 0 where that is not known."""
    alive: dict[tuple[str, ...], list[Span]] = {}
    for one in members:
        if one.name in spans:
            alive.setdefault(one.deploy, []).append(spans[one.name])
    total = sum((_length(ranges) for ranges in alive.values()), timedelta())
    union = _length([span for ranges in alive.values() for span in ranges])
    return total / union if union else 0.0


def _length(ranges: Sequence[Span]) -> timedelta:
    """How long any of the ranges lasts."""
    length, until = timedelta(), None
    for first, last in sorted(ranges):
        begin, end = max(first, until) if until else first, last + _MOMENT
        length += max(end - begin, timedelta())
        until = max(end, until) if until else end
    return length


def _follow_each_other(members: Sequence[_Name], spans: Mapping[str, Span]) -> bool:
    """Whether numbers grow with time, and one is gone when the next has come."""
    known = [one for one in members if one.name in spans]
    by_time = sorted(known, key=lambda one: spans[one.name])
    numbers = [[int(number) for number in re.findall("[0-9]+", "-".join(one.deploy))] for one in by_time]
    if len({one.deploy for one in known}) < _FEWEST_NUMBERS:
        return False
    return all(a <= b for a, b in pairwise(numbers)) and _at_once(known, spans) <= _MOST_OF_NUMBERS


def _escaped(text: str) -> str:
    return re.escape(text).replace(r"\-", "-")
