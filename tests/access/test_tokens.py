"""A token is accepted when its issuer made it for us, and not otherwise."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from support.servers import FaultyServer, Reply
from support.shop import Clock

from observatory.access.key_sets import PAUSE, KeyServer
from observatory.access.permissions import Role
from observatory.access.tokens import Tokens
from observatory.config import Settings
from observatory.errors import ConfigError, ForbiddenError, NotSignedInError

SECRET = "a shared secret of more than 32 bytes, canary-jwt"  # canary: see tests/conftest.py
OURS: dict[str, Any] = {"jwt_audience": "observatory", "jwt_issuer": "https://id.example"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def claims(clock: Clock, **changes: Any) -> dict[str, Any]:
    now = int(clock().timestamp())
    made = {"sub": "ann", "aud": "observatory", "iss": "https://id.example", "exp": now + 300, "role": "operator"}
    return {k: v for k, v in (made | {"services": ["shop/*"]} | changes).items() if v is not None}


def shared(clock: Clock, **settings: Any) -> Tokens:
    tokens = Tokens.of(Settings(jwt_secret=SECRET, **OURS, **settings), clock)
    assert tokens is not None
    return tokens


def signed(payload: dict[str, Any], key: Any = SECRET, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(payload, key, algorithm, headers)


def test_without_a_key_no_tokens_are_accepted(clock: Clock) -> None:
    assert Tokens.of(Settings(), clock) is None


@pytest.mark.parametrize("services", [["shop/*", "payments/api"], "shop/* payments/api"])
def test_a_token_says_who_and_what(clock: Clock, services: object) -> None:
    caller = shared(clock).caller(signed(claims(clock, services=services)))
    assert (caller.kind, caller.name, caller.role) == ("jwt", "ann", Role.OPERATOR)
    assert caller.scope.patterns == ("shop/*", "payments/api")


def test_the_settings_decide_about_users_they_name(clock: Clock) -> None:
    users = {"ann": {"role": "viewer", "services": ["payments/*"]}}
    caller = shared(clock, users=users).caller(signed(claims(clock, role="admin", services=["*"])))
    assert (caller.role, caller.scope.patterns) == (Role.VIEWER, ("payments/*",))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"aud": "another"}, "Audience"),
        ({"aud": None}, "aud"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "iss"),
        ({"exp": None}, "exp"),
        ({"exp": 1}, "expired"),
        ({"nbf": 99999999999}, "not valid yet"),
        ({"sub": None}, "sub"),
    ],
)
def test_a_token_that_is_not_for_us_now_is_refused(clock: Clock, change: dict[str, Any], why: str) -> None:
    with pytest.raises(NotSignedInError, match=f"(?i){why}"):
        shared(clock).caller(signed(claims(clock, **change)))


@pytest.mark.parametrize(
    "change", [{"role": None}, {"role": "emperor"}, {"role": 7}, {"services": 7}, {"services": [7]}, {"services": [""]}]
)
def test_a_token_that_grants_nothing_usable_is_forbidden(clock: Clock, change: dict[str, Any]) -> None:
    with pytest.raises(ForbiddenError):
        shared(clock).caller(signed(claims(clock, **change)))


def test_a_token_without_services_sees_none(clock: Clock) -> None:
    caller = shared(clock).caller(signed(claims(clock, services=None)))
    assert not caller.scope.covers("shop/cart")


def test_another_secret_or_none_at_all_is_refused(clock: Clock) -> None:
    unsigned = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")
        for part in ({"alg": "none", "typ": "JWT"}, claims(clock))
    )
    for token in (
        signed(claims(clock), "another secret of more than 32 bytes"),
        unsigned + ".",
        "x",
        "a.b.c",
        "a" * 9000,
    ):
        with pytest.raises(NotSignedInError):
            shared(clock).caller(token)


@pytest.fixture(scope="module")
def issuer() -> Any:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_set(**keys: Any) -> dict[str, Any]:
    made = []
    for name, key in keys.items():
        kind = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
        made.append({**json.loads(kind.to_jwk(key.public_key())), "kid": name, "use": "sig"})
    return {"keys": made}


def test_public_keys_come_from_a_file_that_may_change(clock: Clock, issuer: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(old=issuer)))
    tokens = Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)
    assert tokens is not None
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="old")).name == "ann"
    fresh = ec.generate_private_key(ec.SECP256R1())
    file.write_text(json.dumps(key_set(new=fresh, newer=fresh)))
    assert tokens.caller(signed(claims(clock), fresh, "ES256", kid="new")).name == "ann"
    with pytest.raises(NotSignedInError, match="not among those known"):
        tokens.caller(signed(claims(clock), issuer, "RS256", kid="old"))


def test_a_public_key_is_no_shared_secret(clock: Clock, issuer: Any, tmp_path: Path) -> None:
    """The classic confusion: a token signed by HS256 with the public key as its secret."""
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(old=issuer)))
    tokens = Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)
    assert tokens is not None
    forged = signed(claims(clock), str(key_set(old=issuer)["keys"][0]["n"]), "HS256", kid="old")
    with pytest.raises(NotSignedInError, match="alg"):
        tokens.caller(forged)


@pytest.mark.parametrize("content", [None, "", "[]", "{}", '{"keys": []}', '{"keys": [{"kty": "odd"}]}'])
def test_a_file_without_keys_is_named_at_the_start(clock: Clock, tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ConfigError, match=r"jwt_jwks: .*keys.json holds no public keys"):
        Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)


@pytest.fixture
def published(issuer: Any) -> Iterator[FaultyServer]:
    with FaultyServer(Reply(body=json.dumps(key_set(a=issuer)).encode())) as server:
        yield server


def test_public_keys_come_from_an_address_and_are_asked_for_once(
    clock: Clock, issuer: Any, published: FaultyServer
) -> None:
    tokens = Tokens.of(Settings(jwt_jwks=f"{published.url}/keys", **OURS), clock)
    assert tokens is not None
    for _ in range(3):
        assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="a")).name == "ann"
    assert len(published.requests) == 1


def test_an_issuer_out_of_reach_lets_nobody_in(clock: Clock, issuer: Any) -> None:
    with FaultyServer(Reply(500)) as server:
        tokens = Tokens.of(Settings(jwt_jwks=server.url, **OURS), clock)
        assert tokens is not None
        with pytest.raises(NotSignedInError, match="out of reach"):
            tokens.caller(signed(claims(clock), issuer, "RS256", kid="a"))


def test_made_up_names_of_keys_ask_the_issuer_nothing(clock: Clock, issuer: Any, published: FaultyServer) -> None:
    now = [0.0]
    keys = KeyServer(f"{published.url}/keys", lambda: now[0])
    tokens = Tokens(keys, None, Settings(jwt_jwks=f"{published.url}/keys", **OURS), clock)
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="a")).name == "ann"
    for number in range(50):
        with pytest.raises(NotSignedInError, match="not among those known"):
            tokens.caller(signed(claims(clock), issuer, "RS256", kid=f"made up {number}"))
    assert len(published.requests) == 1
    now[0] += PAUSE
    for number in range(50):
        with pytest.raises(NotSignedInError):
            tokens.caller(signed(claims(clock), issuer, "RS256", kid=f"made up {number}"))
    assert len(published.requests) == 2
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="a")).name == "ann"


def test_an_issuer_out_of_reach_is_not_asked_for_each_token(clock: Clock, issuer: Any) -> None:
    with FaultyServer(*[Reply(500)] * 20) as server:
        tokens = Tokens.of(Settings(jwt_jwks=server.url, **OURS), clock)
        assert tokens is not None
        for _ in range(10):
            with pytest.raises(NotSignedInError, match="out of reach"):
                tokens.caller(signed(claims(clock), issuer, "RS256", kid="a"))
        assert len(server.requests) == 1


def test_a_key_is_for_tokens_of_its_kind_only(clock: Clock, issuer: Any, tmp_path: Path) -> None:
    """Each algorithm with each key: what fits is accepted, all else is refused, and nothing is a fault of ours."""
    curves = (ec.SECP256R1(), ec.SECP384R1(), ec.SECP521R1())
    made = {f"ec{number}": ec.generate_private_key(curve) for number, curve in enumerate(curves)}
    document = key_set(rsa=issuer, **made)
    document["keys"] += [
        {**key_set(x=issuer)["keys"][0], "kid": "enc", "use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0LW9mLTMyLWJ5dGVzLW9yLW1vcmUhISEhISE", "kid": "oct"},
        {"kty": "odd", "kid": "odd"},
    ]
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(document))
    tokens = Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)
    assert tokens is not None
    signers = {"RS256": issuer, "PS512": issuer, "ES256": made["ec0"], "ES384": made["ec1"], "ES512": made["ec2"]}
    accepted = set()
    for algorithm, key in signers.items():
        for kid in [one["kid"] for one in document["keys"]] + ["none"]:
            try:
                tokens.caller(signed(claims(clock), key, algorithm, kid=kid))
            except NotSignedInError:
                continue
            accepted.add((algorithm, kid))
    assert accepted == {("RS256", "rsa"), ("PS512", "rsa"), ("ES256", "ec0"), ("ES384", "ec1"), ("ES512", "ec2")}


@pytest.mark.parametrize("kid", [7, None, [], {"a": 1}, True])
def test_the_name_of_a_key_may_be_anything(clock: Clock, issuer: Any, tmp_path: Path, kid: object) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(a=issuer, b=issuer)))
    tokens = Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)
    assert tokens is not None
    head = base64.urlsafe_b64encode(json.dumps({"alg": "RS256", "kid": kid}).encode()).decode().rstrip("=")
    _, body, signature = signed(claims(clock), issuer, "RS256").split(".")
    with pytest.raises(NotSignedInError):
        tokens.caller(f"{head}.{body}.{signature}")


def test_a_half_written_file_of_keys_keeps_those_of_before(clock: Clock, issuer: Any, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_text(json.dumps(key_set(a=issuer)))
    tokens = Tokens.of(Settings(jwt_jwks=str(file), **OURS), clock)
    assert tokens is not None
    file.write_text(json.dumps(key_set(a=issuer))[:60])
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="a")).name == "ann"
    file.unlink()
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="a")).name == "ann"
    file.write_text(json.dumps(key_set(b=issuer)))
    assert tokens.caller(signed(claims(clock), issuer, "RS256", kid="b")).name == "ann"


def test_keys_are_fetched_over_https_only() -> None:
    with pytest.raises(ValueError, match="over https only"):
        Settings(jwt_jwks="http://id.example/keys", **OURS)
