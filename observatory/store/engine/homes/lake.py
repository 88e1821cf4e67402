"""A lake: samples as Parquet in a folder or on S3, their catalogue in PostgreSQL, for many machines."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import duckdb
from tenacity import Retrying, retry_if_exception_message, stop_after_delay, wait_random_exponential

from observatory.errors import StoreError, StoreUnreachableError
from observatory.store.engine.extensions import load
from observatory.store.engine.homes.local import LocalSession
from observatory.store.options import StoreOptions
from observatory.store.sql.literals import literal

LAKE = "lake"
SECRET = re.compile(r"(password\s*=\s*)('[^']*'|\S+)|(?<=:)([^:@/\s]+)(?=@)")
LOST = re.compile(r"connection to server|server closed the connection|terminating connection|no connection to")


class LakeHome:
    """A DuckLake that is attached to a DuckDB in memory; see `Home`.

    Parameters
    ----------
    url
        ``ducklake:postgres:…`` with libpq's connection string, or another catalogue DuckLake knows.
    options
        `data_path` names where the Parquet files are; the catalogue remembers it.

    Raises
    ------
    StoreExtensionError, StoreUnreachableError, StoreError
        Extensions are missing; the catalogue does not answer; anything else.
    """

    how = "a lake"
    path: Path | None = None
    tidies = False
    upkeep: tuple[str, ...] = (
        f"CALL ducklake_flush_inlined_data('{LAKE}')",  # small writes wait in the catalogue
        f"CALL ducklake_merge_adjacent_files('{LAKE}')",
        f"CALL ducklake_expire_snapshots('{LAKE}', older_than => now() - INTERVAL 1 DAY)",
        f"CALL ducklake_cleanup_old_files('{LAKE}', older_than => now() - INTERVAL 1 DAY)",
    )

    def __init__(self, url: str, options: StoreOptions) -> None:
        self.name = SECRET.sub(lambda match: f"{match[1] or ''}***", url)
        self.read_only = options.read_only
        self._connection = duckdb.connect(config=options.config())
        try:
            extensions = ["ducklake"]
            if url.startswith("ducklake:postgres:"):
                extensions.append("postgres_scanner")
            if options.s3 or (options.data_path or "").startswith("s3://"):
                extensions.append("httpfs")
            load(self._connection, *extensions)
            if options.s3:
                facts = ", ".join(f"{name.upper()} {literal(value)}" for name, value in options.s3)
                self._connection.execute(f"CREATE SECRET (TYPE s3, {facts})")
            how = ["READ_ONLY"] if options.read_only else []
            how += [f"DATA_PATH {literal(options.data_path)}"] if options.data_path else []
            self._attach(f"ATTACH {literal(url)} AS {LAKE}" + (f" ({', '.join(how)})" if how else ""), options.patience)
        except duckdb.Error as error:
            self._connection.close()
            raise self._explain(error, options) from None
        except BaseException:
            self._connection.close()
            raise

    def session(self) -> LocalSession:
        """See `Home.session`."""
        cursor = self._connection.cursor()
        cursor.execute(f"USE {LAKE}")
        return LocalSession(cursor)

    def is_lost(self, error: duckdb.Error) -> bool:
        """See `Home.is_lost`."""
        return LOST.search(str(error)) is not None

    def close(self) -> None:
        """See `Home.close`."""
        with contextlib.suppress(duckdb.Error):
            self._connection.close()

    def _attach(self, statement: str, patience: float) -> None:
        """Attach the lake; when several processes make its catalogue at once, one of them does and the others wait."""
        retrying = Retrying(
            retry=retry_if_exception_message(match=r"(?s).*(duplicate key value|already exists|could not serialize).*"),
            wait=wait_random_exponential(multiplier=0.05, max=1.0),
            stop=stop_after_delay(patience),
            reraise=True,
        )
        retrying(self._connection.execute, statement)

    def _explain(self, error: duckdb.Error, options: StoreOptions) -> StoreError:
        text = SECRET.sub(lambda match: f"{match[1] or ''}***", str(error)).split("\n")[0]
        if re.search(r"[Uu]nable to connect|connection to server", text):
            return StoreUnreachableError(
                f"store {self.name}: its catalogue cannot be reached ({text}): is PostgreSQL running, and is "
                "OBSERVATORY_STORE right?"
            )
        if "DATA_PATH" in text or "data path" in text:
            return StoreError(f"store {self.name}: {text}: set OBSERVATORY_STORE_DATA_PATH to where its files are")
        return StoreError(f"store {self.name} cannot be opened: {text}")
