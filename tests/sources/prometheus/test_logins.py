"""Log-ins that change from request to request are checked by servers that know what to expect."""

from __future__ import annotations

import base64
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote, urlsplit

import jwt
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from pydantic import ValidationError
from support.servers import FaultyServer, Reply, Request, success

from observatory.config import Settings
from observatory.config.sources import SourceSettings
from observatory.errors import AccessDeniedError, ConfigError
from observatory.sources.prometheus.client import PrometheusClient
from observatory.sources.prometheus.connection import Authentication
from observatory.sources.prometheus.logins import GOOGLE_SCOPE

NOW = datetime(2026, 1, 2, tzinfo=UTC)
EMPTY = success([])
KEY, SECRET, SESSION = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG", "s3ss10n"


def of(url: str, **settings) -> PrometheusClient:
    return PrometheusClient.of(SourceSettings(url=url, **settings))


# -- names and passwords ----------------------------------------------------------------------


@pytest.mark.parametrize("password", ["geheim", "pässwörd", "密码🔑", "a:b@c/d?e"])
@pytest.mark.parametrize("how", ["settings", "address"])
def test_a_password_of_any_alphabet_arrives_in_utf_8(password: str, how: str) -> None:
    with FaultyServer(EMPTY) as server:
        if how == "settings":
            client = of(server.url, username="änne", password=password)
        else:
            client = of(server.url.replace("//", f"//{quote('änne')}:{quote(password, safe='')}@"))
        client.instant("up", NOW)
    (request,) = server.requests
    scheme, _, pair = request.headers["Authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair).decode()) == ("Basic", f"änne:{password}")


# -- Amazon -----------------------------------------------------------------------------------


def signed_for(region: str, request: Request, session: str | None) -> bool:
    """Whether the signature is that of our secret, computed anew from the request that arrived."""
    expected = AWSRequest(
        method=request.method, url=f"http://{request.headers['Host']}{request.path}", data=request.body or None
    )
    expected.headers["X-Amz-Date"] = request.headers["X-Amz-Date"]
    if session:
        expected.headers["X-Amz-Security-Token"] = session
    expected.context["timestamp"] = request.headers["X-Amz-Date"]
    signer = SigV4Auth(Credentials(KEY, SECRET, session), "aps", region)
    text = signer.string_to_sign(expected, signer.canonical_request(expected))
    return request.headers.get("Authorization", "").endswith(f"Signature={signer.signature(text, expected)}")


@pytest.fixture
def amazon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An environment of AWS with nothing in it but what a test puts there."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    return monkeypatch


def checking(region: str, session: str | None = None):
    def choose(request: Request) -> Reply:
        if signed_for(region, request, session):
            is_query = "/query" in request.path
            return success(None, kind="") if is_query else Reply(body=b'{"status":"success","data":["a"]}')
        words = b'{"message":"The request signature we calculated does not match the signature you provided."}'
        return Reply(403, words, {"x-amzn-ErrorType": "SignatureDoesNotMatch"})

    return choose


@pytest.mark.parametrize("session", [None, SESSION])
def test_requests_are_signed_for_amazon(amazon: pytest.MonkeyPatch, session: str | None) -> None:
    amazon.setenv("AWS_ACCESS_KEY_ID", KEY)
    amazon.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    if session:
        amazon.setenv("AWS_SESSION_TOKEN", session)
    with FaultyServer(choose=checking("eu-west-1", session)) as server:
        client = of(f"{server.url}/workspaces/ws-1?a=b%20c", aws_region="eu-west-1")
        assert client.instant('sum by (job) (up{a="ü &+/="})', NOW).series == []
        assert client.range("up", NOW, NOW + timedelta(hours=1), 60).series == []
        assert client.label_values("job", ['{a=~"x y|z+"}', "up"]) == ["a"]
    assert {request.headers.get("X-Amz-Security-Token") for request in server.requests} == {session}


def test_a_signature_of_another_region_is_refused_with_amazons_words(amazon: pytest.MonkeyPatch) -> None:
    amazon.setenv("AWS_ACCESS_KEY_ID", KEY)
    amazon.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    refused = pytest.raises(AccessDeniedError, match="signature we calculated does not match")
    with FaultyServer(choose=checking("eu-west-1")) as server, refused:
        of(server.url, aws_region="us-east-1").instant("up", NOW)


def test_a_profile_has_region_and_credentials(amazon: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "config").write_text("[profile shop]\nregion = eu-north-1\n")
    (tmp_path / "credentials").write_text(f"[shop]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n")
    with FaultyServer(choose=checking("eu-north-1")) as server:
        assert of(server.url, aws_profile="shop").instant("up", NOW).series == []


def test_what_is_missing_of_amazon_is_said(amazon: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="AWS profile 'nobody' cannot be used"):
        of("http://127.0.0.1:1", aws_profile="nobody")
    (tmp_path / "config").write_text("[profile shop]\n")
    with pytest.raises(ConfigError, match="no AWS region is known: set aws_region"):
        of("http://127.0.0.1:1", aws_profile="shop")
    with pytest.raises(AccessDeniedError, match="no AWS credentials were found"):
        of("http://127.0.0.1:1", aws_region="eu-west-1").instant("up", NOW)


# -- Google -----------------------------------------------------------------------------------


class Google(FaultyServer):
    """Gives a token for `seconds` to whoever signs with the right key, a new one each time, and takes the last one."""

    def __init__(self, public: rsa.RSAPublicKey, seconds: int = 3600) -> None:
        super().__init__(choose=self._reply)
        self.public, self.seconds, self.given = public, seconds, 0

    def _reply(self, request: Request) -> Reply:
        if urlsplit(request.path).path == "/token":
            claims = jwt.decode(
                request.fields["assertion"],
                self.public,
                ["RS256"],
                audience="https://oauth2.googleapis.com/token",
                leeway=30,
            )
            assert claims["scope"] == GOOGLE_SCOPE
            self.given += 1
            body = {"access_token": f"token-{self.given}", "expires_in": self.seconds, "token_type": "Bearer"}
            return Reply(body=json.dumps(body).encode(), headers={"Content-Type": "application/json"})
        is_right = request.headers.get("Authorization") == f"Bearer token-{self.given}"
        return EMPTY if is_right else Reply(401, b"invalid authentication credentials")


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def key_file(path: Path, key: rsa.RSAPrivateKey, google: str) -> Path:
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()
    account = {
        "type": "service_account",
        "project_id": "shop",
        "private_key_id": "1",
        "private_key": pem,
        "client_email": "observatory@shop.iam.gserviceaccount.com",
        "token_uri": f"{google}/token",
    }
    path.write_text(json.dumps(account))
    return path


@pytest.mark.parametrize(("seconds", "tokens"), [(3600, 1), (30, 3)], ids=["valid for an hour", "about to expire"])
def test_googles_tokens_are_fetched_and_renewed(
    key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: int, tokens: int
) -> None:
    with Google(key.public_key(), seconds) as google:
        file = key_file(tmp_path / "key.json", key, google.url)
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
        client = of(f"{google.url}/v1/projects/shop/location/global/prometheus", google=True)
        for _ in range(3):
            assert client.instant("up", NOW).series == []
        assert google.given == tokens


def test_what_is_missing_of_google_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "none.json"))
    with pytest.raises(ConfigError, match="set GOOGLE_APPLICATION_CREDENTIALS to a key file"):
        of("http://127.0.0.1:1", google=True)


def test_a_token_that_google_refuses_is_no_access(
    key: rsa.RSAPrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FaultyServer(Reply(400, b'{"error": "invalid_grant"}')) as google:
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(key_file(tmp_path / "key.json", key, google.url)))
        with pytest.raises(AccessDeniedError, match="Google gave no access token"):
            of(google.url, google=True).instant("up", NOW)


# -- settings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("library", "settings", "extra"),
    [("botocore", {"aws_region": "eu-west-1"}, "aws"), ("google.auth", {"google": True}, "google")],
)
def test_a_library_that_is_not_installed_is_named(
    library: str, settings: dict, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name == library or name.startswith(f"{library}.")]:
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ConfigError, match=rf"install cloudwatch-observatory\[{extra}\]"):
        of("http://127.0.0.1:1", **settings)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"token": "t", "aws_region": "eu-west-1"}, "token and aws_region are both set"),
        ({"google": True, "username": "u"}, "username and google are both set"),
        ({"google": True, "aws_profile": "shop"}, "google and aws_profile are both set"),
        ({"proxy": "socks5://127.0.0.1:1"}, "proxy is neither an address such as"),
        ({"proxy": "proxy:3128"}, "proxy is neither an address such as"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ValidationError, match=words):
        SourceSettings(url="http://127.0.0.1:9090", **settings)


def test_region_and_profile_go_together_and_reach_the_single_source() -> None:
    settings = Settings(
        prometheus_url="http://127.0.0.1:9090",
        prometheus_aws_region="eu-west-1",
        prometheus_aws_profile="shop",
        prometheus_proxy="environment",
    )
    own = settings.prometheus_servers["prometheus"]
    assert (own.aws_region, own.aws_profile, own.google) == ("eu-west-1", "shop", False)
    assert own.proxy is not None
    assert own.proxy.get_secret_value() == "environment"
    assert "geheim" not in repr(Authentication(password="geheim"))
