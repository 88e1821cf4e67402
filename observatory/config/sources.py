"""Where samples and calls come from: tables ``[sources.NAME]``, ``[preset.NAME]`` and ``[jaeger.NAME]``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Self

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, model_validator

from observatory.config.types import Names


class ConnectionSettings(BaseModel):
    """How a server is reached whose address is known: log-in, TLS, limits."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    timeout: float = Field(30.0, gt=0, le=600, description="Longest wait for one answer [s].")
    token: SecretStr | None = Field(None, description="Bearer token.")
    token_file: Path | None = Field(
        None, description="File with a bearer token; read again for every request, so that it may be renewed."
    )
    username: str | None = Field(None, description="User name for basic authentication.")
    password: SecretStr | None = Field(None, description="Password for basic authentication.")
    ca_file: Path | None = Field(None, description="CA certificates to trust instead of the system's.")
    cert_file: Path | None = Field(None, description="Client certificate (PEM), where the server asks for one.")
    key_file: Path | None = Field(None, description="Key of the client certificate, if it is not in the same file.")
    verify: bool = Field(
        True, description="Check the server's certificate. Without it anybody in between can read along."
    )
    headers: dict[str, SecretStr] = Field(
        default_factory=dict, description="Headers sent with every request, such as `X-Scope-OrgID` or `THANOS-TENANT`."
    )
    proxy: SecretStr | None = Field(
        None,
        description="Proxy to go through, such as `http://proxy:3128`, or `environment` for what `HTTPS_PROXY` and "
        "`NO_PROXY` name. Unset: none.",
    )
    max_answer: float = Field(256.0, gt=0, le=65536, description="Largest answer taken [MB].")

    @model_validator(mode="after")
    def _one_way_to_log_in(self) -> Self:
        ways = self._log_ins()
        if len(ways) > 1:
            raise ValueError(f"{' and '.join(ways)} are both set: keep one way to log in")
        if self.password and not self.username:
            raise ValueError("a password is set without a username")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file is set without cert_file")
        for name in ("ca_file", "cert_file", "key_file"):
            path = getattr(self, name)
            if path is not None and not path.is_file():
                raise ValueError(f"{name} names {str(path)!r}, which is no file")
        return self

    @model_validator(mode="after")
    def _proxy_is_an_address(self) -> Self:
        proxy = self.proxy.get_secret_value() if self.proxy else "environment"
        if proxy != "environment" and not re.match(r"https?://[^/]", proxy):
            raise ValueError(
                "proxy is neither an address such as http://proxy:3128 nor the word environment (SOCKS is not spoken)"
            )
        return self

    @model_validator(mode="after")
    def _headers_can_be_sent(self) -> Self:
        """A line break would end a header, and an error at the first request would show its secret."""
        for name, value in self.headers.items():
            text = value.get_secret_value()
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name):
                raise ValueError(f"{name!r} is no name of a header")
            if not (text.isascii() and text.isprintable() and text == text.strip()):
                raise ValueError(f"the value of header {name} has characters that cannot be sent")
        token = self.token.get_secret_value() if self.token else ""
        if not (token.isascii() and token.isprintable() and " " not in token):
            raise ValueError("token has characters that cannot be sent: is there a line break or a blank in it?")
        return self

    def _log_ins(self) -> list[str]:
        """The ways to log in that are set."""
        return [name for name in ("token", "token_file", "username") if getattr(self, name)]


class ServerSettings(ConnectionSettings):
    """How a server is reached: address, log-in, TLS, limits."""

    url: AnyHttpUrl = Field(description="Address of the server, with a path prefix if it has one.")


class SourceSettings(ServerSettings):
    """How one Prometheus, or a server that speaks its API, is asked: ``[sources.eu]``."""

    aws_region: str | None = Field(
        None, description="Sign requests for Amazon's managed Prometheus in this region; needs the extra `aws`."
    )
    aws_profile: str | None = Field(None, description="Profile of `~/.aws` to sign with. Unset: the default one.")
    google: bool = Field(
        False, description="Log in by Google's application default credentials; needs the extra `google`."
    )
    concurrency: int = Field(4, ge=1, le=64, description="Queries in flight at a time.")
    presets: Names = Field((), description="Presets to query, the first that has a service wins. Empty: all.")
    include: Names = Field(
        (), description="Patterns (`shop/*`) of the services to watch. Empty: all. Matched against the whole name."
    )
    exclude: Names = Field((), description="Patterns of services not to watch; stronger than `include`.")
    cluster_names: bool = Field(
        True, description="Whether names begin with the cluster where a server has several: `eu/shop/cart`."
    )

    def _log_ins(self) -> list[str]:
        ways = [*super()._log_ins(), *(name for name in ("aws_region", "google") if getattr(self, name))]
        return [*ways, "aws_profile"] if self.aws_profile and "aws_region" not in ways else ways


class JaegerSettings(ServerSettings):
    """A Jaeger that is asked who calls whom: ``[jaeger.eu]``."""

    lookback_hours: float = Field(
        24.0, gt=0, le=720, description="How far back it looks for calls [h]; some storages sum them up once a day."
    )


class PresetSettings(BaseModel):
    """A preset of your own, or changes to one that exists: ``[preset.legacy]``."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    description: str | None = Field(None, description="Where such metrics come from.")
    labels: Names | None = Field(None, description="Labels that together name a service, joined by `/`.")
    probe: str | None = Field(None, description="A query with a series for each service of this preset.")
    rename: tuple[tuple[str, str], ...] | None = Field(
        None,
        description="Pairs of a pattern (RE2, whole name) and a replacement (`$1`), applied after its own, in order.",
    )
    queries: dict[str, str] = Field(default_factory=dict, description="Query templates by metric, over $by, $window.")
