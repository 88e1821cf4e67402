"""A DuckDB file that many processes use at once.

DuckDB lets one process open a file for writing. The first one owns it and serves it over Quack on loopback; the
others meet its lock, read its address beside the file and connect there. When the owner goes, the next one that
needs the file opens it.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import glob
import logging
import os
import re
import secrets
import socket
import threading
import time
import weakref
from pathlib import Path

import duckdb

from observatory.errors import StoreCorruptError, StoreError, StoreExtensionError, StoreInUseError
from observatory.private import make_private
from observatory.store.engine.homes.abandoned import TransactionWatchdog
from observatory.store.engine.homes.address import Address, read_address, remove_address, write_address
from observatory.store.engine.homes.base import MEMORY, Home
from observatory.store.engine.homes.local import LocalSession
from observatory.store.engine.homes.processes import is_stopped
from observatory.store.engine.homes.quack import QuackHome, serve, stop
from observatory.store.options import StoreOptions
from observatory.store.sql import builders, schema

log = logging.getLogger(__name__)

PAUSE = 0.05
PULSE = 2.0
INVALIDATED = "database has been invalidated"
HOLDER = re.compile(r"\(PID (\d+)[^)]*\)")


class OwnedFile:
    """A database this process has open, shared by all that ask for it here; see `Home`."""

    tidies = True
    upkeep: tuple[str, ...] = ()

    def __init__(self, url: str, options: StoreOptions, path: Path | None = None) -> None:
        self.name = url
        self.path = path
        self.read_only = options.read_only and path is not None
        self.how = "by this process, for reading only" if self.read_only else "by this process"
        self.users = 1
        self._pid = os.getpid()
        self._address: Address | None = None
        self._sessions: weakref.WeakSet[LocalSession] = weakref.WeakSet()
        self._released = threading.Event()
        if path is not None and not self.read_only:
            make_private(*files_of(path), *filter(None, [options.archive]))  # earlier versions left it to the umask
        self._connection = duckdb.connect(str(path or MEMORY), read_only=self.read_only, config=options.config())
        try:
            if not self.read_only:
                self._drop_orphans()
                if path is not None:
                    self._share(path, options)
        except BaseException:
            self._connection.close()
            raise

    def session(self) -> LocalSession:
        """See `Home.session`."""
        session = LocalSession(self._connection.cursor())
        self._sessions.add(session)
        return session

    @property
    def is_gone(self) -> bool:
        """Whether it was released, or belongs to the parent of this process."""
        return self._released.is_set() or os.getpid() != self._pid

    def is_lost(self, error: duckdb.Error) -> bool:
        """See `Home.is_lost`: what is open here stays, except in a forked child, and when DuckDB gave it up."""
        return self.is_gone or INVALIDATED in str(error)

    def close(self) -> None:
        """See `Home.close`; the file is released when the last one here closes it."""
        with _owned_lock:
            self.users -= 1
            if self.users == 0 or self._is_invalidated():
                self.release()

    def release(self) -> None:
        """Stop serving and let go of the file."""
        with _owned_lock:
            if _owned.get(self.path) is self:
                del _owned[self.path]
            if self.is_gone:
                return  # and a forked child must not touch its parent's database
            self._released.set()
            if self._address is not None and self.path is not None:
                remove_address(self.path, self._address)
                stop(self._connection, self._address.url)
            for session in list(self._sessions):
                session.close()  # those of other threads would keep the file open
            with contextlib.suppress(duckdb.Error):
                self._connection.close()

    def _share(self, path: Path, options: StoreOptions) -> None:
        token = options.token or secrets.token_urlsafe(32)
        try:
            self._address = Address(self._serve(options.port, token), token, os.getpid())
        except StoreExtensionError as error:
            self.how = f"by this process alone: {error}"
            log.info("%s", error)
            self._address = Address("", "", os.getpid(), str(error))
        except duckdb.Error as error:
            raise StoreError(
                f"store {self.name} cannot be served to other processes on port {options.port}: {error}"
            ) from None
        write_address(path, self._address)
        threading.Thread(target=self._watch, name="store owner", daemon=True).start()

    def _serve(self, port: int, token: str) -> str:
        for _ in range(0 if port else 4):  # somebody may take a free port before we do
            with contextlib.suppress(duckdb.Error):
                return serve(self._connection, _free_port(), token)
        return serve(self._connection, port or _free_port(), token)

    def _watch(self) -> None:
        """Let go of a file that DuckDB gave up on (its disk was full), also where this process only serves it.

        And of clients that were killed: serving anew ends their transactions, and the others connect again.
        """
        watchdog = TransactionWatchdog()
        while not self._released.wait(PULSE):
            if self._is_invalidated():
                log.warning("DuckDB gave up on store %s: it is opened anew", self.name)
                self.release()
            elif gone := self._abandoned(watchdog):
                log.warning("store %s: ending what %s left unfinished", self.name, ", ".join(gone))
                self._serve_anew()

    def _abandoned(self, watchdog: TransactionWatchdog) -> list[str]:
        if self._address is None or not self._address.url:
            return []
        with contextlib.suppress(duckdb.Error):  # it was just closed
            return watchdog.abandoned(self._connection.cursor(), time.monotonic())
        return []

    def _serve_anew(self) -> None:
        with _owned_lock:
            if self.is_gone or self._address is None:
                return
            stop(self._connection, self._address.url)
            try:
                serve(self._connection, int(self._address.url.rpartition(":")[2]), self._address.token)
            except duckdb.Error as error:
                log.warning("store %s cannot be served again, it is opened anew: %s", self.name, error)
                self.release()

    def _is_invalidated(self) -> bool:
        try:
            self._connection.cursor().execute("SELECT 1")
        except duckdb.Error as error:
            return INVALIDATED in str(error)
        return False

    def _drop_orphans(self) -> None:
        """Batches whose writers died while another process owned the file."""
        for (name,) in self._connection.execute(schema.STAGED).fetchall():
            self._connection.execute(builders.drop_table(name))
        if self.path is not None:
            for file in self.path.parent.glob(f"{glob.escape(self.path.name)}.{schema.STAGING}*"):
                file.unlink(missing_ok=True)


def files_of(path: Path) -> list[Path]:
    """What belongs to the store in a file: it, its write-ahead log, and its archive beside it."""
    return [path, *(path.with_name(path.name + ending) for ending in (".wal", ".address", ".archive", ".tmp"))]


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
    path = Path(url).resolve()
    _check_path(url, path)
    deadline = time.monotonic() + options.patience
    while True:
        home = _own(url, path, options)
        if not isinstance(home, str):
            return home
        address = read_address(path)
        if address is not None and is_stopped(address.pid):
            raise StoreInUseError(
                f"store {url} is served by PID {address.pid}, which is stopped (Ctrl-Z?): continue it with "
                f"`fg` or `kill -CONT {address.pid}`, or end it"
            )
        if address is not None and address.why:
            raise StoreExtensionError(
                f"store {url} is in use by another process ({home}) that cannot share it: {address.why}"
            )
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
                "name another file with OBSERVATORY_STORE, or set OBSERVATORY_STORE_READ_ONLY=true where both only read"
            )
        time.sleep(PAUSE)


def _own(url: str, path: Path, options: StoreOptions) -> OwnedFile | str:
    """Become the owner of a file; the holder of its lock where somebody else is."""
    with _owned_lock:
        owned = _owned.get(path)
        if owned is not None and not owned.is_gone:
            owned.users += 1
            return owned
        try:
            _owned[path] = OwnedFile(url, options, path)
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
            hint = "" if os.access(path, os.W_OK) else ": OBSERVATORY_STORE_READ_ONLY=true opens it for reading only"
            raise StoreError(f"store {url} cannot be opened: {text}{hint if path.exists() else ''}") from error


@atexit.register
def _release_all() -> None:
    """An owner that ends takes its address with it."""
    with _owned_lock:
        for home in list(_owned.values()):
            home.release()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _check_path(url: str, path: Path) -> None:
    if "?" in str(path):
        raise StoreError(f"store {url} cannot be made: DuckDB takes no question mark in a path")
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
