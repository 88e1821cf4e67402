"""What Bokeh and Panel are told of who is signed in: whom the gate let in, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bokeh.server.auth_provider import AuthProvider
from tornado.web import RequestHandler

from observatory.access.gate import VISITOR
from observatory.server.login import LOGIN, LOGOUT, LoginHandler, LogoutHandler


class GateAuth(AuthProvider):  # type: ignore[misc]
    """The login of the dashboard: ours, or one of Panel's, of which only the forms are used.

    Parameters
    ----------
    given
        What `panel serve` was told to use.
    """

    def __init__(self, given: AuthProvider | None) -> None:
        self.is_panels = given is not None and given.login_handler is not None
        """Whether Panel says who somebody is."""
        self._given = given if self.is_panels else None
        super().__init__()

    @property
    def get_user(self) -> Callable[[RequestHandler], str | None]:
        """Says who sent a request that the gate let through; pages ask the gate's visitor themselves."""
        return lambda handler: "visitor" if hasattr(handler.request, VISITOR) else None

    @property
    def get_user_async(self) -> None:
        """There is none."""
        return

    @property
    def login_url(self) -> Any:
        """Where one signs in."""
        return LOGIN if self._given is None else self._given.login_url

    @property
    def get_login_url(self) -> None:
        """There is none."""
        return

    @property
    def login_handler(self) -> Any:
        """What shows the form."""
        return LoginHandler if self._given is None else self._given.login_handler

    @property
    def logout_url(self) -> Any:
        """Where one signs out."""
        return LOGOUT if self._given is None else self._given.logout_url

    @property
    def logout_handler(self) -> Any:
        """What is shown to who has signed out."""
        return LogoutHandler if self._given is None else self._given.logout_handler
