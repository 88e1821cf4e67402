"""``observatory evaluate``: detectors compared on labelled data, as tables and as JSON."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from observatory.cli.common import open_reader, print_table, progress_bar, read_settings, say
from observatory.errors import InvalidInputError

if TYPE_CHECKING:
    import pandas as pd

    from observatory.model import Failure, Progress


class Faults(StrEnum):
    """What truth there is without a folder of files."""

    DEMO = "demo"
    SINGLE = "single"
    FEEDBACK = "feedback"


def evaluate(
    data: Annotated[
        Path | None, typer.Option(help="A folder of labelled files, SET/SERIES.parquet or .csv, to judge on.")
    ] = None,
    rootcause: Annotated[
        Path | None,
        typer.Option(
            help="A folder of labelled faults, to judge the likeliest cause on: SET/cases.json with start, end and "
            "cause of each, SET/metrics.parquet or .csv with timestamp, service and a column a metric, and "
            "SET/graph.csv with caller, callee; or the layout of Nezha or PetShop."
        ),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option("--set", help="Only this set of --data or --rootcause; may be repeated.")
    ] = None,
    detector: Annotated[
        list[str] | None, typer.Option("--detector", "-d", help="Only this one; may be repeated.")
    ] = None,
    faults: Annotated[
        Faults | None,
        typer.Option(help="The demo shop's faults (default), single metrics that go wrong, or what users said."),
    ] = None,
    days: Annotated[
        float, typer.Option(help="Length of the history of --faults demo, of which two are for learning, or single.")
    ] = 7.0,
    look_ahead: Annotated[
        bool, typer.Option("--look-ahead", help="Also look for scores that know later rows of --data.")
    ] = False,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes at a time; default: one a core.")] = None,
    json: Annotated[Path | None, typer.Option(help="Also write the figures, of each series too, to this file.")] = None,
) -> None:
    """Judge detectors causally: on labelled files, on injected faults, or on the feedback of users.

    A score may only know what came before it, and every fault, alarm and event counts once.
    With --rootcause, judge how often the likeliest cause of an incident is the guilty service.
    """
    given = {"--data": data, "--faults": faults, "--rootcause": rootcause}
    if len([name for name, value in given.items() if value is not None]) > 1:
        names = " and ".join(name for name, value in given.items() if value is not None)
        raise InvalidInputError(f"{names} exclude each other: give one of them")
    if only and data is None and rootcause is None:
        raise InvalidInputError("--set needs --data FOLDER or --rootcause FOLDER")
    if look_ahead and data is None:
        raise InvalidInputError("--look-ahead needs --data FOLDER")
    if detector and rootcause is not None:
        raise InvalidInputError("--detector says nothing about --rootcause: leave one of them out")
    workers = jobs or os.cpu_count() or 1
    with progress_bar() as show:
        if rootcause is not None:
            tables, failures = _on_causes(rootcause, only, show)
        elif data is not None:
            tables, failures = _on_files(data, only, detector, workers, look_ahead, show)
        else:
            tables, failures = _on_faults(faults or Faults.DEMO, detector, days, workers, show)
    numbers = tables["summary"].select_dtypes("number").columns
    print_table(_shown(tables["summary"]), right=[str(column) for column in numbers])
    for failure in failures:
        say(f"failed: {failure.what}: {failure.error}", err=True)
    if json is not None:
        _write(json, tables, failures)
    if failures:
        raise typer.Exit(1)


Outcome = tuple[dict[str, "pd.DataFrame"], "list[Failure]"]


def _on_files(
    folder: Path, sets: list[str] | None, detectors: list[str] | None, jobs: int, look_ahead: bool, show: Progress
) -> Outcome:
    from observatory.evaluation import benchmark, labelled_folder, series_table, summary

    read_settings()
    results, failures = benchmark(labelled_folder(folder, sets), detectors, jobs, show, look_ahead=look_ahead)
    return {"summary": summary(results), "series": series_table(results)}, failures


def _on_causes(folder: Path, sets: list[str] | None, show: Progress) -> Outcome:
    from observatory.evaluation.rootcause import cause_summary, cause_table, fault_cases, judge_causes

    results = judge_causes(fault_cases(folder, sets), show)
    return {"summary": cause_summary(results), "cases": cause_table(results)}, []


def _on_faults(faults: Faults, detectors: list[str] | None, days: float, jobs: int, show: Progress) -> Outcome:
    from datetime import timedelta

    from observatory.evaluation import evaluate_demo, evaluate_feedback, evaluate_single

    if faults is Faults.DEMO:
        return {"summary": evaluate_demo(read_settings().demo_seed, detectors, days, show, jobs)}, []
    if faults is Faults.SINGLE:
        summary, cases, failures = evaluate_single(read_settings().demo_seed, detectors, days, show, jobs)
        return {"summary": summary, "cases": cases}, failures
    with open_reader() as runtime:
        said = runtime.store.feedback.read()
        if not said:
            raise InvalidInputError("there is no feedback to judge by: give some with `observatory feedback add`")
        training = timedelta(days=runtime.settings.training_days)
        summary, cases, failures = evaluate_feedback(said, runtime.store.history, detectors, training, show, jobs)
        return {"summary": summary, "cases": cases}, failures


def _shown(table: pd.DataFrame) -> pd.DataFrame:
    """Numbers as short as people read them; what does not exist is a dash, and a column of dashes is left out."""
    kept = table.loc[:, [column for column in table.columns if table[column].notna().any()]]
    return kept.map(lambda value: _number(value) if isinstance(value, float) else value)


def _number(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


def _write(path: Path, tables: dict[str, pd.DataFrame], failures: list[Failure]) -> None:
    """JSON as the standard has it: what does not exist is null."""
    import json
    from dataclasses import asdict

    content: dict[str, Any] = {
        name: json.loads(table.to_json(orient="records", date_format="iso")) for name, table in tables.items()
    }
    content["failures"] = [asdict(failure) for failure in failures]
    try:
        path.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(f"--json {path} cannot be written: {error.strerror}") from error
