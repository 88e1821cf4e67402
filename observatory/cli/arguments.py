"""Secrets among the arguments: other users of the machine see the command line of every process (``ps``)."""

from __future__ import annotations

import re
import sys
from itertools import pairwise

SUSPECT = re.compile(r"://\S*@|obs_|eyJ|bearer |password|passwd|secret|token|api.?key|credential", re.IGNORECASE)


def hide_arguments() -> None:
    """Have `ps` show this process without the secrets it was given; it had them for a moment, so settings are safer."""
    if not any(map(SUSPECT.search, sys.argv)):
        return
    shown = shown_arguments(sys.argv)
    if shown != sys.argv:
        from setproctitle import setproctitle

        setproctitle(" ".join(shown))


def shown_arguments(arguments: list[str]) -> list[str]:
    """The arguments without secrets: ``name=value``, ``--name value``, and values that look like one by themselves."""
    from observatory.notebooks.secrets import masked

    shown = []
    for before, argument in pairwise(["", *arguments]):
        name, equals, value = argument.partition("=")
        if "://" in name:  # an address, which may hold the sign
            name, equals, value = before, "", argument
        name = name if equals else before
        plain = name.lstrip("-").replace("-", "_")
        hidden = masked({plain: value if equals else argument})[plain]
        shown.append(f"{name}={hidden}" if equals else hidden)
    return shown
