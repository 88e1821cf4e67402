"""How often somebody may ask: counted in memory, or in Redis where several servers count together."""

from __future__ import annotations

import hashlib
import logging
import math
import time
from dataclasses import dataclass

from limits import RateLimitItem, parse_many
from limits.errors import ConfigurationError
from limits.storage import storage_from_string
from limits.strategies import SlidingWindowCounterRateLimiter

from observatory.access.addresses import block_of
from observatory.config import Settings
from observatory.errors import ConfigError, TooManyRequestsError

log = logging.getLogger(__name__)

MEMORY = "memory://"
OPTIONS = {"socket_timeout": 1, "socket_connect_timeout": 1}
QUIET = 60.0
"""Time between complaints about a counter that cannot be reached [s]."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit: `remaining` of `limit` requests, all again after `reset` seconds."""

    limit: int
    remaining: int
    reset: int


class Limiter:
    """Limits of callers and addresses, as the settings say. Where Redis cannot be reached, this process counts alone.

    Raises
    ------
    ConfigError
        A limit, or the place to count in, cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.requests = _limits("rate_limit", settings.rate_limit)
        self.failures = _limits("sign_in_limit", settings.sign_in_limit)
        self._alone = SlidingWindowCounterRateLimiter(storage_from_string(MEMORY))
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._errors: tuple[type[Exception], ...] = ()
        self._complained = -math.inf
        address = settings.limits_store.get_secret_value()
        if address != MEMORY:
            try:
                storage = storage_from_string(address, **OPTIONS)
                self._shared = SlidingWindowCounterRateLimiter(storage)
                found = storage.base_exceptions
                self._errors = found if isinstance(found, tuple) else (found,)
            except (ConfigurationError, ValueError) as error:
                scheme = address.partition(":")[0]
                raise ConfigError(f"setting limits_store = {scheme}:…: {str(error).replace(address, '…')}") from None
            except ImportError:
                raise ConfigError(
                    "setting limits_store: Redis needs `pip install 'cloudwatch-observatory[redis]'`"
                ) from None

    def hit(self, *who: str) -> Allowance:
        """Count a request of `who`; returns the tightest limit that is left. Raises TooManyRequestsError."""
        return min((self._hit(item, who) for item in self.requests), key=lambda found: found.remaining)

    def failed(self, address: str, user: str = "") -> None:
        """Count a sign-in from `address` that failed, of `user` where there was a name.

        Raises
        ------
        TooManyRequestsError
            Too many did; so only who fails again is told to wait.
        """
        for item in self.failures:
            if not self._count(item, _sign_in(address, user)):
                self._refuse(item, address, user)

    def may_sign_in(self, address: str, user: str) -> None:
        """Raise TooManyRequestsError where too many sign-ins of `user` from `address` failed.

        For passwords, which can be guessed: they are not even looked at then. Others at that address are let in.
        """
        for item in self.failures:
            if self._left(item, _sign_in(address, user)).remaining <= 0:
                self._refuse(item, address, user)

    def _refuse(self, item: RateLimitItem, address: str, user: str) -> None:
        reset = self._left(item, _sign_in(address, user)).reset
        whose = "of this user from your address" if user else "from your address"
        raise TooManyRequestsError(f"too many sign-ins {whose} failed", reset)

    def _hit(self, item: RateLimitItem, who: tuple[str, ...]) -> Allowance:
        if not self._count(item, who):
            left = self._left(item, who)
            raise TooManyRequestsError(f"more than {item}", left.reset)
        return self._left(item, who)

    def _count(self, item: RateLimitItem, who: tuple[str, ...]) -> bool:
        if self._shared is not None:
            try:
                return self._shared.hit(item, *who)
            except self._errors as error:  # requests go on
                self._complain(error)
        return self._alone.hit(item, *who)

    def _left(self, item: RateLimitItem, who: tuple[str, ...]) -> Allowance:
        window = self._alone.get_window_stats(item, *who)
        if self._shared is not None:
            try:
                window = self._shared.get_window_stats(item, *who)
            except self._errors as error:
                self._complain(error)
        return Allowance(item.amount, window.remaining, max(1, math.ceil(window.reset_time - time.time())))

    def _complain(self, error: Exception) -> None:
        if time.monotonic() - self._complained > QUIET:
            self._complained = time.monotonic()
            log.warning("limits are counted by this process alone: %s", type(error).__name__)


def _sign_in(address: str, user: str) -> tuple[str, ...]:
    """What is counted; a name may be of any length and letters."""
    return ("sign-in", block_of(address), hashlib.sha256(user.encode("utf-8", "replace")).hexdigest()[:16])


def _limits(name: str, text: str) -> list[RateLimitItem]:
    try:
        return parse_many(text)
    except ValueError:
        raise ConfigError(
            f"setting {name} = {text!r}: give limits such as 1200/minute, or 20/second; 600/minute"
        ) from None
