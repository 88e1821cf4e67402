"""Settings: read once at the entry point and passed down; no other module looks at the environment.

Later entries win: defaults, ``observatory.toml`` in the working folder (or the file named by
``OBSERVATORY_CONFIG``), variables ``OBSERVATORY_*``, arguments.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AnyHttpUrl, BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from observatory.errors import ConfigError

PREFIX = "OBSERVATORY_"


class ServiceOverride(BaseModel):
    """What is known about one service beyond its metrics: ``[services."shop/checkout"]``."""

    model_config = ConfigDict(extra="forbid")

    team: str | None = Field(None, description="Who owns it.")
    tier: str | None = Field(None, description="How much it matters, in your own words.")
    objective: float | None = Field(None, gt=0, lt=1, description="Availability objective (0–1).")
    latency_target: float | None = Field(None, gt=0, description="p95 users should see at most [s].")
    cpu_limit: float | None = Field(None, gt=0, description="CPU limit over all pods [cores].")
    memory_limit: float | None = Field(None, gt=0, description="Memory limit over all pods [bytes].")
    desired_pods: float | None = Field(None, gt=0, description="Pods that should be running.")


class Settings(BaseSettings):
    """Everything a user can set. The README's table is checked against this class."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, extra="forbid", frozen=True, env_nested_delimiter="__", env_ignore_empty=True
    )

    prometheus_url: AnyHttpUrl | None = Field(
        None, description="Address of your Prometheus. Without it the built-in demo shop is the source."
    )
    store: str = Field(
        default_factory=lambda known: (
            "observatory.duckdb" if known.get("prometheus_url") else "observatory-demo.duckdb"
        ),
        description="Path of a DuckDB file, `quack://host:port`, `ducklake:postgres:…` or `:memory:`. "
        "The demo has a file of its own.",
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
        None, gt=0, description="Age at which archived months are removed [days]; unset: never."
    )
    keep_rollup_days: float | None = Field(
        None, gt=0, description="Age at which roll-ups are removed, once their samples are gone [days]; unset: never."
    )
    keep_anomaly_days: float | None = Field(
        None, gt=0, description="Age at which ended anomalies are removed [days]; unset: never."
    )

    prometheus_timeout: float = Field(30.0, gt=0, le=600, description="Longest wait for one answer [s].")
    prometheus_token: SecretStr | None = Field(None, description="Bearer token sent to Prometheus.")
    prometheus_username: str | None = Field(None, description="User name for basic authentication.")
    prometheus_password: SecretStr | None = Field(None, description="Password for basic authentication.")
    prometheus_ca_file: Path | None = Field(None, description="CA certificates to trust instead of the system's.")
    presets: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Presets to query, the first that has a service wins. Empty: all that answer."
    )

    interval: float = Field(60.0, ge=1, le=3600, description="Time between collections, and step of the samples [s].")
    window: float = Field(
        300.0, ge=4, le=86400, description="Rate window of the queries [s]; at least four scrape intervals."
    )
    worker: bool = Field(True, description="Collect and detect in the background while serving.")

    detector: str = Field("ensemble", description="Name of the detector.")
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

    host: str = Field("127.0.0.1", description="Address the server binds. Only loopback is accepted so far.")
    port: int = Field(5006, ge=1, le=65535, description="Port of the dashboard and the REST API.")
    refresh: float = Field(30.0, ge=1, le=3600, description="Time between refreshes of an open page [s].")

    demo_seed: int = Field(7, ge=0, description="Seed of the demo shop: the same seed gives the same data.")
    demo_days: float = Field(7.0, gt=0, le=60, description="Demo history made at the first start [days].")
    demo_live_fault: float = Field(
        75.0, ge=0, le=3600, description="Demo: a fault begins this long after the server has started [s]."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line shown.")

    @field_validator("presets", mode="before")
    @classmethod
    def _split_names(cls, value: Any) -> Any:
        """``otel,process`` in a variable is a list in TOML."""
        return tuple(name.strip() for name in value.split(",") if name.strip()) if isinstance(value, str) else value

    @field_validator("host")
    @classmethod
    def _only_loopback(cls, value: str) -> str:
        """The dashboard has no login yet, so it must not be reachable from elsewhere."""
        if value not in ("127.0.0.1", "localhost"):
            raise ValueError("only loopback is served without a login: use 127.0.0.1 behind an authenticating proxy")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        toml = TomlConfigSettingsSource(settings_cls, toml_file=_config_file())
        return init_settings, env_settings, toml

    @property
    def source_name(self) -> str:
        """``"prometheus"`` where an address is set, else ``"demo"``."""
        return "prometheus" if self.prometheus_url else "demo"


def load_settings(**overrides: Any) -> Settings:
    """Settings from file, environment and `overrides`.

    Raises
    ------
    ConfigError
        Naming each setting that is wrong, its value and what was expected.
    """
    _refuse_unknown_variables()
    try:
        return Settings(**overrides)
    except ValidationError as error:
        lines = [_explain(dict(problem)) for problem in error.errors()]
        raise ConfigError("\n".join(lines)) from None
    except OSError as error:
        raise ConfigError(f"cannot read {error.filename}: {error.strerror}") from None
    except ValueError as error:  # TOMLDecodeError, and a variable that is no JSON
        raise ConfigError(f"cannot read the settings ({_config_file()} and {PREFIX}*): {error}") from None


def _config_file() -> Path:
    return Path(os.environ.get(f"{PREFIX}CONFIG", "observatory.toml"))


def _refuse_unknown_variables() -> None:
    """A mistyped variable would be ignored in silence."""
    import difflib

    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}CONFIG"}
    for name in os.environ:
        if name.startswith(PREFIX) and name.split("__")[0] not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {close[0]}?" if close else "see the README's table of settings"
            raise ConfigError(f"unknown setting {name}: {hint}")
    named = os.environ.get(f"{PREFIX}CONFIG")
    if named and not Path(named).is_file():
        raise ConfigError(f"{PREFIX}CONFIG names {named!r}, which is no file")


def _explain(problem: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    if problem["type"] == "extra_forbidden":
        return f"unknown setting {where!r} in {_config_file()}: see the README's table of settings"
    secret = any(word in where for word in ("token", "password", "s3"))
    value = "" if secret else f" = {problem['input']!r}"
    message = str(problem["msg"]).removeprefix("Value error, ")
    variable = f"{PREFIX}{str(problem['loc'][0]).upper()}" if problem["loc"] else PREFIX
    return f"setting {where}{value}: {message} (set it with {variable} or in {_config_file()})"


def settings_table() -> str:
    """All settings as a Markdown table, for the README."""
    rows = ["| variable | default | |", "|---|---|---|"]
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default in (None, ()) else f"`{field.default}`"
        rows.append(f"| `{PREFIX}{name.upper()}` | {default} | {field.description} |")
    return "\n".join(rows)
