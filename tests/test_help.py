"""The guides say what is there and leave nothing out; what they tell people to type, write and follow works."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml
from support.commands import Call, caller
from support.guides import ROOT, Block, Guide, guides, page, pages
from test_layers import FLOORS

from observatory.catalog import METRICS
from observatory.cli import app
from observatory.collection.files.formats import FORMATS
from observatory.config import Settings, load_settings
from observatory.config.settings import settings_table
from observatory.detectors import DETECTORS
from observatory.model import Severity
from observatory.sources.prometheus.presets import PRESETS
from observatory.views import VIEWS

UsageError = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")  # Typer's own click
VARIABLE = re.compile(r"OBSERVATORY_[A-Z0-9_]*[A-Z0-9]")
PLACEHOLDERS = {"VERB", "…"}


def ids(values: object) -> str | None:
    return values.name if isinstance(values, Guide) else None


def blocks(language: str) -> list[Any]:
    return [
        pytest.param(block, id=f"{guide.path.stem}-{number}")
        for guide in guides()
        for number, block in enumerate(guide.blocks)
        if block.language == language
    ]


# -- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize("guide", pages(), ids=ids)
def test_a_guide_begins_with_its_title_and_one_sentence_of_what_it_is_for(guide: Guide) -> None:
    title, blank, sentence, after = guide.text.splitlines()[:4]
    assert re.fullmatch(r"# \S.*", title)
    assert (blank, after) == ("", "")
    assert re.fullmatch(r"[A-Z].*[.?]", sentence)
    assert sum(heading == guide.headings[0] for heading in guide.headings) == 1


@pytest.mark.parametrize("guide", pages(), ids=ids)
def test_a_heading_can_be_linked_to(guide: Guide) -> None:
    assert len(guide.anchors) == len(guide.headings)


@pytest.mark.parametrize("guide", guides(), ids=ids)
def test_every_link_leads_to_a_file_and_a_heading(guide: Guide) -> None:
    missing = []
    for link in guide.links:
        if link.startswith(("http://", "https://")):
            continue
        file, _, anchor = link.partition("#")
        target = (guide.path.parent / file).resolve() if file else guide.path
        is_there = target.is_relative_to(ROOT) and target.is_file()
        if not is_there or (anchor and anchor not in Guide(target).anchors):
            missing.append(link)
    assert missing == []


@pytest.mark.parametrize("guide", pages(), ids=ids)
def test_a_guide_in_an_installed_package_needs_nothing_beside_the_package(guide: Guide) -> None:
    outside = [
        link
        for link in guide.links
        if not link.startswith(("http", "#"))
        and not (guide.path.parent / link.partition("#")[0]).resolve().is_relative_to(guide.path.parent)
    ]
    assert outside == []


# -- nothing is left out -----------------------------------------------------------------------


def test_the_table_of_settings_is_that_of_the_program() -> None:
    assert settings_table() in page("settings").text


@pytest.mark.parametrize("guide", guides(), ids=ids)
def test_every_variable_that_is_named_exists(guide: Guide) -> None:
    known = {f"OBSERVATORY_{name.upper()}" for name in Settings.model_fields} | {"OBSERVATORY_CONFIG"}
    named = {name.partition("__")[0] for name in VARIABLE.findall(guide.text)}
    assert named - known == set()


def verbs() -> list[str]:
    """Every verb of the command line, those of groups as two words."""
    found: list[str] = []
    for name, command in typer.main.get_command(app).commands.items():
        inner = getattr(command, "commands", None)
        found += [f"{name} {sub}" for sub in inner] if inner else [name]
        found += [name] if inner and command.invoke_without_command else []
    return found


VERBS = verbs()


def test_every_verb_has_a_line_in_the_table_of_commands() -> None:
    text = page("commands").text
    assert [verb for verb in VERBS if f"| `{verb}` |" not in text] == []


@pytest.mark.parametrize(
    ("name", "things"),
    [
        ("metrics", METRICS),
        ("presets", PRESETS),
        ("detection", DETECTORS),
        ("detection", Severity),
        ("import", FORMATS),
    ],
    ids=["metrics", "presets", "detectors", "severities", "formats of files"],
)
def test_everything_there_is_to_choose_from_is_described(name: str, things: Iterable[str]) -> None:
    text = page(name).text
    missing = [str(thing) for thing in things if not re.search(rf"[`*]{thing}[`:*]", text)]
    assert missing == []


def test_every_view_is_described() -> None:
    titles = [VIEWS.get(name).title for name in VIEWS]
    assert [title for title in titles if f"## {title}" not in page("dashboard").text] == []


def test_every_table_of_the_settings_file_is_shown() -> None:
    text = "\n".join(guide.text for guide in pages())
    tables = [name for name, field in Settings.model_fields.items() if str(field.annotation).startswith("dict[str")]
    shown = [name for name in tables if f"[{name}" in text or f"`{name}`" in text or f"_{name.upper()}" in text]
    assert shown == tables


@pytest.mark.parametrize("guide", guides(), ids=ids)
def test_every_file_and_folder_that_is_named_exists(guide: Guide) -> None:
    named = {token.content for token in guide.inline if token.type == "code_inline"}
    paths = {name for name in named if re.fullmatch(r"(\.ci|observatory|tests|notebooks|dashboards)/[\w./-]*", name)}
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_the_floors_are_those_that_imports_are_held_to() -> None:
    rows = re.findall(r"(?m)^\| (\d+) \| (`.+?`) \|", page("architecture").text)
    floors = {int(number): set(re.findall(r"`(\w+)`", rooms)) for number, rooms in rows}
    assert floors == dict(enumerate(FLOORS, start=1))


# -- what people type --------------------------------------------------------------------------


def every(kind: str) -> list[Any]:
    """Commands or mentions of all guides, each once."""
    found = {
        " ".join(words): pytest.param(words, id=f"{guide.path.stem}: {' '.join(words)}")
        for guide in guides()
        for words in getattr(guide, kind)
        if not PLACEHOLDERS.intersection(words)
    }
    return list(found.values())


@pytest.mark.parametrize("words", every("commands"))
def test_a_command_is_one_that_the_program_takes(words: list[str]) -> None:
    parse(words)


@pytest.mark.parametrize("words", every("mentions"))
def test_a_command_in_a_sentence_is_one_that_the_program_takes(words: list[str]) -> None:
    if " ".join(words) not in VERBS:
        parse(words)


@pytest.mark.parametrize(
    "line",
    ["frobnicate", "keys frobnicate", "serve --prot 8080", "feedback add shop/cart", "keys create ops --rol admin"],
)
def test_a_mistyped_command_would_be_found(line: str) -> None:
    with pytest.raises(UsageError):
        parse(line.split())


def parse(words: list[str]) -> None:
    """Have the command line take the words apart, without doing anything; raises UsageError."""
    if words[:1] == ["test"] or words in ([], ["--help"], ["--version"]):
        return
    command = typer.main.get_command(app)
    while hasattr(command, "commands") and words:
        name, *words = words
        if name not in command.commands:
            raise UsageError(f"there is no verb {name!r}")
        command = command.commands[name]
    command.make_context(str(command.name), list(words))


@pytest.mark.parametrize("block", blocks("bash"))
def test_a_script_can_be_read_by_a_shell(block: Block) -> None:
    if any(line.startswith(("5 *", "*/")) for line in block.text.splitlines()):
        block = Block("bash", re.sub(r"(?m)^\S+ \* \* \* \*", "", block.text))  # a line of cron
    done = subprocess.run(["bash", "-n"], input=block.text, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "block", [block for block in page("import").blocks if block.language == "console"], ids=["table", "panel", "dump"]
)
def test_what_an_import_prints_is_what_the_guide_shows(
    block: Block, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    replay(block, caller(monkeypatch, capsys), monkeypatch, tmp_path)


def replay(block: Block, run: Call, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    """Type what a console shows, in an empty folder, and compare what comes of it; ``cat FILE`` makes the file."""
    monkeypatch.chdir(folder)
    for part in re.split(r"(?m)^\$ ", block.text)[1:]:
        line, _, shown = part.replace("\\\n", " ").partition("\n")
        if line.startswith("cat "):
            Path(line.removeprefix("cat ")).write_text(shown)
            continue
        _, out, err = run(*line.split()[1:])
        assert said(err + out) == said(shown), line


def said(text: str) -> list[str]:
    """The lines of `text` without bars of progress, and without the empty lines that those leave."""
    return [line.rstrip() for line in text.splitlines() if line.strip() and "━" not in line]


def test_a_mistyped_parameter_is_answered_as_the_guide_shows(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (block,) = [block for block in page("notebooks").blocks if "dayz" in block.text]
    monkeypatch.chdir(tmp_path)
    run = caller(monkeypatch, capsys)
    shown = block.text.split("$ ")[1].partition("\n")[2].partition("  …")[0]
    code, _, err = run("run", "backfill", "-p", "dayz", "30")
    assert code == 2
    assert err.startswith(shown)


# -- what people write -------------------------------------------------------------------------


@pytest.mark.parametrize("block", blocks("toml"))
def test_settings_are_those_of_the_program(block: Block, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "observatory.toml"
    file.write_text(block.text)
    monkeypatch.setenv("OBSERVATORY_CONFIG", str(file))
    is_file = Path.is_file
    monkeypatch.setattr(Path, "is_file", lambda path: is_file(path) or path.is_relative_to("/etc/ssl"))
    settings = load_settings()
    assert settings.model_fields_set


@pytest.mark.parametrize("block", blocks("yaml"))
def test_yaml_is_what_prometheus_and_alertmanager_take(block: Block, tmp_path: Path) -> None:
    found = yaml.safe_load(block.text)
    if shutil.which("promtool") is None or shutil.which("amtool") is None:
        pytest.skip("promtool or amtool is not installed: apt-get install prometheus prometheus-alertmanager")
    file = tmp_path / "file.yml"
    file.write_text(block.text)
    kinds = {"groups": "promtool check rules", "receivers": "amtool check-config"}
    check = next((kinds[key] for key in kinds if key in found), "promtool check config --syntax-only")
    done = subprocess.run([*check.split(), str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("block", blocks("ini"))
def test_units_of_systemd_can_be_read(block: Block) -> None:
    parser = configparser.ConfigParser(strict=True)
    parser.optionxform = str  # type: ignore[method-assign, assignment]
    parser.read_string(block.text)
    assert "Unit" in parser.sections()


@pytest.mark.parametrize("block", blocks("python"))
def test_python_can_be_compiled(block: Block) -> None:
    compile(block.text, "guide", "exec")


def test_the_python_of_the_evaluation_guide_works(capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = [block.text for block in page("evaluation").blocks if block.language == "python"]
    exec(compile(code, "evaluation.md", "exec"), {})
    assert capsys.readouterr().out.split() == ["[False", "False", "True", "True", "True]"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [0, 1])
def test_the_python_of_the_notebooks_guide_works(number: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    code = [block.text for block in page("notebooks").blocks if block.language == "python"][number]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OBSERVATORY_DEMO_DAYS", "0.2")
    monkeypatch.setenv("OBSERVATORY_DETECTOR", "seasonal")
    demo = re.sub(r'Workbench\("observatory.duckdb"\)|Workbench\(\)', "Workbench('demo')", code, count=1)
    names: dict[str, Any] = {}
    try:
        exec(compile(demo, "notebooks.md", "exec"), names)
        assert len(names["wb"].services) == 12
    finally:
        names["wb"].close()
