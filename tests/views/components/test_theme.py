"""Text can be read on everything it stands on, in the dark and in the light."""

from __future__ import annotations

import pytest

from observatory.model import Band, Severity
from observatory.views.components.theme import PALETTES, SEVERITY_COLOUR, contrast, variables

SURFACES = ("page", "surface", "raised")


@pytest.mark.parametrize("theme", PALETTES)
@pytest.mark.parametrize("surface", SURFACES)
def test_every_text_colour_meets_aa(theme: str, surface: str) -> None:
    palette = PALETTES[theme]
    texts = [name for name in palette if name not in (*SURFACES, "line")]
    assert {
        name: contrast(palette[name], palette[surface])
        for name in texts
        if contrast(palette[name], palette[surface]) < 4.5
    } == {}


def test_contrast_is_that_of_wcag() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_band_and_severity_has_a_colour_in_the_style_sheets() -> None:
    assert all(f"--{band}:light-dark(" in variables() for band in Band)
    assert all(f"--severity-{severity}:" in variables() for severity in Severity)
    assert {str(severity) for severity in Severity} == set(SEVERITY_COLOUR)
