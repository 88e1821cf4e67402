"""Settings: read once at the entry point and passed down; no other module looks at the environment.

Later entries win: defaults, ``observatory.toml`` in the working folder (or the file named by
``OBSERVATORY_CONFIG``), variables ``OBSERVATORY_*``, arguments.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import AnyHttpUrl, BaseModel, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from observatory.config.calls import checked_calls
from observatory.config.links import LinkSettings
from observatory.config.location import DEMO_STORE, OWN_STORE, PREFIX, config_file
from observatory.config.loopback import is_loopback
from observatory.config.notify import NotifySettings
from observatory.config.schedule import JobSettings
from observatory.config.services import ServiceOverride
from observatory.config.silences import SilenceSettings
from observatory.config.sources import JaegerSettings, PresetSettings, SourceSettings
from observatory.config.types import Names
from observatory.config.users import UserSettings


def _as_in(section: type[BaseModel], name: str, description: str | None = None) -> Any:
    """The same setting as in a table of the file: default, limits and words are written once."""
    info = copy.copy(section.model_fields[name])
    info.description = description or info.description
    return info


class Settings(BaseSettings):
    """Everything a user can set. The table in Help, Settings is checked against this class."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_nested_delimiter="__", env_ignore_empty=True
    )

    prometheus_url: AnyHttpUrl | None = Field(
        None, description="Address of your Prometheus. Without it the built-in demo shop is the source."
    )
    sources: dict[str, SourceSettings] = Field(
        default_factory=dict,
        description="More than one Prometheus: `[sources.eu]` with `url`, and what is above without `prometheus_`.",
    )
    preset: dict[str, PresetSettings] = Field(
        default_factory=dict, description="Presets of your own, or changes to one: `[preset.legacy]`."
    )
    calls: dict[str, Names] = Field(
        default_factory=dict,
        description='Who calls whom where no metric tells it: `[calls]` with `"shop/checkout" = ["shop/cart"]`.',
    )
    jaeger: dict[str, JaegerSettings] = Field(
        default_factory=dict,
        description="A Jaeger that knows who calls whom: `[jaeger.eu]` with `url`, log-in and TLS as `[sources.eu]`.",
    )
    store: str = Field(
        default_factory=lambda known: OWN_STORE if known.get("prometheus_url") or known.get("sources") else DEMO_STORE,
        description="Path of a DuckDB file, `quack://host:port`, `ducklake:postgres:…` or `:memory:`. "
        "Unset: `observatory.duckdb` with a Prometheus, `observatory-demo.duckdb` without one; what only reads takes "
        "the former where just that exists.",
    )
    store_token: SecretStr | None = Field(
        None, description="Token of the store behind `quack://`, or the one this owner of a file asks for."
    )
    store_port: int = Field(
        0, ge=0, le=65535, description="Port of loopback the owner of a file shares it on; 0 is any that is free."
    )
    store_data_path: str | None = Field(None, description="Folder or `s3://` address of a lake's Parquet files.")
    store_s3: dict[str, SecretStr] = Field(
        default_factory=dict, description="For a lake on S3: key_id, secret, region, endpoint, url_style, use_ssl."
    )
    store_read_only: bool = Field(
        False, description="Refuse to write: for a file on a read-only disk, or readers without the extensions."
    )
    store_memory: float | None = Field(
        None,
        gt=0,
        le=4096,
        description="Most memory DuckDB takes [GiB]; unset: a quarter of the machine's, 0.5 to 4.",
    )
    store_threads: int | None = Field(None, ge=1, le=1024, description="Threads of DuckDB; one a core if unset.")

    archive_days: float | None = Field(
        35.0, gt=0, description="Age at which samples move to Parquet beside the store [days]."
    )
    keep_raw_days: float | None = Field(
        None, gt=0, description="Age at which samples are removed and only roll-ups stay [days]; unset: never."
    )
    keep_rollup_days: float | None = Field(
        None, gt=0, description="Age at which roll-ups are removed, once their samples are gone [days]; unset: never."
    )
    keep_anomaly_days: float | None = Field(
        None,
        gt=0,
        description="Age at which ended anomalies, incidents and changes are removed [days]; unset: never.",
    )

    runs: Path = Field(Path("runs"), description="Folder of executed notebooks and their reports.")
    schedule: dict[str, JobSettings] = Field(
        default_factory=dict, description="Notebooks that `observatory schedule` runs: `[schedule.hourly]`."
    )
    incident_reports: Literal["critical", "high", "medium", "low"] | None = Field(
        None,
        description="A report is made of an incident that ends, if it was of this severity or worse; unset: of none.",
    )
    notify: dict[str, NotifySettings] = Field(
        default_factory=dict,
        description="Who is told of incidents: `[notify.oncall]` with `kind`, what it takes, and which it is told of.",
    )
    links: dict[str, LinkSettings] = Field(
        default_factory=dict,
        description="Links to logs, traces and dashboards elsewhere: `[links.logs]` with `url` and perhaps a `preset`.",
    )
    silences: dict[str, SilenceSettings] = Field(
        default_factory=dict,
        description="What is not told, judged or learned from, and when: `[silences.backup]`, with `services`, "
        "`reason` and `end`.",
    )
    heartbeat_url: SecretStr | None = Field(
        None, description="Address asked for after each cycle, for what alerts when that stays away. Unset: none."
    )
    public_url: AnyHttpUrl | None = Field(
        None, description="Address by which people reach the dashboard; links in messages begin with it. Unset: none."
    )
    keep_delivery_days: float = Field(
        90.0, gt=0, description="Age at which the record of what was sent to whom is removed [days]."
    )
    keep_run_days: float | None = Field(
        30.0,
        gt=0,
        description="Age at which runs are forgotten, and their folders under `runs` removed [days]; unset: never.",
    )

    prometheus_timeout: float = _as_in(SourceSettings, "timeout")
    prometheus_token: SecretStr | None = _as_in(SourceSettings, "token")
    prometheus_token_file: Path | None = _as_in(SourceSettings, "token_file")
    prometheus_username: str | None = _as_in(SourceSettings, "username")
    prometheus_password: SecretStr | None = _as_in(SourceSettings, "password")
    prometheus_ca_file: Path | None = _as_in(SourceSettings, "ca_file")
    prometheus_cert_file: Path | None = _as_in(SourceSettings, "cert_file")
    prometheus_key_file: Path | None = _as_in(SourceSettings, "key_file")
    prometheus_verify: bool = _as_in(SourceSettings, "verify")
    prometheus_headers: dict[str, SecretStr] = _as_in(SourceSettings, "headers")
    prometheus_proxy: SecretStr | None = _as_in(SourceSettings, "proxy")
    prometheus_aws_region: str | None = _as_in(SourceSettings, "aws_region")
    prometheus_aws_profile: str | None = _as_in(SourceSettings, "aws_profile")
    prometheus_google: bool = _as_in(SourceSettings, "google")
    prometheus_concurrency: int = _as_in(SourceSettings, "concurrency")
    prometheus_max_answer: float = _as_in(SourceSettings, "max_answer")
    presets: Names = _as_in(SourceSettings, "presets")
    include: Names = _as_in(SourceSettings, "include")
    exclude: Names = _as_in(SourceSettings, "exclude")
    cluster_names: bool = _as_in(SourceSettings, "cluster_names")

    interval: float = Field(60.0, ge=1, le=3600, description="Time between collections, and step of the samples [s].")
    window: float | None = Field(
        None,
        ge=4,
        le=86400,
        description="Rate window of the queries [s]. Empty: four scrapes of each job, and at least the interval.",
    )
    delay: float = Field(
        0.0, ge=0, le=3600, description="Samples are asked for so long after their time, for a server fed late [s]."
    )
    inactive_hours: float = Field(
        24.0, gt=0, description="A service that reported nothing for so long is no longer watched [h]."
    )
    worker: bool = Field(True, description="Collect and detect in the background while serving.")

    detector: str = Field("multiscale", description="Name of the detector; `pyod:KNN` is PyOD's model of that name.")
    detector_parameters: dict[str, Any] = Field(
        default_factory=dict, description="Parameters of the detector: `[detector_parameters]` with `n_neighbors = 10`."
    )
    sensitivity: float = Field(1.0, gt=0, le=10, description="Above 1 alarms earlier, below 1 later.")
    training_days: float = Field(7.0, gt=0, le=90, description="History a model is fitted on [days].")
    refit_hours: float = Field(6.0, gt=0, le=168, description="Time between refits of a service's model [h].")
    minimum_samples: int = Field(
        120, ge=16, le=100_000, description="Samples a service needs before it is judged; until then it is learning."
    )

    objective: float = Field(0.999, gt=0, lt=1, description="Availability objective where a service sets none (0–1).")
    latency_target: float = Field(0.5, gt=0, description="p95 target where a service sets none [s].")
    services: dict[str, ServiceOverride] = Field(
        default_factory=dict, description="Per service: team, tier, objective, latency_target, limits, desired_pods."
    )

    host: str = Field(
        "127.0.0.1", min_length=1, description="Address the server binds. Beyond loopback only where one must sign in."
    )
    port: int = Field(5006, ge=1, le=65535, description="Port of the dashboard and the REST API.")
    hosts: Names = Field((), description="Names the server is reached by, besides its addresses.")
    refresh: float = Field(30.0, ge=1, le=3600, description="Time between refreshes of an open page [s].")

    auth: Literal["auto", "required"] = Field(
        "auto",
        description="`auto`: loopback is open until a key is made or a login or JWT is set up. `required`: never.",
    )
    users: dict[str, UserSettings] = Field(
        default_factory=dict, description="What people may who sign in, by name: `[users.ann]` with `role`, `services`."
    )
    login: str | None = Field(
        None,
        pattern="^[a-z0-9_]+$",
        description="Login of the dashboard: unset takes API keys; `basic`, or one of Panel's OAuth providers.",
    )
    login_file: Path | None = Field(
        None, description="For `basic`: names and hashes of passwords, written by `observatory keys password NAME`."
    )
    login_role: Literal["viewer", "operator", "admin"] | None = Field(
        None, description="Role of who signs in and is not in `users`; unset: they may do nothing."
    )
    login_hours: float = Field(12.0, gt=0, le=720, description="How long one stays signed in at the dashboard [h].")
    cookie_secret: SecretStr | None = Field(
        None, min_length=32, description="Signs the cookies of logins; the same in all servers. Unset: made at start."
    )
    jwt_secret: SecretStr | None = Field(
        None, min_length=32, description="Secret shared with the issuer of JSON Web Tokens (HS256)."
    )
    jwt_jwks: str | None = Field(None, description="File or https address with the issuer's public keys (JWKS).")
    jwt_audience: str | None = Field(None, description="Audience that tokens must name.")
    jwt_issuer: str | None = Field(None, description="Issuer that tokens must name.")

    rate_limit: str = Field(
        "1200/minute", description="Requests a key, user or (where nobody signs in) address may make; several by `;`."
    )
    sign_in_limit: str = Field("20/minute", description="Failed sign-ins from one address.")
    limits_store: SecretStr = Field(
        SecretStr("memory://"), description="Where they are counted: `redis://…` for several servers together."
    )
    slow_queries: int = Field(4, ge=1, le=64, description="Slow queries of the API at a time in one process.")
    cors_origins: Names = Field(
        (), description="Origins whose pages may call the API with a key (`https://x.example`)."
    )
    trusted_proxies: Names = Field((), description="Addresses or networks of proxies whose `X-Forwarded-*` count.")
    tls_cert: Path | None = Field(None, description="Certificate (PEM) to serve HTTPS with.")
    tls_key: Path | None = Field(None, description="Its key.")

    metrics_services: int = Field(
        1000,
        ge=0,
        le=10_000,
        description="Most services that `/metrics` has by name, the worst first; it says how many were left out.",
    )
    max_window_days: float = Field(
        400.0, gt=0, le=36525, description="Longest range of time one request may ask for [days]."
    )
    max_answer: float = Field(32.0, gt=0, le=1024, description="Largest answer of the API [MB].")

    demo_seed: int = Field(7, ge=0, description="Seed of the demo shop: the same seed gives the same data.")
    demo_days: float = Field(7.0, gt=0, le=60, description="Demo history made at the first start [days].")
    demo_live_fault: float = Field(
        75.0, ge=0, le=3600, description="Demo: a fault begins this long after the server has started [s]."
    )

    audit_file: Path | None = Field(
        None, description="File to append the audit log to as JSON lines, beside the store."
    )
    keep_audit_days: float = Field(365.0, gt=0, description="Age at which audit entries are removed [days].")
    log_format: Literal["text", "json"] = Field(
        "text", description="Log lines for people, or one JSON object each; `json` has one for every request."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line shown.")

    @field_validator("calls")
    @classmethod
    def _calls_can_be(cls, calls: dict[str, Names]) -> dict[str, Names]:
        return checked_calls(calls)

    @model_validator(mode="after")
    def _sources_are_whole(self) -> Self:
        """What is set for the one Prometheus is checked as what is set for one of several."""
        if "prometheus" in self.sources and self.prometheus_url:
            raise ValueError("[sources.prometheus] and prometheus_url are both set: keep one, or name it otherwise")
        try:
            _ = self.prometheus_servers
        except ValidationError as error:  # the fields of a flat setting have been checked: this is about several
            raise ValueError(str(error.errors()[0]["msg"]).removeprefix("Value error, ")) from None
        return self

    @model_validator(mode="after")
    def _tls_is_whole(self) -> Self:
        for file in filter(None, (self.tls_cert, self.tls_key)):
            if not file.is_file():
                raise ValueError(f"there is no file {file}: tls_cert and tls_key name the certificate and its key")
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: set both or none")
        return self

    @model_validator(mode="after")
    def _sign_in_is_whole(self) -> Self:
        if self.jwt_secret and self.jwt_jwks:
            raise ValueError("jwt_secret and jwt_jwks are both set: keep one")
        if (self.jwt_secret or self.jwt_jwks) and not (self.jwt_audience and self.jwt_issuer):
            raise ValueError("tokens are checked for whom and by whom they were made: set jwt_audience and jwt_issuer")
        issuer = urlsplit(self.jwt_jwks or "")
        if issuer.scheme == "http" and not is_loopback(issuer.hostname or ""):
            raise ValueError(f"jwt_jwks = {self.jwt_jwks}: keys are fetched over https only")
        if (self.login == "basic") != (self.login_file is not None):
            raise ValueError("login = basic and login_file belong together: set both or none")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=config_file())
        return init_settings, env_settings, toml

    @property
    def prometheus_servers(self) -> dict[str, SourceSettings]:
        """Every Prometheus by name; the one of `prometheus_url` is called ``"prometheus"``."""
        shared = {name: getattr(self, name) for name in ("presets", "include", "exclude", "cluster_names")}
        if self.prometheus_url is None:
            return dict(self.sources)
        own = {name: getattr(self, f"prometheus_{name}") for name in SourceSettings.model_fields if name not in shared}
        return {"prometheus": SourceSettings(**own, **shared), **self.sources}

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine reaches the server."""
        return is_loopback(self.host)

    @property
    def source_name(self) -> str:
        """``"prometheus"`` where an address is set, else ``"demo"``."""
        return "prometheus" if self.prometheus_url or self.sources else "demo"


def settings_table() -> str:
    """All settings as a Markdown table, for Help, Settings."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        shown = field.default.get_secret_value() if isinstance(field.default, SecretStr) else field.default
        default = "" if field.default_factory or shown in (None, ()) else f"`{shown}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
