"""``observatory keys``: who may use the API and the dashboard."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from observatory.cli.common import open_reader, open_runtime, print_table, read_settings, say
from observatory.errors import InvalidInputError

if TYPE_CHECKING:
    from observatory.access import Authenticator
    from observatory.config import Settings
    from observatory.store.tables.keys import StoredKey

keys_app = typer.Typer(
    help="Make, list, rotate and revoke API keys; set passwords for the dashboard.", no_args_is_help=True
)

ExpiresOption = Annotated[str | None, typer.Option("--expires", help="Lifetime, such as 90d; default: for ever.")]
WhichArgument = Annotated[str, typer.Argument(help="Name or id of the key.")]


@keys_app.command("create", epilog="Example: `observatory keys create grafana --role viewer --services 'shop/*'`")
def create(
    name: Annotated[str, typer.Argument(help="Who or what it is for.")],
    role: Annotated[
        str, typer.Option(help="viewer reads, operator also registers and collects, admin also sees the audit log.")
    ] = "viewer",
    services: Annotated[
        list[str] | None, typer.Option("--services", help="Pattern of services it sees; may be repeated. Default: all.")
    ] = None,
    expires: ExpiresOption = None,
) -> None:
    """Make a key and show it, once: only a salted hash is kept. From the first key on, everybody must sign in."""
    from observatory.access import Role, authenticator_of
    from observatory.times import parse_duration

    lifetime = parse_duration(expires, "--expires") if expires else None
    with open_runtime() as runtime:
        authenticator = authenticator_of(runtime)
        key, text = authenticator.keys.create(name, Role.called(role), services or ["*"], lifetime)
        _write_down(authenticator, "create key", key)
    until = f", until {key.expires_at:%Y-%m-%d %H:%M} UTC" if key.expires_at else ""
    say(f"{key.role} {key.name} ({key.id}) for {', '.join(key.services)}{until}. It is shown this once:", err=True)
    say(text)


@keys_app.command("list", epilog="Example: `observatory keys list`")
def list_keys() -> None:
    """List all keys, those that are no longer valid too."""
    from observatory.access import authenticator_of
    from observatory.display.access import key_table

    with open_runtime() as runtime:
        table = key_table(authenticator_of(runtime).keys.all(), runtime.clock())
    if table.empty:
        say("no keys yet: on loopback nobody has to sign in")
    else:
        print_table(table)


@keys_app.command("rotate", epilog="Example: `observatory keys rotate grafana --expires 90d`")
def rotate(which: WhichArgument, expires: ExpiresOption = None) -> None:
    """Give a key another secret and show it; the old one is refused at once."""
    from observatory.access import authenticator_of
    from observatory.times import parse_duration

    lifetime = parse_duration(expires, "--expires") if expires else None
    with open_runtime() as runtime:
        authenticator = authenticator_of(runtime)
        key, text = authenticator.keys.rotate(which, lifetime)
        _write_down(authenticator, "rotate key", key)
    say(f"{key.name} ({key.id}) has another secret. It is shown this once:", err=True)
    say(text)


@keys_app.command("revoke", epilog="Example: `observatory keys revoke grafana`")
def revoke(which: WhichArgument) -> None:
    """Refuse a key from now on. It stays in the list."""
    from observatory.access import authenticator_of

    with open_runtime() as runtime:
        authenticator = authenticator_of(runtime)
        key = authenticator.keys.revoke(which)
        _write_down(authenticator, "revoke key", key)
    say(f"revoked {key.name} ({key.id})")


@keys_app.command("password", epilog="Example: `observatory keys password ann@example.com`")
def password(
    name: Annotated[str, typer.Argument(help="The user's name at the login.")],
    file: Annotated[Path | None, typer.Option(help="Login file; default: OBSERVATORY_LOGIN_FILE.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the user out instead.")] = False,
) -> None:
    """Set a user's password for the dashboard (`login = "basic"`), or take the user out; only a hash is kept.

    Asks for it twice, or reads one line of standard input. A user whose password changes is signed out.
    """
    from observatory.config.login_file import remove_password, write_password

    settings = read_settings()
    path = file or settings.login_file
    if path is None:
        raise InvalidInputError("no login file is set: name one with --file, or with OBSERVATORY_LOGIN_FILE")
    if remove:
        remove_password(path, name)
        say(f"removed {name} from {path}")
        return
    write_password(path, name, _new_password())
    say(f"set the password of {name} in {path}")
    for hint in _still_missing(settings, path, name):
        say(hint, err=True)


def _new_password() -> str:
    if sys.stdin.isatty():
        given: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return given
    try:
        return sys.stdin.readline().rstrip("\r\n")
    except UnicodeDecodeError:
        raise InvalidInputError("the password on standard input is not UTF-8 text") from None


def _still_missing(settings: Settings, path: Path, name: str) -> list[str]:
    """What else it takes before somebody can use a password."""
    if settings.login != "basic":
        return [f"to sign in with it, set OBSERVATORY_LOGIN=basic and OBSERVATORY_LOGIN_FILE={path}"]
    if settings.login_role is None and name not in settings.users:
        return [f"{name} may do nothing yet: an entry [users] in the settings, or OBSERVATORY_LOGIN_ROLE, grants it"]
    return []


def _write_down(authenticator: Authenticator, action: str, key: StoredKey) -> None:
    from observatory.access.audit import shell_caller

    authenticator.audit.record(
        shell_caller(), action, f"{key.name} ({key.id})", "done", detail=f"{key.role}: {key.services}"
    )
    authenticator.audit.flush()


def audit(
    since: Annotated[str, typer.Option(help="A time ago such as 24h, or RFC 3339.")] = "24h",
    who: Annotated[str | None, typer.Option(help="Only of this caller, such as key:grafana.")] = None,
    refused: Annotated[bool, typer.Option("--refused", help="Only what was refused.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most lines.")] = 100,
) -> None:
    """Show who did what: every write and every refused access, the newest first."""
    from observatory.display.access import audit_table
    from observatory.times import parse_time

    with open_reader() as opened:
        table = audit_table(opened.store.audit.read(parse_time(since, opened.clock(), "--since"), who, refused, limit))
    if table.empty:
        say("nothing was written or refused")
    else:
        print_table(table)
