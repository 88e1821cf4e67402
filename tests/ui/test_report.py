"""A report in a browser: the code is hidden, and tables read from the left."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pandas as pd
import pytest
from playwright.sync_api import Page, expect

from observatory.notebooks.report import write_report

pytestmark = pytest.mark.ui


def test_tables_read_from_the_left_and_the_code_is_hidden(page: Page, tmp_path: Path) -> None:
    table = pd.DataFrame({"service": ["shop/cart"], "event": ["a long sentence"]})._repr_html_()
    cell = nbformat.v4.new_code_cell("the_code", outputs=[nbformat.v4.new_output("display_data", {"text/html": table})])
    write_report(nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("# Told"), cell]), tmp_path / "it.html")
    page.goto((tmp_path / "it.html").as_uri())
    expect(page).to_have_title("Told")
    for place in ("th", "td"):
        expect(page.locator(place).last).to_have_css("text-align", "left")
    expect(page.get_by_text("the_code")).to_have_count(0)
