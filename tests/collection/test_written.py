"""Numbers, times and letters of a table are read as they are written, where the file leaves one reading."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from observatory.collection.importing import ImportOptions, ImportReport, import_file
from observatory.errors import InvalidInputError
from observatory.model import TIMESTAMP
from observatory.store import Store

pytestmark = pytest.mark.slow

NOW = datetime(2026, 12, 1, tzinfo=UTC)
START = datetime(2025, 1, 1, tzinfo=UTC)
Import = Callable[..., ImportReport]


@pytest.fixture
def import_bytes(store: Store, tmp_path: Path) -> Import:
    def call(content: bytes, **options) -> ImportReport:
        (tmp_path / "x.csv").write_bytes(content)
        return import_file(store, tmp_path / "x.csv", ImportOptions(**options), NOW)

    return call


@pytest.fixture
def import_values(import_bytes: Import) -> Import:
    """Import values of a metric, a minute after each other."""

    def call(*written: str, metric: str = "request_rate", **options) -> ImportReport:
        rows = [f"cart;2026-01-31T08:{minute:02}:00Z;{text}" for minute, text in enumerate(written)]
        return import_bytes("\n".join([f"service;time;{metric}", *rows]).encode(), **options)

    return call


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInputError) as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (("1,200.5", "1,300"), [1200.5, 1300]),
        (("1,234,567", "2"), [1234567, 2]),
        (("10,5", "1.200", "1.200,5"), [10.5, 1200, 1200.5]),
        (("1.234.567", "0,125"), [1234567, 0.125]),
        (("1 200.5", "1'300"), [1200.5, 1300]),
        (("1\N{NARROW NO-BREAK SPACE}200,5", "3"), [1200.5, 3]),
        (("1.234", "2.345"), [1.234, 2.345]),  # no comma anywhere: as it always was
        (("1e3", "1.5E-2"), [1000, 0.015]),
        (("1.2 K", "3 Mil"), [1200, 3e6]),
        (("120 req/min", "1.5 K rps"), [2, 1500]),
        (("5", "null", "N/A", "None", "undefined", "#N/A", ""), [5]),
    ],
)
def test_numbers_are_read_as_they_are_written(
    import_values: Import, store: Store, written: tuple[str, ...], read: list[float]
) -> None:
    import_values(*written)
    assert store.history_of_all(START, NOW)["request_rate"].tolist() == pytest.approx(read)


@pytest.mark.parametrize(
    ("metric", "written", "read"),
    [
        ("latency_p95", "120 ms", 0.12),
        ("latency_p95", "1.5 hours", 5400),
        ("error_rate", "12%", 0.12),
        ("memory_usage", "1.5 GiB", 1.5 * 2**30),
        ("cpu_usage", "250m", 0.25),
        ("pod_count", "1.2 K", 1200),
    ],
)
def test_a_unit_behind_the_number_counts(
    import_values: Import, store: Store, metric: str, written: str, read: float
) -> None:
    import_values(written, metric=metric)
    assert store.history_of_all(START, NOW)[metric].tolist() == pytest.approx([read])


@pytest.mark.parametrize(
    ("written", "options", "message"),
    [
        (("1,200", "3"), {}, "row 1: '1,200': the comma may be a decimal one or stand between thousands"),
        (("1,5", "2.5"), {}, "row 2: '2.5' has a decimal point"),
        (("1", "-"), {}, "row 2: '-' is no number: if it means that there is none, say so (--missing=-)"),
        (("1", "n.v."), {"missing": ("-",)}, "'n.v.' is no number"),
        (("3 MB",), {}, "'3 MB' is no number of request_rate: its units are req/s, req/min"),
        (("1,5",), {"decimal": "."}, "'1,5' is no number"),
        (("1",), {"decimal": ";"}, "decimal sign ';': choose from . ,"),
    ],
)
def test_numbers_with_two_readings_or_none_are_refused(
    import_values: Import, written: tuple[str, ...], options: dict, message: str
) -> None:
    assert message in refused(lambda: import_values(*written, **options))


def test_what_the_file_leaves_open_its_user_says(import_values: Import, store: Store) -> None:
    report = import_values("1,200", "-", "n.v.", decimal=",", missing=("-", "n.v."))
    assert store.history_of_all(START, NOW)["request_rate"].tolist() == [1.2]
    assert report.warnings == ("column 'request_rate', row 2 and 1 more: '-' is stored as missing",)


def test_how_numbers_and_times_were_read_is_noted(import_bytes: Import) -> None:
    report = import_bytes(b"service;time;cpu_usage\na;31.01.2026 08:00;1,5\n", zone="UTC")
    assert report.notes == (
        "numbers have a decimal comma (column 'cpu_usage', row 1: '1,5')",
        "times have the day first (row 1: '31.01.2026 08:00')",
    )


AT = datetime(2026, 1, 31, 20, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    ["31.01.2026 20:01", "31.01.2026, 20:01:00", "31/01/2026 20:01", "1/31/2026 8:01 PM", "1/31/2026, 8:01:00 pm",
     "2026/01/31 20:01", "2026.01.31 20:01:00", "2026.31.01 20:01:00", "Jan 31, 2026, 8:01 pm", "31-Jan-2026 20:01",
     "January 31, 2026 20:01:00"],
)  # fmt: skip
def test_times_are_read_as_they_are_written(import_bytes: Import, store: Store, written: str) -> None:
    import_bytes(f"service;time;cpu_usage\na;{written};1\n".encode(), zone="UTC")
    assert store.history_of_all(START, NOW)[TIMESTAMP].tolist() == [AT]


def test_one_row_decides_what_comes_first_for_all(import_bytes: Import, store: Store) -> None:
    import_bytes(b"service,time,cpu_usage\na,02/03/2026 08:00,1\na,13/03/2026 08:00,1\n", zone="UTC")
    days = [time.strftime("%m-%d") for time in store.history_of_all(START, NOW)[TIMESTAMP]]
    assert days == ["03-02", "03-13"]


def test_dates_with_two_readings_are_refused_unless_their_user_says(import_bytes: Import, store: Store) -> None:
    text = b"service,time,cpu_usage\na,02/03/2026 08:00,1\na,03/03/2026 08:00,1\n"
    assert "'02/03/2026 08:00' may have its day or its month first" in refused(lambda: import_bytes(text, zone="UTC"))
    import_bytes(text, zone="UTC", dates="month-first")
    days = [time.strftime("%m-%d") for time in store.history_of_all(START, NOW)[TIMESTAMP]]
    assert days == ["02-03", "03-03"]


def test_a_time_in_numbers_is_refused_with_the_unit_that_fits(import_bytes: Import) -> None:
    message = refused(lambda: import_bytes(b"service,time,cpu_usage\na,1769846400000,1\n"))
    assert message.endswith("(--time-unit s, ms, us or ns); ms makes it 2026-01-31 08:00:00 UTC")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_letters_are_read_in_the_usual_encodings(import_bytes: Import, store: Store, encoding: str) -> None:
    import_bytes("service,time,cpu_usage\ncafé,2026-01-31T08:00:00Z,1\n".encode(encoding))
    assert [service.name for service in store.services()] == ["café"]


def test_letters_of_another_encoding_are_read_where_it_is_named(import_bytes: Import, store: Store) -> None:
    text = "service,time,cpu_usage\ncafé,2026-01-31T08:00:00Z,1\n".encode("cp1252")
    assert "say how it is written (--encoding cp1252, or utf-16)" in refused(lambda: import_bytes(text))
    assert "encoding 'latin9000' is not known" in refused(lambda: import_bytes(text, encoding="latin9000"))
    import_bytes(text, encoding="cp1252")
    assert [service.name for service in store.services()] == ["café"]


def test_the_sign_of_excels_first_line_holds(import_bytes: Import, store: Store) -> None:
    import_bytes(b"sep=|\r\nservice|time|cpu_usage\r\na;b,c|2026-01-31T08:00:00Z|1\r\n")
    assert [service.name for service in store.services()] == ["a;b,c"]


def test_rows_are_counted_without_what_is_no_data(import_bytes: Import) -> None:
    text = b"sep=,\r\n# comment\r\nservice,time,cpu_usage\r\na,2026-01-31T08:00:00Z,1\r\n# more\r\na,x,1\r\n"
    assert "column 'time', row 2: 'x' is no time" in refused(lambda: import_bytes(text))
