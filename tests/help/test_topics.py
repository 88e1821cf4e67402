"""The guides are pages in the order of the index, made of sections, read from the package."""

from __future__ import annotations

import re

import pytest
from support.guides import Guide, page, pages

from observatory.errors import NotFoundError
from observatory.help.topics import INDEX, Topic, topic, topics


def test_every_page_is_there_once_under_the_heading_that_the_index_gives_it() -> None:
    assert sorted(t.name for t in topics()) == sorted(guide.path.stem for guide in pages())
    assert [t.name for t in topics()][:3] == [INDEX, "getting-started", "prometheus"]
    assert {t.group for t in topics() if t.name != INDEX} == set(page(INDEX).headings[1:])
    listed = [link.removesuffix(".md") for link in page(INDEX).links]
    assert [t.name for t in topics()][1:] == list(dict.fromkeys(listed))


@pytest.mark.parametrize("guide", pages(), ids=lambda guide: guide.path.stem)
def test_a_page_has_its_title_and_a_section_for_each_heading(guide: Guide) -> None:
    found = topic(guide.path.stem)
    assert found.title == guide.headings[0]
    assert re.fullmatch(r"[A-Z].*[.?]", found.summary)
    assert {section.anchor for section in found.sections} == guide.anchors
    assert [section.level for section in found.sections].count(1) == 1


def test_lines_are_paragraphs_items_rows_and_lines_of_code_in_plain_text() -> None:
    text = """\
# A *page*

One `word`
and [another](access.md).

## Second

- an **item**

| a | b |
|---|---|
| 1 | `2` |

```bash
first

second
```
"""
    first, second = Topic("page", "", text).sections
    assert (first.anchor, first.title, first.level) == ("a-page", "A page", 1)
    assert first.lines == ("One word and another.",)
    assert second.lines == ("an item", "a · b", "1 · 2", "first", "second")


def test_a_mistyped_page_is_refused_with_what_is_close() -> None:
    with pytest.raises(NotFoundError, match=r"no page 'acces': did you mean access"):
        topic("acces")
    with pytest.raises(NotFoundError, match="`observatory help` lists them"):
        topic("../../etc/passwd")
