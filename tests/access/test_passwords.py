"""Passwords are kept as hashes in a file for its owner alone, and the command that writes it is hard to misuse."""

from __future__ import annotations

import io
import json
import logging
import os
import pty
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from support.commands import Call, caller

from observatory.access.passwords import Passwords
from observatory.config import Settings
from observatory.config.login_file import remove_password, write_password
from observatory.errors import ConfigError, InvalidInputError, NotFoundError, NotSignedInError
from observatory.runtime.doctor import Level, examine
from observatory.times import utc_now

pytestmark = pytest.mark.slow


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "passwords.json"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    monkeypatch.chdir(tmp_path)
    return caller(monkeypatch, capsys)


def keep(file: Path, content: object, mode: int = 0o600) -> None:
    file.write_text(json.dumps(content))
    file.chmod(mode)


def signs_in(passwords: Passwords, user: str, password: str) -> bool:
    try:
        return passwords.user_of(passwords.session(user, password)) == user
    except NotSignedInError:
        return False


def test_only_a_hash_is_kept_for_the_owner_alone(file: Path) -> None:
    write_password(file, "ann", "correct horse ")
    write_password(file, "ben", "correct horse ")
    entries = json.loads(file.read_text())
    assert entries["ann"].startswith("$argon2id$")
    assert entries["ann"] != entries["ben"]
    assert "horse" not in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_right_password_signs_in_and_no_other(file: Path) -> None:
    write_password(file, "ann", "correct horse é")
    passwords = Passwords(file)
    assert signs_in(passwords, "ann", "correct horse é")
    for user, password in (("ann", "correct horse"), ("ann", ""), ("", ""), ("ben", "correct horse é")):
        assert not signs_in(passwords, user, password)
    assert not signs_in(passwords, "ann", json.loads(file.read_text())["ann"])  # a stolen hash is no password


def test_a_hash_with_other_parameters_signs_in(file: Path) -> None:
    keep(file, {"ann": PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash("a")})
    assert signs_in(Passwords(file), "ann", "a")


def test_clear_text_still_signs_in_and_the_log_says_once_how_to_replace_it(
    file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_password(file, "ben", "b")
    keep(file, {"ann": "her password", **json.loads(file.read_text())})
    with caplog.at_level(logging.WARNING):
        passwords = Passwords(file)
        assert signs_in(passwords, "ann", "her password")
        assert not signs_in(passwords, "ann", "his password")
        assert signs_in(passwords, "ben", "b")
    (line,) = caplog.messages
    assert "passwords in clear text (ann)" in line
    assert "`observatory keys password ann`" in line


def test_a_hash_is_checked_whoever_asks(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the time of the answer does not tell who is known, or who has a hash."""
    write_password(file, "ann", "a")
    keep(file, {"old": "o", **json.loads(file.read_text())})
    passwords, checked = Passwords(file), []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, entry: str, password: bytes) -> bool:
        checked.append(entry)
        return verify(self, entry, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for user in ("ann", "old", "nobody"):
        assert not signs_in(passwords, user, "wrong")
    cost = {tuple(entry.split("$")[1:4]) for entry in checked}
    assert (len(checked), len(cost)) == (3, 1)


def test_a_session_ends_with_the_entry(file: Path) -> None:
    write_password(file, "ann", "a")
    write_password(file, "ben", "b")
    passwords = Passwords(file)
    ann, ben = passwords.session("ann", "a"), passwords.session("ben", "b")
    write_password(file, "ann", "another")
    with pytest.raises(NotSignedInError, match="your password was changed"):
        passwords.user_of(ann)
    assert passwords.user_of(ben) == "ben"
    assert Passwords(file).user_of(ben) == "ben"  # also over a restart
    remove_password(file, "ben")
    with pytest.raises(NotSignedInError, match="you were taken out"):
        passwords.user_of(ben)


@pytest.mark.parametrize("session", ["", ":", "ann", "ann:", "ann:é", "ann:0", "nobody:0"])
def test_a_session_of_another_make_is_refused(file: Path, session: str) -> None:
    write_password(file, "ann", "a")
    with pytest.raises(NotSignedInError):
        Passwords(file).user_of(session)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file"),
        ("", "Expecting value"),
        ("[]", "it is no JSON object"),
        ("{}", "it names nobody"),
        ('{"ann": ""}', "user 'ann' has no password"),
        ('{"": "x"}', "user '' has no password"),
        ('{"ann": 1}', "user 'ann' has no password"),
        ('{"ann": "$argon2id$v=19$m=6"}', "the hash of 'ann' is broken"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_and_left_as_it_is(file: Path, content: str | None, reason: str) -> None:
    if content is not None:
        file.write_text(content)
        file.chmod(0o600)
    refusal = rf"login file .*json cannot be used \({reason}.*observatory keys password"
    with pytest.raises(ConfigError, match=refusal):
        Passwords(file)
    with pytest.raises(ConfigError, match=refusal):
        remove_password(file, "ann")
    if content is not None:
        with pytest.raises(ConfigError, match=refusal):
            write_password(file, "ann", "a")
        assert file.read_text() == content


def test_a_half_written_file_keeps_the_last_good_one(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    write_password(file, "ann", "a")
    write_password(file, "ben", "b")
    whole = file.read_text()
    passwords = Passwords(file)
    for length in (0, 1, 40, len(whole) - 3):
        file.write_text(whole[:length])
        assert signs_in(passwords, "ann", "a"), length
        assert not signs_in(passwords, "ann", "b")
    assert "until then what it held before counts" in caplog.text
    remove_password(keep_whole(file, whole), "ann")
    assert not signs_in(passwords, "ann", "a")
    assert signs_in(passwords, "ben", "b")
    file.write_text("{}")
    with pytest.raises(ConfigError, match="it names nobody"):
        signs_in(passwords, "ben", "b")
    file.unlink()
    with pytest.raises(ConfigError, match="No such file"):
        signs_in(passwords, "ben", "b")


def keep_whole(file: Path, content: str) -> Path:
    file.write_text(content)
    return file


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_may_read_is_not_written(file: Path, mode: int) -> None:
    keep(file, {"ann": "a", "ben": "b"}, mode)
    before = file.read_text()
    for write in (lambda: write_password(file, "ann", "another"), lambda: remove_password(file, "ann")):
        with pytest.raises(InvalidInputError, match=rf"mode {mode:04o}.*run `chmod 600 .*json`, then try again"):
            write()
    assert file.read_text() == before


@pytest.mark.parametrize("user", ["", " ann", "ann ", "a" * 1001])
def test_a_name_that_could_not_sign_in_is_refused(file: Path, user: str) -> None:
    with pytest.raises(InvalidInputError, match="without blanks around it, of 1 to 1000"):
        write_password(file, user, "a")
    assert not file.exists()


@pytest.mark.parametrize("password", ["", "a" * 1001])
def test_a_password_that_could_not_sign_in_is_refused(file: Path, password: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"has {len(password)} characters: give 1 to 1000"):
        write_password(file, "ann", password)
    assert not file.exists()


def test_the_last_user_and_a_stranger_are_not_removed(file: Path) -> None:
    write_password(file, "ann", "a")
    with pytest.raises(NotFoundError, match=r"no user 'anne': it has ann"):
        remove_password(file, "anne")
    with pytest.raises(InvalidInputError, match="'ann' is the last user"):
        remove_password(file, "ann")
    assert signs_in(Passwords(file), "ann", "a")


def test_a_link_stays_a_link(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.json"
    link.symlink_to(file)
    write_password(link, "ann", "a")
    assert link.is_symlink()
    assert signs_in(Passwords(file), "ann", "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give files away")
def test_the_owner_stays_when_root_writes(file: Path) -> None:
    write_password(file, "ann", "a")
    os.chown(file, 1234, 1234)
    write_password(file, "ann", "b")
    assert (file.stat().st_uid, file.stat().st_gid) == (1234, 1234)


def test_a_failed_write_leaves_the_file_and_no_draft(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_password(file, "ann", "a")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match=r"cannot be written \(No space left on device\)"):
        write_password(file, "ann", "b")
    monkeypatch.undo()
    assert signs_in(Passwords(file), "ann", "a")
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none/passwords.json cannot be written \(No such file"):
        write_password(tmp_path / "none" / "passwords.json", "ann", "a")


# -- the command ------------------------------------------------------------------------------


def test_the_command_writes_the_file_of_the_settings_from_one_line_of_input(
    run: Call, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OBSERVATORY_LOGIN", "basic")
    monkeypatch.setenv("OBSERVATORY_LOGIN_FILE", str(file))
    monkeypatch.setattr(sys, "stdin", io.StringIO("correct horse \nand more\n"))
    code, out, err = run("keys", "password", "ann")
    assert (code, out) == (0, f"set the password of ann in {file}\n")
    assert "ann may do nothing yet: an entry [users]" in err
    assert signs_in(Passwords(file), "ann", "correct horse ")
    monkeypatch.setenv("OBSERVATORY_LOGIN_ROLE", "viewer")
    monkeypatch.setattr(sys, "stdin", io.StringIO("b"))
    assert run("keys", "password", "ben") == (0, f"set the password of ben in {file}\n", "")
    assert run("keys", "password", "ann", "--remove") == (0, f"removed ann from {file}\n", "")
    assert list(json.loads(file.read_text())) == ["ben"]


def test_the_command_takes_another_file_and_says_what_is_missing(
    run: Call, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _, err = run("keys", "password", "ann")
    assert (code, "name one with --file, or with OBSERVATORY_LOGIN_FILE" in err) == (2, True)
    monkeypatch.setattr(sys, "stdin", io.StringIO("a\n"))
    code, _, err = run("keys", "password", "ann", "--file", str(file))
    assert (code, err) == (
        0,
        f"to sign in with it, set OBSERVATORY_LOGIN=basic and OBSERVATORY_LOGIN_FILE={file}\n",
    )
    assert signs_in(Passwords(file), "ann", "a")


def test_the_command_asks_twice_without_echo(file: Path) -> None:
    code, shown = at_a_terminal(file, ["secret-1", "secret-2", "secret-3", "secret-3"])
    assert code == 0
    assert "do not match" in shown
    assert "secret" not in shown
    assert signs_in(Passwords(file), "ann", "secret-3")


def at_a_terminal(file: Path, answers: list[str]) -> tuple[int, str]:
    """Exit code and all that a terminal showed, when each prompt got the next answer."""
    us, them = pty.openpty()
    command = [sys.executable, "-m", "observatory", "keys", "password", "ann", "--file", str(file)]
    process = subprocess.Popen(command, stdin=them, stdout=them, stderr=them, cwd=file.parent, start_new_session=True)
    os.close(them)
    shown = b""
    for answer in answers:
        prompts = shown.count(b": ")
        while shown.count(b": ") == prompts or not shown.endswith(b": "):
            shown += os.read(us, 1000)
        os.write(us, f"{answer}\n".encode())
    while piece := _read(us):
        shown += piece
    os.close(us)
    return process.wait(), shown.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1000)
    except OSError:  # nobody is at the other end any more
        return b""


def test_the_doctor_warns_of_a_file_that_others_may_read_and_of_clear_text(file: Path, tmp_path: Path) -> None:
    def found() -> list[tuple[Level, str, str]]:
        settings = Settings(store=":memory:", login="basic", login_file=file)
        return [(one.level, one.detail, one.todo) for one in examine(settings, utc_now()) if one.what == "login file"]

    write_password(file, "ann", "a")
    assert found() == [(Level.OK, f"{file}: users with a hash: 1", "")]
    keep(file, {"ann": "a"}, 0o644)
    readable, clear = found()
    assert readable == (
        Level.WARNING,
        f"{file}: others on this machine may read it (mode 0644)",
        f"run `chmod 600 {file}`",
    )
    assert clear[0] is Level.WARNING
    assert "`observatory keys password ann`" in clear[2]
    file.unlink()
    assert [level for level, _, _ in found()] == [Level.BROKEN]
