"""Registering services: what the REST API and the command line share."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from observatory.errors import InvalidInputError
from observatory.model import IMPORTED, LONGEST_NAME, Service, is_usable_name
from observatory.runtime.reader import Operator


def register_service(
    operator: Operator, name: str, source: str | None = None, **facts: str | float | None
) -> tuple[Service, bool]:
    """Register a service, or add facts to one that is known; returns it, and whether it is new.

    Parameters
    ----------
    operator
        Whoever registers it.
    name
        As in the source; may be ``namespace/name``.
    source
        The source it is collected from. Unset: a known service keeps its own, a new one gets the first of the
        settings. Where none collects into this store it is that of imported services, until a source has it.
    facts
        Other fields of `Service`; None keeps what is known.

    Raises
    ------
    InvalidInputError, ConflictError
        The name or a fact cannot be used; there is no source of that name; a pattern excludes it.
    ForbiddenError
        The service is outside of what the operator may see.
    """
    if not is_usable_name(name):
        raise InvalidInputError(
            f"service name {name[:LONGEST_NAME]!r}: give 1 to {LONGEST_NAME} printable characters, no blank at the ends"
        )
    given = {fact: value for fact, value in facts.items() if value is not None}
    _check(given)
    names = operator.source_names
    if source is not None and source not in names:
        raise InvalidInputError(f"unknown source {source!r}: choose from {', '.join(names) or 'none, leave it out'}")
    operator.store.names.allow(name)
    known = next((service for service in operator.store.services() if service.name == name), None)
    service = known or Service(name, next(iter(names), IMPORTED))
    changes: dict[str, Any] = given if source is None else given | {"source": source}
    service = replace(service, **changes)
    operator.store.register([service])
    return service, known is None


def _check(facts: dict[str, str | float]) -> None:
    objective, target = facts.get("objective"), facts.get("latency_target")
    if isinstance(objective, float | int) and not 0 < objective < 1:
        raise InvalidInputError(f"objective = {objective:g}: give a share between 0 and 1, such as 0.999")
    if isinstance(target, float | int) and not target > 0:
        raise InvalidInputError(f"latency_target = {target:g}: give seconds above 0")
