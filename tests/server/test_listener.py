"""A listening socket without a file left for one more connection."""

from __future__ import annotations

import errno
import logging
import socket

import pytest

from observatory.server.listener import Listener


def test_what_cannot_be_kept_is_closed_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    listener = Listener(socket.create_server(("127.0.0.1", 0)))
    at, accept, full = listener.getsockname(), socket.socket.accept, [True, False, True, False]

    def sometimes(self: socket.socket) -> object:
        if full.pop(0):
            raise OSError(errno.EMFILE, "Too many open files")
        return accept(self)

    monkeypatch.setattr(socket.socket, "accept", sometimes)
    with listener, caplog.at_level(logging.WARNING):
        for _ in range(2):
            with socket.create_connection(at, 30) as client:
                with pytest.raises(ConnectionAbortedError):
                    listener.accept()
                assert client.recv(1) == b""
        assert len(caplog.records) == 1
        full[:] = [False] * 2
        with socket.create_connection(at, 30), listener.accept()[0] as kept:
            assert kept.fileno() > 0
        with pytest.raises(BlockingIOError):
            listener.accept()
