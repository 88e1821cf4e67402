"""What a store can be told beyond its URL."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from observatory.config import Settings

GIB = 2**30


def default_memory() -> int:
    """A quarter of the machine's memory, between 0.5 and 4 GiB [bytes]: the store has neighbours."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):  # pragma: no cover - no POSIX
        total = 8 * GIB
    return min(max(total // 4, GIB // 2), 4 * GIB)


@dataclass(frozen=True, slots=True, repr=False)
class StoreOptions:
    """Limits, secrets and places.

    Attributes
    ----------
    memory
        Most memory DuckDB takes before it spills to disk [bytes].
    threads
        Threads of DuckDB; None for as many as there are cores.
    token
        Secret of a store behind ``quack://``; the owner of a file draws one when none is given.
    port
        Port of loopback a file's owner serves other processes on; 0 for any that is free.
    data_path
        Folder, or ``s3://`` address, of a lake's Parquet files.
    s3
        Passed to DuckDB's S3 secret, such as ``{"key_id": …, "secret": …, "region": …, "endpoint": …}``.
    patience
        Longest wait for a store that is being opened, moved or is in use [s].
    archive
        Folder of archived samples; None for ``<file>.archive`` beside the file.
    read_only
        Refuse to write; a file is then not served, and any number of processes may read it without extensions.
    """

    memory: int = field(default_factory=default_memory)
    threads: int | None = None
    token: str | None = None
    port: int = 0
    data_path: str | None = None
    s3: tuple[tuple[str, str], ...] = ()
    patience: float = 10.0
    archive: Path | None = None
    read_only: bool = False

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the settings say."""
        memory = default_memory() if settings.store_memory is None else int(settings.store_memory * GIB)
        return cls(
            memory=memory,
            threads=settings.store_threads,
            token=settings.store_token.get_secret_value() if settings.store_token else None,
            port=settings.store_port,
            data_path=settings.store_data_path,
            s3=tuple((name, value.get_secret_value()) for name, value in settings.store_s3.items()),
            read_only=settings.store_read_only,
        )

    def config(self) -> dict[str, str | bool | int | float | list[str]]:
        """DuckDB's own settings."""
        limits: dict[str, str | bool | int | float | list[str]] = {"memory_limit": f"{self.memory // 2**20}MiB"}
        return limits | ({} if self.threads is None else {"threads": self.threads})


@dataclass(frozen=True, slots=True)
class Retention:
    """How long what is kept [days]; None keeps it for ever.

    Attributes
    ----------
    archive
        Age at which samples move to the archive.
    raw
        Age at which archived months are removed; without an archive, as in a lake, the samples that are rolled up.
    rollups
        Age at which roll-ups are removed, once their samples are gone.
    anomalies
        Age at which anomalies and incidents that ended are removed, and changes.
    calls
        Age at which calls that were not seen since are removed.
    deliveries
        Age at which the record of what was sent to whom is removed.
    """

    archive: float | None = 35.0
    raw: float | None = None
    rollups: float | None = None
    anomalies: float | None = None
    calls: float | None = 90.0
    deliveries: float | None = 90.0

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """What the settings say."""
        return cls(
            settings.archive_days,
            settings.keep_raw_days,
            settings.keep_rollup_days,
            settings.keep_anomaly_days,
            deliveries=settings.keep_delivery_days,
        )
