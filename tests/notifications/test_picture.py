"""The picture of a message: its size, what is in it, and that it can be drawn of anything, in several threads."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from PIL import Image
from support.hostile import TEXTS
from support.incidents import NOON

from observatory.catalog import METRICS
from observatory.notifications.picture import Course, draw

pytestmark = pytest.mark.slow

MINUTES = 180
AT = [NOON + timedelta(minutes=minute - 120) for minute in range(MINUTES)]
FLAT = np.full(MINUTES, 0.02)
ACTUAL = np.where(np.arange(MINUTES) < 120, 0.02, 0.12)
COURSE = Course("shop/cart", "error_rate", NOON, AT, ACTUAL, FLAT, FLAT * 0.5, FLAT * 1.5)


def pixels(picture: bytes) -> np.ndarray:
    """Of shape (height, width, 4)."""
    return np.asarray(Image.open(io.BytesIO(picture)).convert("RGBA")).astype(int)


def near(image: np.ndarray, colour: tuple[int, int, int], most: int = 60) -> np.ndarray:
    """Where a picture is about of a colour."""
    return np.abs(image[..., :3] - np.array(colour)).sum(axis=-1) < most


def test_a_picture_is_small_opaque_and_shows_course_band_and_beginning() -> None:
    image = pixels(draw(COURSE))
    assert image.shape == (200, 600, 4)
    assert (image[..., 3] == 255).all(), "the same on a dark page"
    reds = near(image, (0xD1, 0x34, 0x38)).any(axis=0).nonzero()[0]
    assert 380 < reds.min() <= reds.max() < 430, "two thirds of the way"
    line = near(image, (0x24, 0x57, 0xC5))
    assert line[:60, 450:].any(), "high after the beginning"
    assert not line[:60, :350].any(), "low before"
    band = near(image, (0xCB, 0xE7, 0xDA), 25)
    assert band.sum() > 2000
    assert near(pixels(draw(replace(COURSE, typical=None, lower=None, upper=None))), (0xCB, 0xE7, 0xDA), 25).sum() == 0


@pytest.mark.parametrize("name", METRICS)
def test_every_metric_can_be_drawn(name: str) -> None:
    assert draw(replace(COURSE, metric=name)).startswith(b"\x89PNG")


@pytest.mark.parametrize("actual", [np.zeros(MINUTES), np.full(MINUTES, np.nan), np.full(MINUTES, 1e15)])
def test_odd_values_can_be_drawn(actual: np.ndarray) -> None:
    assert draw(replace(COURSE, actual=actual)).startswith(b"\x89PNG")
    assert draw(replace(COURSE, actual=actual, typical=None, lower=None, upper=None)).startswith(b"\x89PNG")


def test_any_name_can_be_drawn() -> None:
    for name in (*TEXTS[::4], "商店/购物车", "$x^{", "x" * 5000):
        assert pixels(draw(replace(COURSE, service_name=name))).shape == (200, 600, 4)


def test_threads_draw_what_one_draws() -> None:
    courses = [replace(COURSE, metric=name, service_name=f"shop/{name}") for name in list(METRICS)[:6]] * 3
    alone = [draw(course) for course in courses]
    with ThreadPoolExecutor(6) as pool:
        assert list(pool.map(draw, courses)) == alone
