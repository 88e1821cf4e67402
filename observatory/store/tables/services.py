"""The registered services."""

from __future__ import annotations

from observatory.errors import UnknownServiceError
from observatory.model import SERVICE, Service
from observatory.store.sql import tables
from observatory.store.tables.base import Column, ValueTable
from observatory.store.tables.names import NameRuleTable


class ServiceTable(ValueTable[Service]):
    """The registered services. Facts that are not known replace none that are."""

    name = "services"
    keys = (SERVICE,)
    service_columns = (SERVICE,)
    keep_known = True
    value = Service
    columns = (
        Column(SERVICE, "name"),
        Column("source"),
        Column("team"),
        Column("tier"),
        Column("objective"),
        Column("latency_target"),
        Column("cpu_limit"),
        Column("memory_limit"),
        Column("desired_pods"),
    )

    def all(self) -> list[Service]:
        """All services, by name."""
        return self.find(tables.SERVICES)

    def names(self) -> list[str]:
        """Names of all services, in order."""
        return [str(row[SERVICE]) for row in self._database.rows(tables.SERVICE_NAMES)]

    def get(self, name: str) -> Service:
        """The service that is called `name`, or was before; raises UnknownServiceError with names that are close."""
        found = self.find(tables.SERVICE, [name])
        if not found:  # links and notes may have the name of before
            current = NameRuleTable(self._database).all().name_of(name)
            found = self.find(tables.SERVICE, [current]) if current != name else []
        if not found:
            raise UnknownServiceError(name, [service.name for service in self.all()])
        return found[0]
