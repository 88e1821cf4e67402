"""Whether a set-up is safe where it stands, and what to change: ``observatory doctor --security``."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from observatory.config import Settings
from observatory.config.location import config_file
from observatory.config.login_file import read_entries, weaknesses
from observatory.config.loopback import is_loopback
from observatory.errors import ConfigError, ObservatoryError
from observatory.private import exposed
from observatory.runtime.doctor import Finding, Level
from observatory.runtime.served import look_at_server
from observatory.store.engine.homes.file import files_of
from observatory.store.opening import store_of
from observatory.store.tables.keys import StoredKey

EXPIRES_SOON = timedelta(days=30)
UNUSED = timedelta(days=90)
WIDEST = {4: 8, 6: 16}
"""Networks of trusted proxies with shorter prefixes are no networks of proxies."""
NEW_KEY = "`observatory keys create NAME --role admin`"


def examine_security(settings: Settings, now: datetime) -> Iterator[Finding]:
    """Look at what the settings allow, who may sign in, what others on this machine may read, and what is served."""
    files = list(_files(settings))  # before the store is opened, which closes its files to others
    keys, error = _keys(settings)
    if error:
        yield Finding(Level.BROKEN, "keys", error, "see `observatory doctor`")
    yield from _binding(settings)
    yield from _sign_in(settings, [key for key in keys if key.revoked_at is None])
    yield from _key_ages([key for key in keys if _is_valid(key, now)], now)
    yield from _proxies(settings)
    yield from _certificate(settings, now)
    yield from files
    yield from _sources(settings)
    yield from look_at_server(settings, is_open=not keys and not _other_ways(settings))
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        yield Finding(
            Level.WARNING, "user", "this runs as root", "make a user of its own for it: a fault is then no fault of all"
        )


def _other_ways(settings: Settings) -> list[str]:
    """Ways to sign in beside API keys."""
    return [
        name
        for name, is_set in (
            (f"login = {settings.login}", settings.login),
            ("JSON Web Tokens", settings.jwt_secret or settings.jwt_jwks),
        )
        if is_set
    ]


def _keys(settings: Settings) -> tuple[list[StoredKey], str]:
    path = None if ":" in settings.store else Path(settings.store)
    if path is not None and not path.exists():
        return [], ""
    try:
        with store_of(settings) as store:
            return store.keys.all(), ""
    except ObservatoryError as error:
        return [], str(error)


def _is_valid(key: StoredKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or key.expires_at > now)


def _binding(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host}:{settings.port}"
    if settings.is_loopback:
        proxied = ", and from outside through a trusted proxy" if settings.trusted_proxies else ""
        yield Finding(Level.OK, "binding", f"{where}: reached from this machine{proxied}")
    elif settings.tls_cert is not None:
        yield Finding(Level.OK, "binding", f"{where}: reached by other machines, over HTTPS")
    elif settings.trusted_proxies:
        yield Finding(
            Level.WARNING,
            "binding",
            f"{where}: reached past the proxy too, without HTTPS",
            "bind 127.0.0.1 where the proxy is on this machine, or let a firewall pass the proxy only",
        )
    else:
        yield Finding(
            Level.BROKEN,
            "binding",
            f"{where}: keys, passwords and cookies go over the network unencrypted",
            "set OBSERVATORY_TLS_CERT and OBSERVATORY_TLS_KEY, or put a proxy with HTTPS in front and bind 127.0.0.1",
        )


def _sign_in(settings: Settings, keys: list[StoredKey]) -> Iterator[Finding]:
    ways = [f"{len(keys)} API keys"] * bool(keys) + _other_ways(settings)
    if ways:
        yield Finding(Level.OK, "sign-in", f"asked for: {', '.join(ways)}")
    elif settings.auth == "required":
        yield Finding(Level.WARNING, "sign-in", "asked for, and nobody can", f"make a key: {NEW_KEY}")
    elif settings.is_loopback and not settings.trusted_proxies:
        yield Finding(
            Level.WARNING,
            "sign-in",
            "not asked for: whoever is on this machine may read and change everything",
            f"make a key: {NEW_KEY}, or set OBSERVATORY_AUTH=required",
        )
    else:
        yield Finding(Level.BROKEN, "sign-in", "not asked for, and others reach the server", f"make a key: {NEW_KEY}")
    if settings.login_role in ("operator", "admin"):
        yield Finding(
            Level.WARNING,
            "sign-in",
            f"whoever signs in is {settings.login_role} of all services",
            "set OBSERVATORY_LOGIN_ROLE=viewer, and name those who may do more in [users]",
        )
    if settings.login_file is not None:
        try:
            for what, todo in weaknesses(settings.login_file, read_entries(settings.login_file)):
                yield Finding(Level.WARNING, "login file", f"{settings.login_file}: {what}", todo)
        except ConfigError as error:
            yield Finding(Level.BROKEN, "login file", str(error), "write it anew, or name another")


def _key_ages(keys: list[StoredKey], now: datetime) -> Iterator[Finding]:
    for_ever = [key.name for key in keys if key.expires_at is None and key.role != "viewer"]
    if for_ever:
        yield Finding(
            Level.WARNING,
            "keys",
            f"may write and never expire: {', '.join(for_ever[:5])}",
            "make others with --expires 90d, and revoke these",
        )
    idle = [key.name for key in keys if now - (key.last_used_at or key.created_at) > UNUSED]
    if idle:
        yield Finding(
            Level.WARNING,
            "keys",
            f"not used for {UNUSED.days} days: {', '.join(idle[:5])}",
            f"`observatory keys revoke {idle[0]}`",
        )
    if keys and not for_ever and not idle:
        yield Finding(Level.OK, "keys", f"{len(keys)} valid, each used lately and with an end")


def _proxies(settings: Settings) -> Iterator[Finding]:
    for text in settings.trusted_proxies:
        network = ipaddress.ip_network(text)
        if network.prefixlen < WIDEST[network.version]:
            yield Finding(
                Level.BROKEN,
                "proxies",
                f"trusted_proxies = {text}: whoever sends X-Forwarded-For may pretend to be anybody",
                "name the addresses of your proxies only",
            )
    if settings.trusted_proxies and not settings.hosts:
        yield Finding(Level.WARNING, "proxies", "no public name is set", "set OBSERVATORY_HOSTS to the name people use")
    for origin in settings.cors_origins:
        if origin.startswith("http://") and not is_loopback(origin.removeprefix("http://").partition(":")[0]):
            yield Finding(
                Level.WARNING, "other sites", f"cors_origins has {origin}: anybody on its way may change that page",
                "allow its https:// address only",
            )  # fmt: skip


def _certificate(settings: Settings, now: datetime) -> Iterator[Finding]:
    if settings.tls_cert is None or settings.tls_key is None:
        return
    try:
        certificate = x509.load_pem_x509_certificate(settings.tls_cert.read_bytes())
        key = load_pem_private_key(settings.tls_key.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        yield Finding(Level.BROKEN, "certificate", f"it or its key cannot be read: {error}", "give both as PEM")
        return
    public = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    ends = certificate.not_valid_after_utc
    if key.public_key().public_bytes(*public) != certificate.public_key().public_bytes(*public):
        yield Finding(Level.BROKEN, "certificate", "the key is another one's", "set tls_key to the certificate's own")
    elif ends < now:
        yield Finding(Level.BROKEN, "certificate", f"expired on {ends:%Y-%m-%d}", "renew it")
    elif ends - now < EXPIRES_SOON:
        yield Finding(
            Level.WARNING, "certificate", f"expires on {ends:%Y-%m-%d}", "renew it, and start the server anew"
        )
    else:
        yield Finding(Level.OK, "certificate", f"fits its key, until {ends:%Y-%m-%d}")


def _files(settings: Settings) -> Iterator[Finding]:
    """What others on this machine may read or write."""
    store = [] if ":" in settings.store else files_of(Path(settings.store))
    named: dict[str, list[Path | None]] = {
        "store": [*store],
        "runs": [settings.runs],
        "audit file": [settings.audit_file],
        "settings file": [config_file()],
        "key of TLS": [settings.tls_key],
        "login file": [settings.login_file],
    }
    fine = []
    for what, places in named.items():
        there = [place for place in places if place is not None and place.exists()]
        open_to_others = exposed(*there)
        if open_to_others:
            first, more = open_to_others[0], len(open_to_others) - 1
            yield Finding(
                Level.BROKEN,
                "files",
                f"{what}: others may read or write {first}{f' and {more} more' if more else ''}",
                f"run `chmod -R go= {there[0]}`",
            )
        elif there:
            fine.append(what)
    if fine:
        yield Finding(Level.OK, "files", f"for their owner alone: {', '.join(fine)}")
    folder = Path(settings.store).resolve().parent if store else None
    mode = folder.stat().st_mode if folder is not None and folder.is_dir() else 0
    if mode & 0o022 and not mode & 0o1000:  # in a sticky folder such as /tmp only owners replace their files
        yield Finding(
            Level.BROKEN,
            "files",
            f"others may replace files in {folder}",
            f"run `chmod go-w {folder}`",
        )


def _sources(settings: Settings) -> Iterator[Finding]:
    for name, source in settings.prometheus_servers.items():
        what, host = f"source {name}", source.url.host or ""
        secrets = source.token, source.token_file, source.password, source.url.password, source.cert_file
        has_login = any(secrets) or source.google or source.aws_region is not None
        if not source.verify:
            yield Finding(
                Level.BROKEN, what, "its certificate is not checked", "name its authority (ca_file), verify = true"
            )
        if source.url.scheme == "http" and not is_loopback(host):
            secret = "its log-in" if has_login else "all metrics"
            level = Level.BROKEN if has_login else Level.WARNING
            yield Finding(level, what, f"{secret} goes over the network unencrypted", "use https:// in its address")
        if not has_login and not is_loopback(host):
            yield Finding(
                Level.WARNING,
                what,
                "it is asked without a log-in: so may anybody who reaches it, for every service",
                "have it ask for one, or let a firewall pass this machine only",
            )
    limits = urlsplit(settings.limits_store.get_secret_value())
    if limits.scheme == "redis" and not is_loopback(limits.hostname or ""):
        yield Finding(Level.WARNING, "limits", "Redis is spoken to unencrypted", "use rediss:// and a password")
