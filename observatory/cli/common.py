"""What verbs share: settings, a runtime that is closed again, progress bars, tables."""

from __future__ import annotations

import fnmatch
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observatory.errors import InvalidInputError
from observatory.plain import plain

if TYPE_CHECKING:
    from datetime import datetime

    from observatory.config import Settings
    from observatory.runtime import Runtime
    from observatory.store import Store

ServiceOption = Annotated[list[str] | None, typer.Option("--service", "-s", help="Only this service; may be repeated.")]
ServicesOption = Annotated[
    list[str] | None,
    typer.Option(
        "--services", "--service", "-s", help="Only these: names or patterns (`shop/*`), by commas or repeated."
    ),
]
FromOption = Annotated[str, typer.Option("--from", help="Start: RFC 3339, or a time ago such as 30d or 12h.")]
ToOption = Annotated[str, typer.Option("--to", help="End: RFC 3339, a time ago, or `now`.")]


def say(text: object = "", *, err: bool = False) -> None:
    """A line on standard output, or that for errors; nothing in it steers the terminal, whoever chose it."""
    typer.echo(plain(text), err=err)  # noqa: TID251


def read_settings(**overrides: Any) -> Settings:
    """The settings, with those options of a verb that were given; also sets up logging."""
    from observatory.config import load_settings
    from observatory.logs import set_up

    settings = load_settings(**{name: value for name, value in overrides.items() if value is not None})
    set_up(settings)
    return settings


@contextmanager
def open_runtime(**overrides: Any) -> Iterator[Runtime]:
    """A runtime that is closed again."""
    with _opened(read_settings(**overrides)) as runtime:
        yield runtime


@contextmanager
def open_reader() -> Iterator[Runtime]:
    """The same for verbs that collect nothing: they show a store that others fill, and need no source."""
    with _opened(settings_to_read()) as runtime:
        yield runtime


def settings_to_read() -> Settings:
    """The settings for verbs that collect nothing; see `observatory.config.reading`."""
    from observatory.config import reading

    return reading.settings_to_read(read_settings())


@contextmanager
def _opened(settings: Settings) -> Iterator[Runtime]:
    from observatory.runtime import Runtime

    runtime = Runtime(settings)
    try:
        yield runtime
    except KeyboardInterrupt:
        print("interrupted: what was stored stays", file=sys.stderr)  # noqa: T201
        raise
    finally:
        runtime.close()


def open_store(settings: Settings) -> Store:
    """The store of the settings, for verbs that need no source."""
    from observatory.store.opening import store_of

    return store_of(settings)


def write_down(runtime: Runtime, action: str, target: str, detail: str = "") -> None:
    """Add a line to the audit log, now."""
    from observatory.access import person

    person.write_down(runtime, action, target, detail)


def time_range(now: datetime, start: str, end: str) -> tuple[datetime, datetime]:
    """``--from`` and ``--to``; raises InvalidInputError."""
    from observatory.times import parse_time

    first, last = parse_time(start, now, "--from"), parse_time(end, now, "--to")
    if first >= last:
        raise InvalidInputError(f"--from {start} must be before --to {end}")
    return first, last


def chosen_services(store: Store, wanted: list[str] | None) -> list[str] | None:
    """The names among `wanted`, and the registered services that match its patterns; None for all.

    Raises
    ------
    InvalidInputError
        No registered service matches a pattern.
    """
    if not wanted:
        return None
    known = [service.name for service in store.services()]
    names: dict[str, None] = {}
    for text in (part.strip() for word in wanted for part in word.split(",")):
        found = fnmatch.filter(known, text) if set(text) & set("*?[") else [text] * bool(text)
        if text and not found:
            raise InvalidInputError(
                f"--services {text}: none of the {len(known)} registered services matches, "
                "`observatory services list` shows them"
            )
        names |= dict.fromkeys(found)
    return list(names)


def matching_services(store: Store, wanted: list[str]) -> tuple[list[str], bool]:
    """The names in `wanted` and the services that its patterns cover, and whether there are patterns.

    Raises
    ------
    UnknownServiceError, InvalidInputError
        There is no such service; a pattern covers none.
    """
    from observatory.errors import UnknownServiceError
    from observatory.model import covers, is_pattern

    known = [service.name for service in store.services()]
    names: dict[str, None] = {}
    for text in wanted:
        found = [text] if text in known else [name for name in known if covers(text, name)]
        if not found and not is_pattern(text):
            raise UnknownServiceError(text, known)
        if not found:
            raise InvalidInputError(
                f"{text!r} covers none of the {len(known)} services: `observatory services list` shows them"
            )
        names |= dict.fromkeys(found)
    return list(names), any(text not in known for text in wanted)


@contextmanager
def progress_bar() -> Iterator[Any]:
    """A progress bar on standard error; yields a `observatory.model.progress.Progress`."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<32}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[detail]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        tasks: dict[str, Any] = {}

        def show(done: int, total: int, what: str, detail: str = "") -> None:
            what, detail = escape(plain(what, keep="")), escape(plain(detail, keep=""))
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, detail=detail)
            bar.update(tasks[what], completed=done, total=total, detail=detail)

        yield show


def print_table(frame: Any, right: Collection[str] = (), width: int = 200) -> None:
    """A frame as a table on standard output; numbers, and the columns named, to the right.

    It is as wide as the terminal, or `width` where there is none; what is longer goes on in the next line.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in frame.columns:
        is_right = column in right or frame[column].dtype.kind in "if"
        table.add_column(Text(plain(column, keep="")), justify="right" if is_right else "left", overflow="fold")
    for row in frame.itertuples(index=False):
        table.add_row(*(Text(plain(value, keep="")) for value in row))
    Console(width=None if sys.stdout.isatty() else width).print(table)
