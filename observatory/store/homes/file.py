"""A DuckDB file that many processes use at once.

DuckDB lets one process open a file for writing. The first one owns it and serves it over Quack on loopback; the
others meet its lock, read its address beside the file and connect there. When the owner goes, the next one that
needs the file opens it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import logging
import os
import re
import secrets
import socket
import threading
import time
from pathlib import Path

import duckdb

from observatory.errors import StoreCorruptError, StoreError, StoreExtensionError, StoreInUseError
from observatory.store import queries
from observatory.store.homes import MEMORY, Home
from observatory.store.homes.address import Address, read_address, remove_address, write_address
from observatory.store.homes.local import LocalSession
from observatory.store.homes.quack import QuackHome, serve, stop
from observatory.store.options import StoreOptions

log = logging.getLogger(__name__)

PAUSE = 0.05
HOLDER = re.compile(r"\(PID (\d+)[^)]*\)")


class OwnedFile:
    """A database this process has open, shared by all that ask for it here; see `Home`."""

    tidies = True
    upkeep: tuple[str, ...] = ()

    def __init__(self, url: str, options: StoreOptions) -> None:
        self.name = url
        self.how = "by this process"
        self.users = 1
        self._pid = os.getpid()
        self.path = None if url == MEMORY else Path(url).absolute()
        self._address: Address | None = None
        self._connection = duckdb.connect(url, config=options.config())
        try:
            self._drop_orphans()
            if self.path is not None:
                self._share(self.path, options)
        except BaseException:
            self._connection.close()
            raise

    def session(self) -> LocalSession:
        """See `Home.session`."""
        return LocalSession(self._connection.cursor())

    def is_lost(self, error: duckdb.Error) -> bool:
        """See `Home.is_lost`: what is open here stays, except in a forked child."""
        return os.getpid() != self._pid

    def close(self) -> None:
        """See `Home.close`; the file is left when the last one here lets go of it."""
        with _owned_lock:
            self.users -= 1
            if self.users == 0:
                if _owned.get(self.path) is self:
                    del _owned[self.path]
                self.leave()

    def leave(self) -> None:
        """Stop serving and let go of the file."""
        if os.getpid() != self._pid:
            return  # a forked child must not touch its parent's database
        if self._address is not None and self.path is not None:
            remove_address(self.path, self._address)
            stop(self._connection, self._address.url)
        with contextlib.suppress(duckdb.Error):
            self._connection.close()

    def _share(self, path: Path, options: StoreOptions) -> None:
        token = options.token or secrets.token_urlsafe(32)
        try:
            url = serve(self._connection, options.port or _free_port(), token)
        except StoreExtensionError as error:
            self.how = f"by this process alone: {error}"
            log.info("%s", error)
            return
        except duckdb.Error as error:
            raise StoreError(
                f"store {self.name} cannot be served to other processes on port {options.port}: {error}"
            ) from None
        self._address = Address(url, token, os.getpid())
        write_address(path, self._address)

    def _drop_orphans(self) -> None:
        """Batches whose writers died while another process owned the file."""
        for (name,) in self._connection.execute(queries.STAGED).fetchall():
            self._connection.execute(queries.drop_table(name))


_owned: dict[Path | None, OwnedFile] = {}
_owned_lock = threading.RLock()


def open_file(url: str, options: StoreOptions) -> Home:
    """Open a file, or connect to the process that has it open.

    Raises
    ------
    StoreInUseError
        Another program has it open and does not serve it.
    StoreCorruptError, StoreError
        It is no database; it cannot be made.
    """
    if url == MEMORY:
        return OwnedFile(url, options)
    path = Path(url).absolute()
    _check_path(url, path)
    deadline = time.monotonic() + options.patience
    while True:
        home = _own(url, path, options)
        if not isinstance(home, str):
            return home
        address = read_address(path)
        if address is not None:
            try:
                return QuackHome(address.url, address.token, options, url, path)
            except duckdb.Error as error:
                log.debug("the owner of %s does not answer: %s", url, error)
            except StoreExtensionError as error:
                raise StoreExtensionError(f"store {url} is in use by another process ({home}), and {error}") from None
        if time.monotonic() > deadline:
            raise StoreInUseError(
                f"store {url} is in use by another process ({home}) that does not share it: stop that process, "
                "or name another file with OBSERVATORY_STORE"
            )
        time.sleep(PAUSE)


def _own(url: str, path: Path, options: StoreOptions) -> OwnedFile | str:
    """Become the owner of a file; the holder of its lock where somebody else is."""
    with _owned_lock:
        owned = _owned.get(path)
        if owned is not None and not owned.is_lost(duckdb.Error()):
            owned.users += 1
            return owned
        try:
            _owned[path] = OwnedFile(url, options)
            return _owned[path]
        except duckdb.Error as error:
            text = str(error)
            if "Could not set lock" in text:
                holder = HOLDER.search(text)
                return f"PID {holder[1]}" if holder else "unknown"
            if "not a valid DuckDB database file" in text or isinstance(error, duckdb.SerializationException):
                raise StoreCorruptError(
                    f"store {url} is not a DuckDB database: name another file with OBSERVATORY_STORE, "
                    "or move this one away to start afresh"
                ) from None
            if "Corrupt database file" in text:
                raise StoreCorruptError(
                    f"store {url} is damaged ({text.splitlines()[0]}): restore a backup (`observatory store restore`), "
                    "or move the file away to start afresh"
                ) from None
            raise StoreError(f"store {url} cannot be opened: {text}") from error


@atexit.register
def _leave_all() -> None:
    """An owner that ends takes its address with it."""
    with _owned_lock:
        for home in _owned.values():
            home.leave()
        _owned.clear()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _check_path(url: str, path: Path) -> None:
    if path.is_dir():
        raise StoreError(f"store {url} is a folder: name a file in it with OBSERVATORY_STORE")
    if not path.parent.is_dir():
        raise StoreError(f"store {url} cannot be made: there is no folder {path.parent}")
    if path.is_file() and path.stat().st_size == 0:
        _remove_empty(path)


def _remove_empty(path: Path) -> None:
    """DuckDB refuses the empty file that mktemp makes; but one that is being created is locked, and stays."""
    with path.open("r+b") as file, contextlib.suppress(OSError):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(file.fileno()).st_size == 0:
            path.unlink()
