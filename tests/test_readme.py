"""The README fits on a few screens, and leads on to everything else."""

from __future__ import annotations

import os

from support.guides import HELP, ROOT, Guide, page, pages

README = Guide(ROOT / "README.md")
LONGEST = 250


def test_it_is_short() -> None:
    assert len(README.text.splitlines()) <= LONGEST


def test_it_leads_to_every_guide() -> None:
    linked = {link.partition("#")[0] for link in README.links}
    missing = [guide.name for guide in pages() if guide.name not in linked and guide.path.name != "index.md"]
    assert missing == []


def test_the_index_leads_to_every_guide_too() -> None:
    linked = {link.partition("#")[0] for link in page("index").links}
    assert linked == {guide.path.name for guide in pages()} - {"index.md"}


def test_it_shows_what_the_dashboard_looks_like() -> None:
    pictures = [ROOT / link for link in README.links if link.endswith(".png")]
    assert len(pictures) >= 3
    assert all(picture.stat().st_size > 10_000 for picture in pictures)


def test_what_a_maintainer_expects_is_there() -> None:
    for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "LICENSE"):
        assert name in README.links
        assert (ROOT / name).is_file()


def test_guides_are_files_of_the_package() -> None:
    assert os.path.commonpath([HELP, ROOT]) == str(ROOT)
    assert [guide.name for guide in pages()][:1] == ["observatory/help/access.md"]
