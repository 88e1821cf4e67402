"""Every error the workbench raises on purpose, under one base class.

::

    ObservatoryError
    ├── ConfigError                    a setting is missing, malformed or contradicts another
    ├── InvalidInputError              a value given by a user cannot be used
    ├── NotFoundError                  something asked for by name does not exist
    │   ├── UnknownServiceError
    │   └── UnknownPluginError
    ├── ConflictError                  what is there already stands against it
    ├── NotSignedInError               nobody can tell who asks
    ├── ForbiddenError                 they may not do this
    │   └── MisdirectedError           under the name of another server
    ├── TooManyRequestsError           they ask too often
    ├── NotEnoughDataError             a model needs more samples
    ├── SourceError                    a metrics source did not deliver
    │   ├── SourceRefusedError         it said no
    │   │   ├── AccessDeniedError      to whoever asks: another log-in is needed
    │   │   ├── QueryRefusedError      to this query
    │   │   │   ├── UnsupportedQueryError   which has a function or syntax it does not know
    │   │   │   └── QueryLimitError    which asks for more than it allows at once
    │   │   │       └── QueryTooLongError   in its text
    │   │   └── SourceBusyError        for now
    │   ├── SourceUnreachableError
    │   ├── SourceTimeoutError
    │   └── MalformedAnswerError
    │       └── AnswerTooLargeError
    ├── DeliveryError                  a message was not taken by whom it was for
    └── StoreError                     the store cannot be opened, read or written
        ├── StoreInUseError
        ├── StoreCorruptError
        ├── StoreTooNewError
        ├── StoreUnreachableError
        └── StoreExtensionError

A message names the thing, the value and the way out, so that it can be shown to a user as it is.
Third-party errors are translated into these at the edge: source, store, settings.
"""

from __future__ import annotations

from observatory.suggest import did_you_mean


class ObservatoryError(Exception):
    """Base class: catch this to catch everything the workbench raises on purpose."""


class ConfigError(ObservatoryError):
    """A setting is missing, malformed or contradicts another."""


class InvalidInputError(ObservatoryError):
    """A value given by a user (a time, a limit, a metric name) cannot be used."""


class NotFoundError(ObservatoryError):
    """Something asked for by name does not exist."""


class UnknownServiceError(NotFoundError):
    """A service nobody registered or discovered."""

    def __init__(self, service: str, known: list[str] | None = None) -> None:
        otherwise = (
            "there are none yet: run `observatory collect`"
            if known == []
            else "list them with `observatory services list`"
        )
        hint = did_you_mean(service, known or [], otherwise, most=3)
        super().__init__(f"unknown service {service!r}: {hint}")
        self.service = service


class ConflictError(ObservatoryError):
    """What is there already stands against what was asked for; the message says how it can be done."""


class NotSignedInError(ObservatoryError):
    """Nobody can tell who asks: no key or token, or one that is not accepted."""


class ForbiddenError(ObservatoryError):
    """Whoever asks is known, and may not do this."""


class MisdirectedError(ForbiddenError):
    """The request names another server: a foreign name was made to point here."""


class TooManyRequestsError(ObservatoryError):
    """Somebody asks too often; `retry_after` [s] is when they may again."""

    def __init__(self, message: str, retry_after: int) -> None:
        super().__init__(f"{message}: try again in {retry_after} s")
        self.retry_after = retry_after


class UnknownPluginError(NotFoundError):
    """No plug-in of that name is registered."""


class NotEnoughDataError(ObservatoryError):
    """A model needs more samples than it was given."""

    def __init__(self, samples: int, needed: int, what: str = "the detector") -> None:
        super().__init__(f"{what} is learning: {samples} of {needed} samples so far")
        self.samples = samples
        self.needed = needed


class SourceError(ObservatoryError):
    """A metrics source did not deliver."""


class SourceRefusedError(SourceError):
    """The source answered, and said no (bad query, no permission, not ready)."""


class AccessDeniedError(SourceRefusedError):
    """The source wants another log-in, or does not allow this to whoever asks."""


class QueryRefusedError(SourceRefusedError):
    """The source cannot parse or execute this query; others may be fine."""


class UnsupportedQueryError(QueryRefusedError):
    """The source does not know a function or the syntax of this query, and will not know it a minute later either."""


class QueryLimitError(QueryRefusedError):
    """The query asks for more than the source allows at once; for a shorter range it may pass."""


class QueryTooLongError(QueryLimitError):
    """The text of the query is longer than the source takes, whatever the range."""


class SourceBusyError(SourceRefusedError):
    """The source refused for now; `wait` is how long it asked to be left alone [s], if longer than a retry would."""

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class SourceUnreachableError(SourceError):
    """The source cannot be reached at its address."""


class SourceTimeoutError(SourceError):
    """The source did not answer in time."""


class MalformedAnswerError(SourceError):
    """The source answered with something that is not what its interface promises."""


class AnswerTooLargeError(MalformedAnswerError):
    """The answer is larger than the settings allow; that of a shorter range may be small enough."""


class DeliveryError(ObservatoryError):
    """A message was not taken by whom it was for.

    `wait` is how long the receiver asked to be left alone [s]; `is_final` tells whether trying again is of no use.
    """

    def __init__(self, message: str, *, wait: float | None = None, is_final: bool = False) -> None:
        super().__init__(message)
        self.wait = wait
        self.is_final = is_final


class StoreError(ObservatoryError):
    """The store cannot be opened, read or written."""


class StoreInUseError(StoreError):
    """Another process holds the store's file."""


class StoreCorruptError(StoreError):
    """The store's file is not a database this program can read."""


class StoreTooNewError(StoreError):
    """The store was written by a newer version of the program."""


class StoreUnreachableError(StoreError):
    """The server or the catalogue of a store does not answer."""


class StoreExtensionError(StoreError):
    """An extension of DuckDB that the store needs is not installed."""
