"""Search in the guides: sections that have the words, the best first.

A word counts most in the title of a page, less in a heading, least in the text, and more the rarer it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import log

from observatory.help.topics import INDEX, Section, Topic, topics

SHOWN = 20
"""Sections that are found at most, `PER_TOPIC` of one page."""
PER_TOPIC = 3
MOST_WORDS = 12
SNIPPET = 180
"""Length of a snippet [characters]."""
LEAD = 50
"""Of them, those before the first match."""

IN_TITLE, IN_HEADING, IN_TEXT, BESIDE_TITLE, TOGETHER = 12.0, 8.0, 2.0, 2.0, 4.0

_COMMON = (
    "a an and are can do does for from how i if in is it me my not of on or the this to what when where why with you"
)
TOO_COMMON = frozenset(_COMMON.split())

Piece = tuple[str, bool]
"""A part of a text, and whether it matches."""


@dataclass(frozen=True)
class Hit:
    """A section that was found.

    Attributes
    ----------
    missing
        Words that were looked for and are not in it.
    """

    topic: Topic
    section: Section
    score: float
    missing: tuple[str, ...]
    title: tuple[Piece, ...]
    snippet: tuple[Piece, ...]


class Word:
    """A word as it begins in a text, without the s of a plural; parts of ``OBSERVATORY_STORE`` are words too."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stem = text[:-1] if len(text) > 3 and text.endswith("s") and not text.endswith("ss") else text
        self.begins = re.compile(rf"(?<![^\W_]){re.escape(self.stem)}", re.IGNORECASE)
        self.whole = re.compile(rf"(?<![^\W_]){re.escape(self.stem)}s?(?![^\W_])", re.IGNORECASE)

    def weight(self, text: str) -> float:
        """0 where `text` does not have it, 1 where a word begins so, more where it is the whole word."""
        if self.stem not in text.lower():  # most texts; patterns are slower
            return 0.0
        return 1.25 if self.whole.search(text) else 1.0 if self.begins.search(text) else 0.0


def words_of(question: str) -> list[Word]:
    """What to look for: the words of a question, without those that are everywhere."""
    texts = list(dict.fromkeys(re.findall(r"\w+", question.lower())))
    return [Word(text) for text in ([text for text in texts if text not in TOO_COMMON] or texts)[:MOST_WORDS]]


def search(question: str) -> list[Hit]:
    """Sections that have every word of `question`, the best first; those that have some where none has all."""
    words = words_of(question)
    places = [(topic, section) for topic in topics() if topic.name != INDEX for section in topic.sections]
    scores = [[_score(word, topic, section) for word in words] for topic, section in places]
    rarity = [1 + log(len(places) / max(1, sum(row[i] > 0 for row in scores))) for i in range(len(words))]
    complete = any(row and all(row) for row in scores)
    phrase = _phrase(words)
    hits = []
    for (topic, section), row in zip(places, scores, strict=True):
        text = "\n".join((section.title, *section.lines))
        if not any(word.weight(text) for word in words) or (complete and not all(row)):
            continue
        together = TOGETHER if len(words) > 1 and phrase.search(text) else 0.0
        score = together + sum(one * rare for one, rare in zip(row, rarity, strict=True))
        hits.append((score, topic, section, tuple(w.text for w, one in zip(words, row, strict=True) if not one)))
    hits.sort(key=lambda hit: -hit[0])
    return [
        Hit(topic, section, score, missing, tuple(mark(section.title, words)), tuple(_snippet(section, words)))
        for score, topic, section, missing in _spread(hits)
    ][:SHOWN]


def _score(word: Word, topic: Topic, section: Section) -> float:
    title = word.weight(f"{topic.title} {topic.name}")
    heading = word.weight(section.title)
    lines = "\n".join(section.lines)
    text = word.weight(lines)
    if text:
        often = len(word.begins.findall(lines)) - 1
        text *= IN_TEXT + min(1.0, 4 * often / len(section.lines))
    if section.level == 1:
        return IN_TITLE * title + text
    return BESIDE_TITLE * title + IN_HEADING * heading + text


def _phrase(words: Sequence[Word]) -> re.Pattern[str]:
    """The words side by side, in their order."""
    return re.compile(r"(?<![^\W_])" + r"\W+".join(re.escape(word.text) for word in words), re.IGNORECASE)


def _spread(
    hits: Sequence[tuple[float, Topic, Section, tuple[str, ...]]],
) -> Iterator[tuple[float, Topic, Section, tuple[str, ...]]]:
    """Not more than a few of one page, so that others are seen."""
    seen: Counter[str] = Counter()
    for hit in hits:
        seen[hit[1].name] += 1
        if seen[hit[1].name] <= PER_TOPIC:
            yield hit


def _snippet(section: Section, words: Sequence[Word]) -> Iterator[Piece]:
    """The line that has most of the words, and those early, cut around the first of them."""
    if not section.lines:
        return iter(())

    def first_in(line: str) -> int:
        return min((match.start() for word in words if (match := word.begins.search(line))), default=0)

    best = max(section.lines, key=lambda line: (sum(word.weight(line) for word in words), -first_in(line)))
    first = first_in(best)
    start = 0 if first <= LEAD or len(best) <= SNIPPET else best.rfind(" ", 0, first - LEAD // 2) + 1
    text = best[start : start + SNIPPET]
    if start + SNIPPET < len(best):
        text = text.rpartition(" ")[0] + " …"
    return mark(("… " if start else "") + text, words)


def mark(text: str, words: Sequence[Word]) -> Iterator[Piece]:
    """The text in pieces: those where a word begins, to the end of that word, and those between."""
    if not words:
        yield text, False
        return
    pattern = re.compile("|".join(rf"{word.begins.pattern}[^\W_]*" for word in words), re.IGNORECASE)
    end = 0
    for match in pattern.finditer(text):
        if match.start() > end:
            yield text[end : match.start()], False
        yield match.group(), True
        end = match.end()
    if end < len(text):
        yield text[end:], False
