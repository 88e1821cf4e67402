"""The tools over the Model Context Protocol, for whatever carries it.

Answers are one text of JSON, and no structured content beside it: clients count both, and some check the second
against a schema that they read otherwise than its author.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import anyio
from mcp import types
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server

from observatory import __version__
from observatory.assistants.answers import Answer
from observatory.assistants.arguments import checked
from observatory.assistants.tools import INSTRUCTIONS, TOOLS, Tool
from observatory.errors import NotFoundError, ObservatoryError, UnknownServiceError
from observatory.suggest import did_you_mean

if TYPE_CHECKING:
    from observatory.runtime.reader import Reader

log = logging.getLogger(__name__)

NAME = "cloudwatch-observatory"
Context = ServerRequestContext[Any]
READS = types.ToolAnnotations(read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False)
"""Without these, clients ask a person before each call."""


def make_server(reader_of: Callable[[Context], Reader], at_a_time: int) -> Server[Any]:
    """A server of the tools.

    Parameters
    ----------
    reader_of
        What whoever sent a request may read; it may raise ObservatoryError.
    at_a_time
        Calls that are answered at a time; others wait.
    """
    limiter = anyio.CapacityLimiter(at_a_time)
    offered = types.ListToolsResult(tools=[_offer(tool) for tool in TOOLS.values()])

    async def list_tools(_: Context, __: types.PaginatedRequestParams | None) -> types.ListToolsResult:
        return offered

    async def call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
        def work() -> types.CallToolResult:
            return _call(lambda: reader_of(context), params.name, params.arguments or {})

        return await anyio.to_thread.run_sync(work, limiter=limiter)  # the loop goes on to answer others

    return Server(
        NAME,
        version=__version__,
        title="CloudWatch Observatory",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _offer(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=READS.model_copy(update={"title": tool.title}),
    )


def _call(reader: Callable[[], Reader], name: str, given: dict[str, Any]) -> types.CallToolResult:
    """The answer of a tool; what cannot be answered says why, as a result that the model reads."""
    try:
        if name not in TOOLS:
            raise NotFoundError(f"unknown tool {name[:80]!r}: {did_you_mean(name[:80], TOOLS, ', '.join(TOOLS))}")
        asked = checked(TOOLS[name].arguments, given)
        from observatory.assistants.answering import ANSWERING

        return _result(ANSWERING[name](reader(), asked).text())
    except UnknownServiceError as error:
        return _result(Answer({"error": str(error), "hint": "the tool health lists services"}).text(), is_error=True)
    except ObservatoryError as error:
        return _result(Answer({"error": str(error)}).text(), is_error=True)
    except Exception as error:
        occurrence = uuid.uuid4()
        log.exception("tool %s failed, id %s", name, occurrence)
        text = f"unexpected {type(error).__name__}: the log of the server has the details under {occurrence}"
        return _result(Answer({"error": text}).text(), is_error=True)


def _result(text: str, *, is_error: bool = False) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(type="text", text=text)], is_error=is_error)
