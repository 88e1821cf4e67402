"""The tokens with which a page joins its session over a socket: made here, for one visitor, and by nobody else."""

from __future__ import annotations

import time

from bokeh.util.token import check_token_signature, get_token_payload
from tornado.web import RequestHandler

from observatory.errors import ForbiddenError

CHOICES = ("bokeh-session-id", "bokeh-token")
MALFORMED = (ValueError, KeyError, TypeError, AttributeError, AssertionError)
"""What Bokeh raises at tokens that nobody made."""


def refuse_chosen_session(handler: RequestHandler) -> None:
    """Refuse a link that names the session it leads to: whoever made it would look over one's shoulder.

    Raises
    ------
    ForbiddenError
    """
    if any(handler.get_arguments(name) for name in CHOICES) or "Bokeh-Session-Id" in handler.request.headers:
        raise ForbiddenError("the session of a page cannot be chosen: leave bokeh-session-id out of the address")


def refuse_foreign_token(handler: RequestHandler) -> None:
    """Refuse a socket without a token that was made here for the same visitor, not long ago.

    Raises
    ------
    ForbiddenError
    """
    protocol, _, token = handler.request.headers.get("Sec-WebSocket-Protocol", "").partition(",")
    key = handler.application.secret_key
    try:
        is_ours = protocol.strip() == "bokeh" and check_token_signature(token.strip(), secret_key=key, signed=True)
        expires = float(get_token_payload(token.strip())["session_expiry"]) if is_ours else 0.0
    except MALFORMED:
        is_ours = False
    if not is_ours:
        raise ForbiddenError("the token of the page is not one made for you here: load the page again")
    if time.time() >= expires:
        raise ForbiddenError("the page was opened too long ago: load it again")
