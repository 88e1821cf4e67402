"""Mail, Teams, Telegram, ntfy and some 130 others, by the addresses of apprise (https://appriseit.com)."""

from __future__ import annotations

import hashlib
import logging
import threading
from collections import OrderedDict
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, SecretStr, model_validator

from observatory.errors import DeliveryError
from observatory.integrations import INTEGRATIONS
from observatory.integrations.apprise_reasons import failure, listening, secrets_of
from observatory.integrations.apprise_text import Format, text_for
from observatory.integrations.base import Destination, Options
from observatory.integrations.http import secret_of
from observatory.notifications.message import Message

if TYPE_CHECKING:  # it takes half a second to import, and is wanted only where it is set up
    from apprise import AppriseAttachment, NotifyBase

log = logging.getLogger(__name__)

PROGRAMS = frozenset({"json", "jsons", "xml", "xmls", "form", "forms"})
"""Schemes behind which no person reads, so that texts come without markup."""
SHOWN_BY_TEAMS = 8000
"""Characters; apprise would leave it at 1,000."""
REMEMBERED = 1000
"""Messages of which it is known whom they reached, where they did not reach all."""
PICTURE = "worst-metric.png"
LISTED = "https://appriseit.com/services/"
TYPES = {"critical": "failure", "high": "failure", "medium": "warning", "low": "info"}


class AppriseOptions(Options):
    """Addresses as apprise writes them, such as `mailtos://user:password@mail.example?to=oncall@mail.example`."""

    url: SecretStr | None = Field(None, description="Address of a service.")
    urls: tuple[SecretStr, ...] = Field((), description="Addresses, where there are several.")
    url_file: Path | None = Field(None, description="File with an address a line; read again for every message.")
    timeout: float = Field(10.0, gt=0, le=120, description="Longest wait for an answer [s].")
    picture: bool = Field(True, description="Whether a picture of the worst metric goes with it, where one is taken.")

    @model_validator(mode="after")
    def _addresses_are_understood(self) -> Self:
        given = [name for name in ("url", "urls", "url_file") if getattr(self, name)]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are set: keep one")
        if not given:
            raise ValueError("url, urls or url_file is missing: where is it told?")
        for number, address in enumerate(self.urls or ([self.url] if self.url else []), 1):
            try:
                service_at(address.get_secret_value(), self.timeout)
            except ValueError as error:
                raise ValueError(f"{given[0]}{f' number {number}' if self.urls else ''} {error}") from None
        return self


@INTEGRATIONS.register("apprise")
class Apprise(Destination[AppriseOptions]):
    """One message a transition, in the format that each service shows."""

    options = AppriseOptions

    def __init__(self, name: str, settings: AppriseOptions) -> None:
        super().__init__(name, settings)
        self._reached: OrderedDict[str, set[object]] = OrderedDict()
        self._pictureless: set[str] = set()
        self._lock = threading.Lock()

    @property
    def takes_picture(self) -> bool:
        """See `Destination.takes_picture`."""
        if not self.settings.picture:
            return False
        try:
            return any(service_at(one, self.settings.timeout).attachment_support for one in self._addresses())
        except (DeliveryError, ValueError):
            return False  # `send` says what is wrong

    @property
    def where(self) -> str:
        """The services and their hosts, for all else may be a secret."""
        try:
            return ", ".join(_name(service_at(address, self.settings.timeout)) for address in self._addresses())
        except (DeliveryError, ValueError):
            return f"the addresses in {self.settings.url_file}"

    def send(self, message: Message) -> None:
        """See `Destination.send`; a receiver that had the message in an attempt before is left out."""
        failures = []
        with self._lock:
            reached = self._reached.setdefault(message.key, set())
            for address in self._addresses():
                try:
                    self._tell(address, message, reached)
                except DeliveryError as error:
                    failures.append(error)
            if not failures:
                del self._reached[message.key]
            while len(self._reached) > REMEMBERED:
                self._reached.popitem(last=False)
        if failures:
            waits = [error.wait for error in failures if error.wait is not None]
            raise DeliveryError(
                "; ".join(str(error) for error in failures),
                wait=max(waits, default=None),
                is_final=all(error.is_final for error in failures),
            )

    def _addresses(self) -> Iterator[str]:
        if self.settings.url_file is None:
            for address in self.settings.urls or ((self.settings.url,) if self.settings.url else ()):
                yield address.get_secret_value()
            return
        lines = [line.strip() for line in secret_of(None, self.settings.url_file, "url_file").splitlines()]
        addresses = [line for line in lines if line and not line.startswith("#")]
        if not addresses:
            raise DeliveryError(f"the file {str(self.settings.url_file)!r} holds no address")
        yield from addresses

    def _tell(self, address: str, message: Message, reached: set[object]) -> None:
        try:
            service = service_at(address, self.settings.timeout)
        except ValueError as error:
            raise DeliveryError(f"an address in the file {str(self.settings.url_file)!r} {error}") from None
        place = hashlib.sha256(address.encode()).hexdigest()
        if place in reached:
            return
        _leave_out(service, place, reached)
        _thread(service, message)
        where = _name(service)
        secrets = secrets_of(address, _shown(service))
        plain = (place, "without a picture")
        if message.picture is None or not service.attachment_support or {plain, place} & {*reached, *self._pictureless}:
            self._call(service, message, where, secrets)
            reached.add(place)
            return
        reached.add(plain)  # the next attempt is without: a picture must not stand in a message's way
        try:
            self._call(service, message, where, secrets, message.picture)
        except DeliveryError as error:
            if not error.is_final:
                raise
            log.warning("%s: told without a picture, for with one %s", self.name, error)
            self._pictureless.add(place)
            self._call(service, message, where, secrets)
        reached.add(place)

    def _call(
        self,
        service: NotifyBase,
        message: Message,
        where: str,
        secrets: Collection[str],
        picture: bytes | None = None,
    ) -> None:
        form = _format(service)
        text = text_for(message, form, service.body_maxlen, service.title_maxlen)
        body = _page(text.body, picture is not None) if _is_mail(service) and form == "html" else text.body
        with listening() as records:
            try:
                told = service.notify(
                    body=body,
                    title=text.title,
                    notify_type="success" if message.is_over else TYPES[str(message.severity)],
                    body_format="html" if form == "markdown" else form,
                    attach=None if picture is None else _attached(picture),
                )
            except Exception as error:  # noqa: BLE001 - plugins raise what their libraries do, with the address in it
                raise DeliveryError(f"{where} was not told: {type(error).__name__}") from None
        if not told:
            raise failure(records, where, self.settings.timeout, secrets)


def service_at(address: str, timeout: float) -> NotifyBase:
    """The service of an apprise address, held to what all destinations do.

    It checks certificates, follows no redirect, waits and repeats nothing by itself, keeps nothing on the disk, and
    has nobody load a picture from elsewhere.

    Parameters
    ----------
    address
        Such as ``ntfys://ntfy.example/topic``.
    timeout
        Longest wait for an answer [s].

    Raises
    ------
    ValueError
        The address is none. The message does not repeat it.
    """
    with listening():  # it logs from its import on
        import apprise
        from apprise.plugins import N_MGR

        asset = apprise.AppriseAsset(
            app_id="CloudWatch Observatory",
            app_desc="CloudWatch Observatory",
            app_url="",
            image_url_mask="",
            image_url_logo="",
            http_redirects=False,
            storage_mode=apprise.PersistentStoreMode.MEMORY,
            pgp_autogen=False,
            pem_autogen=False,
            interpret_emojis=False,
            allow_templates=False,
        )
        service = apprise.Apprise.instantiate(address, asset=asset)
    scheme = address.partition("://")[0].lower()
    if service is None:
        plugin = N_MGR[scheme] if scheme in N_MGR else None  # noqa: SIM401 - it has no get
        if plugin is None:
            raise ValueError(f"is no address that apprise knows, such as mailtos:// or ntfys://: see {LISTED}")
        if not plugin.enabled:
            needs = plugin.requirements.get("packages_required") or "another package"
            raise ValueError(f"begins with {scheme}://, which needs a package that is not installed: {needs}")
        raise ValueError(f"begins with {scheme}://, but the rest is not as it must be: see {plugin.setup_url}")
    if not service.verify_certificate:
        raise ValueError(
            "has verify=no: certificates are always checked. Name your own authority in the server's environment, "
            "as SSL_CERT_FILE for mail and as REQUESTS_CA_BUNDLE for the others"
        )
    service.redirects = False
    service.retry = 0
    service.request_rate_per_sec = 0  # `rate` of the destination sees to it
    service.socket_connect_timeout = service.socket_read_timeout = timeout
    service.overflow_mode = apprise.OverflowMode.TRUNCATE
    if _is_mail(service):
        vars(service)["inline"] = True  # the picture stands in the mail, not beside it
    if service.schema.startswith("workflow"):
        service.body_maxlen = SHOWN_BY_TEAMS
    return service


def _format(service: NotifyBase) -> Format:
    asked = "text" if service.schema in PROGRAMS else "html"
    form = str(service.resolve_format(asked).value)
    return "html" if form == "html" else "text" if form == "text" else "markdown"


def _leave_out(service: NotifyBase, place: str, reached: set[object]) -> None:
    """Have a service with several receivers leave out those that had the message."""

    def slot(key: object, per_message: bool) -> tuple[str, str, bool]:
        return place, repr(key), per_message

    def mark(key: object, per_message: bool = False) -> None:
        reached.add(slot(key, per_message))

    def is_marked(key: object, per_message: bool = False) -> bool:
        return slot(key, per_message) in reached

    more: dict[str, Any] = {"mark_delivered": mark, "is_delivered": is_marked}
    for name, method in more.items():
        setattr(service, name, method)


def _thread(service: NotifyBase, message: Message) -> None:
    """Have programs for mail show all of an incident together, and nobody's absence be answered."""
    headers = getattr(service, "headers", None)
    if not _is_mail(service) or not isinstance(headers, dict):
        return
    more = {"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All", "X-Observatory-Key": message.key}
    if message.incident is not None:
        root = f"<incident-{message.incident.id}@cloudwatch-observatory>"
        more |= {"References": root, "In-Reply-To": root}
    headers.update({name: value for name, value in more.items() if name not in headers})


def _is_mail(service: NotifyBase) -> bool:
    return str(service.schema).startswith("mailto")


def _page(body: str, has_picture: bool) -> str:
    """The HTML of a mail: filters take what has no such frame for spam."""
    image = f'\n<p><img src="cid:{PICTURE}" alt="Course of the worst metric"></p>' if has_picture else ""
    return f"<html><body>\n{body}{image}\n</body></html>"


def _attached(picture: bytes) -> AppriseAttachment:
    from apprise import AppriseAttachment
    from apprise.attachment.memory import AttachMemory

    make: type[Any] = AttachMemory
    return AppriseAttachment(make(content=picture, name=PICTURE, mimetype="image/png"))


def _host(service: NotifyBase) -> str:
    """Its host where that is none of the parts that some services keep secret."""
    if "host" not in type(service).template_tokens:
        return ""
    return str(getattr(service, "smtp_host", "") or service.host or "")


def _name(service: NotifyBase) -> str:
    host = _host(service)
    return f"{service.service_name} at {host}" if host else str(service.service_name)


def _shown(service: NotifyBase) -> Iterator[str]:
    """What of an address people may see: hosts, and who gets mail."""
    yield _host(service)
    if _is_mail(service):
        for _, address in getattr(service, "targets", ()):
            yield address
