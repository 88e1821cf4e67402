"""What fails in a part of a cycle is recorded, and the cycle goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from observatory.errors import ObservatoryError
from observatory.model import Failure

log = logging.getLogger(__name__)


@contextmanager
def recorded(what: str, failures: list[Failure]) -> Iterator[None]:
    """What fails inside is added to `failures`, and the cycle goes on."""
    try:
        yield
    except ObservatoryError as error:
        failures.append(Failure(what, str(error)))
    except Exception as error:  # a source of another package may raise anything
        log.exception("%s failed", what)
        failures.append(Failure(what, f"{type(error).__name__}: {error}"))
