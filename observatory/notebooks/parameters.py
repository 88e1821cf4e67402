"""What a notebook takes: the typed `parameters` cell is its signature, checked before a kernel starts.

papermill reads such cells too, line by line; it does not see types such as ``str | None``, and checks none.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Union

import yaml
from pydantic import PydanticUserError, TypeAdapter, ValidationError

from observatory.errors import InvalidInputError
from observatory.notebooks.catalog import quicken
from observatory.notebooks.secrets import masked
from observatory.suggest import did_you_mean

PLAIN: dict[str, Any] = {kind.__name__: kind for kind in (str, int, float, bool, list, dict)} | {
    "None": None,
    "Any": Any,
}
_EXPONENT = re.compile(r"[+-]?\d+(\.\d*)?[eE][+-]?\d+")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of a `parameters` cell: ``name: type = default  # help``; `type` is empty where none is given."""

    name: str
    type: str
    default: str
    help: str

    def __str__(self) -> str:
        kind = f": {self.type}" if self.type else ""
        return f"{self.name}{kind} = {self.default}"

    def check(self, value: Any) -> Any:
        """`value` as the type wants it. Text, as a command line gives it, is read as YAML unless a string is wanted.

        Raises
        ------
        InvalidInputError
            It does not fit the type.
        """
        kind = _kind(self.type, self.default)
        try:
            if isinstance(value, str) and not _takes_text(kind):
                value = _plain(value)
            return TypeAdapter(kind).validate_python(value, strict=True)
        except ValidationError:
            shown = masked({self.name: value})[self.name]
            raise InvalidInputError(f"parameter {self.name} = {shown!r}: {self.type or 'a value'} is wanted") from None


def parameters_of(path: Path) -> dict[str, Parameter]:
    """The parameters of the notebook at `path`, in its order: what its cell tagged ``parameters`` assigns.

    Raises
    ------
    InvalidInputError
        It is no notebook, or its parameters cannot be read.
    """
    quicken()
    import nbformat

    try:
        cells = nbformat.read(path, as_version=4).cells
    except Exception as error:  # noqa: BLE001 - whatever a broken file makes the reader raise
        raise InvalidInputError(f"{path.name} cannot be read as a notebook: {error}") from None
    source = next((cell.source for cell in cells if "parameters" in cell.metadata.get("tags", [])), "")
    try:
        return {parameter.name: parameter for parameter in _read(source)}
    except (SyntaxError, tokenize.TokenError) as error:
        raise InvalidInputError(f"the parameters of {path.name} cannot be read: {error}") from None


def check(notebook: str, parameters: Mapping[str, Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with every value as its type wants it.

    Raises
    ------
    InvalidInputError
        A name or a value does not fit; the message lists the parameters of `notebook`.
    """
    problems, values = [], {}
    for name, value in given.items():
        if name not in parameters:
            hint = did_you_mean(name, parameters)
            problems.append(f"unknown parameter {name!r}{hint and f': {hint}'}")
            continue
        try:
            values[name] = parameters[name].check(value)
        except InvalidInputError as error:
            problems.append(str(error))
    if problems:
        raise InvalidInputError("\n".join([*problems, describe(notebook, parameters)]))
    return values


def describe(notebook: str, parameters: Mapping[str, Parameter]) -> str:
    """The parameters as lines of text."""
    if not parameters:
        return f"{notebook} takes no parameters"
    lines = {str(parameter): parameter.help for parameter in parameters.values()}
    width = min(50, max(map(len, lines)))
    return "\n".join([f"parameters of {notebook}:", *(f"  {left:<{width}}  {right}" for left, right in lines.items())])


def _read(source: str) -> Iterator[Parameter]:
    """Assignments to names, each with the comment that ends its line."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    comments = {token.start[0]: token.string for token in tokens if token.type == tokenize.COMMENT}
    for node in ast.parse(source).body:
        match node:
            case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation, value=ast.expr() as value):
                kind = ast.get_source_segment(source, annotation) or ""
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                kind = ""
            case _:
                continue
        default = ast.get_source_segment(source, value) or ""
        yield Parameter(name, kind, default, comments.get(node.end_lineno or 0, "").lstrip("# "))


def _plain(text: str) -> Any:
    """What YAML makes of `text`, as papermill reads it; and numbers such as 1e-3, which YAML 1.1 takes for text."""
    try:
        return float(text) if _EXPONENT.fullmatch(text) else yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _takes_text(kind: Any) -> bool:
    return kind is str or str in getattr(kind, "__args__", ())


def _kind(annotation: str, default: str) -> Any:
    """The type that is written; without one, that of the default; what is not known takes anything."""
    try:
        if annotation:
            return _evaluate(ast.parse(annotation, mode="eval").body)
        value = ast.literal_eval(default)
        return Any if value is None else type(value)
    except (KeyError, SyntaxError, ValueError, TypeError, PydanticUserError):
        return Any


def _evaluate(node: ast.expr) -> Any:
    """The few types a parameter may have; nothing else in an annotation is ever run."""
    match node:
        case ast.Name(id=name):
            return PLAIN[name]
        case ast.Constant(value=None):
            return types.NoneType
        case ast.BinOp(left=left, op=ast.BitOr(), right=right):
            return Union[_evaluate(left), _evaluate(right)]  # noqa: UP007 - of values, not in an annotation
        case ast.Subscript(value=ast.Name(id="Literal"), slice=inner):
            return Literal[tuple(ast.literal_eval(item) for item in _items(inner))]
        case ast.Subscript(value=ast.Name(id=name), slice=inner):
            return PLAIN[name][tuple(_evaluate(item) for item in _items(inner))]
    raise ValueError(ast.unparse(node))


def _items(node: ast.expr) -> list[ast.expr]:
    return node.elts if isinstance(node, ast.Tuple) else [node]
