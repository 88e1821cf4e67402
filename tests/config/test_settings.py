"""Settings come from defaults, file, environment and arguments, and a wrong one is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from observatory.config import Settings, load_settings
from observatory.errors import ConfigError


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_demo_is_the_source_until_a_prometheus_is_named() -> None:
    assert load_settings().source_name == "demo"
    assert load_settings(prometheus_url="http://127.0.0.1:9090").source_name == "prometheus"


def test_demo_and_real_samples_never_share_a_file_by_default() -> None:
    assert load_settings().store == "observatory-demo.duckdb"
    assert load_settings(prometheus_url="http://127.0.0.1:9090").store == "observatory.duckdb"
    assert load_settings(store="mine.duckdb").store == "mine.duckdb"


def test_later_sources_win(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "observatory.toml").write_text("interval = 30\nport = 6000\nwindow = 600\n")
    monkeypatch.setenv("OBSERVATORY_PORT", "6001")
    monkeypatch.setenv("OBSERVATORY_WINDOW", "700")
    settings = load_settings(window=800)
    assert (settings.interval, settings.port, settings.window) == (30, 6001, 800)


def test_services_are_described_in_the_file(empty_folder: Path) -> None:
    (empty_folder / "observatory.toml").write_text('[services."shop/checkout"]\nobjective = 0.99\nteam = "buy"\n')
    assert load_settings().services["shop/checkout"].objective == 0.99


def test_lists_are_separated_by_commas_in_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PRESETS", "otel, process")
    assert load_settings().presets == ("otel", "process")


def test_another_file_can_be_named(empty_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (empty_folder / "prod.toml").write_text("port = 7000\n")
    monkeypatch.setenv("OBSERVATORY_CONFIG", "prod.toml")
    assert load_settings().port == 7000
    monkeypatch.setenv("OBSERVATORY_CONFIG", "none.toml")
    with pytest.raises(ConfigError, match=r"OBSERVATORY_CONFIG names 'none.toml', which is no file"):
        load_settings()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("interval", -1, r"setting interval = -1: .*greater than.*OBSERVATORY_INTERVAL"),
        ("port", "http", r"setting port = 'http': .*integer"),
        ("prometheus_url", "localhost:9090", r"setting prometheus_url = 'localhost:9090': .*URL"),
        ("login", "basic", r"login = basic and login_file belong together"),
        ("jwt_secret", "x" * 32, r"set jwt_audience and jwt_issuer"),
        ("jwt_jwks", "http://keys.example", r"set jwt_audience and jwt_issuer"),
        ("log_level", "LOUD", r"setting log_level = 'LOUD'.*'DEBUG'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value_and_the_way_out(name: str, value: object, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_settings(**{name: value})


def test_a_mistyped_variable_is_not_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PROMETEUS_URL", "http://127.0.0.1:9090")
    with pytest.raises(ConfigError, match="did you mean OBSERVATORY_PROMETHEUS_URL"):
        load_settings()


def test_a_mistyped_or_malformed_file_is_refused(empty_folder: Path) -> None:
    file = empty_folder / "observatory.toml"
    file.write_text("intervall = 30\n")
    with pytest.raises(ConfigError, match=r"unknown setting 'intervall' in observatory\.toml"):
        load_settings()
    file.write_text("interval = = 30\n")
    with pytest.raises(ConfigError, match=r"observatory\.toml"):
        load_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_PROMETHEUS_TOKEN", "hunter2")
    settings = load_settings()
    assert "hunter2" not in repr(settings)
    assert settings.prometheus_token is not None
    assert settings.prometheus_token.get_secret_value() == "hunter2"


def test_every_setting_has_a_description() -> None:
    assert all(field.description for field in Settings.model_fields.values())


def test_several_prometheis_are_named_and_one_way_to_log_in_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OBSERVATORY_SOURCES__EU__URL", "http://eu:9090")
    monkeypatch.setenv("OBSERVATORY_PROMETHEUS_URL", "http://us:9090")
    monkeypatch.setenv("OBSERVATORY_PRESETS", "otel, process")
    settings = load_settings()
    assert {name: str(source.url) for name, source in settings.prometheus_servers.items()} == {
        "prometheus": "http://us:9090/",
        "eu": "http://eu:9090/",
    }
    assert settings.prometheus_servers["prometheus"].presets == ("otel", "process")
    with pytest.raises(ConfigError, match="token and username are both set") as raised:
        load_settings(prometheus_token="geheim", prometheus_username="me")
    assert "geheim" not in str(raised.value)


def test_the_demo_and_real_sources_have_stores_of_their_own() -> None:
    assert load_settings().store == "observatory-demo.duckdb"
    assert load_settings(sources={"eu": {"url": "http://eu"}}).store == "observatory.duckdb"
