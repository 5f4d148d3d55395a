from pathlib import Path

import pytest
from pydantic import SecretStr

from fareline_chassis.kafka.cluster import KafkaCluster, Login, Tls
from fareline_chassis.settings import (
    DemoSettings,
    HttpSettings,
    KafkaSettings,
    PostgresSettings,
    TelemetrySettings,
    load_settings,
)


class EverySettings(KafkaSettings, PostgresSettings, HttpSettings, TelemetrySettings, DemoSettings):
    """A service that uses all pieces."""


VARIABLES = [name.upper() for name in EverySettings.model_fields]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    return monkeypatch


@pytest.fixture
def usable(environment: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    environment.setenv("KAFKA_BOOTSTRAP", "kafka:9092")
    environment.setenv("DATABASE_URL", "postgresql://u:hidden-word@db/x")
    environment.setenv("HTTP_PORT", "8081")
    return environment


def refusal(settings: type[EverySettings] = EverySettings) -> str:
    said: list[str] = []
    with pytest.raises(SystemExit) as end:
        load_settings(settings, say=said.append)
    assert end.value.code == 2
    return "".join(said)


def test_pieces_compose_and_have_defaults(usable: pytest.MonkeyPatch) -> None:
    settings = load_settings(EverySettings)
    assert settings.kafka_bootstrap == "kafka:9092"
    assert settings.kafka_topic_prefix == ""
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8081)
    assert (settings.database_pool_min, settings.database_pool_max) == (1, 8)
    assert settings.log_level == "INFO"
    assert settings.otel_exporter_otlp_endpoint is None
    assert settings.fareline_demo is False


def test_names_are_case_insensitive_and_levels_too(usable: pytest.MonkeyPatch) -> None:
    usable.setenv("log_level", "debug")
    usable.setenv("fareline_demo", "1")
    settings = load_settings(EverySettings)
    assert settings.log_level == "DEBUG"
    assert settings.fareline_demo is True


def test_a_variable_set_to_nothing_is_absent(usable: pytest.MonkeyPatch) -> None:
    usable.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")
    usable.setenv("KAFKA_BOOTSTRAP", "")
    assert "KAFKA_BOOTSTRAP is not set" in refusal()


def test_every_missing_variable_is_named(environment: pytest.MonkeyPatch) -> None:
    said = refusal()
    for name in ("KAFKA_BOOTSTRAP", "DATABASE_URL", "HTTP_PORT"):
        assert f"{name} is not set" in said
    assert "Traceback" not in said


def test_it_is_said_on_standard_error(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        load_settings(EverySettings)
    assert "HTTP_PORT is not set" in capsys.readouterr().err


def test_an_unusable_value_is_named_but_not_shown(usable: pytest.MonkeyPatch) -> None:
    usable.setenv("HTTP_PORT", "79031112233")
    usable.setenv("KAFKA_TOPIC_PREFIX", "a secret/thing")
    said = refusal()
    assert "HTTP_PORT: " in said
    assert "KAFKA_TOPIC_PREFIX: " in said
    assert "79031112233" not in said
    assert "secret" not in said


def test_pool_sizes_must_fit(usable: pytest.MonkeyPatch) -> None:
    usable.setenv("DATABASE_POOL_MIN", "9")
    assert "DATABASE_POOL_MIN is above DATABASE_POOL_MAX" in refusal()


def test_secrets_are_not_shown(usable: pytest.MonkeyPatch) -> None:
    settings = load_settings(EverySettings)
    assert isinstance(settings.database_url, SecretStr)
    assert "hidden-word" not in repr(settings)


def test_every_field_is_described() -> None:
    assert [name for name, field in EverySettings.model_fields.items() if not field.description] == []


def test_secrets_may_stand_in_files_and_the_environment_goes_first(usable: pytest.MonkeyPatch, tmp_path: Path) -> None:
    usable.setenv("FARELINE_SECRETS_DIR", str(tmp_path))
    usable.delenv("DATABASE_URL")
    (tmp_path / "database_url").write_text("postgresql://u:word-in-a-file@db/x\n")
    (tmp_path / "http_port").write_text("1")
    settings = load_settings(EverySettings)
    assert settings.database_url == SecretStr("postgresql://u:word-in-a-file@db/x")
    assert settings.http_port == 8081


def test_a_missing_folder_of_secrets_is_named(usable: pytest.MonkeyPatch) -> None:
    usable.setenv("FARELINE_SECRETS_DIR", "/nowhere")
    assert "FARELINE_SECRETS_DIR is no directory" in refusal()


def test_kafka_is_spoken_to_in_the_clear_unless_told_otherwise(usable: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert load_settings(EverySettings).kafka == KafkaCluster("kafka:9092")
    usable.setenv("KAFKA_TLS", "1")
    usable.setenv("KAFKA_USERNAME", "router")
    usable.setenv("KAFKA_PASSWORD_FILE", str(tmp_path / "password"))
    login = Login("SCRAM-SHA-512", "router", tmp_path / "password")
    assert load_settings(EverySettings).kafka == KafkaCluster("kafka:9092", Tls(), login)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"KAFKA_USERNAME": "router"}, "KAFKA_USERNAME and KAFKA_PASSWORD_FILE go together"),
        ({"KAFKA_CERT_FILE": "/x"}, "KAFKA_CERT_FILE needs KAFKA_TLS=1"),
        ({"KAFKA_SASL_MECHANISM": "GSSAPI"}, "KAFKA_SASL_MECHANISM: Input should be"),
    ],
)
def test_half_credentials_are_refused(usable: pytest.MonkeyPatch, variables: dict[str, str], said: str) -> None:
    for name, value in variables.items():
        usable.setenv(name, value)
    assert said in refusal()


def test_an_authority_for_the_database_makes_its_connections_checked_ones(
    usable: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert load_settings(EverySettings).dsn == "postgresql://u:hidden-word@db/x"
    usable.setenv("DATABASE_CA_FILE", "/run/our secrets/ca.crt")
    checked = "sslmode=verify-full&sslrootcert=/run/our%20secrets/ca.crt"
    assert load_settings(EverySettings).dsn == f"postgresql://u:hidden-word@db/x?{checked}"
    usable.setenv("DATABASE_URL", "postgresql://u:hidden-word@db/x?application_name=y")
    assert load_settings(EverySettings).dsn.endswith(f"application_name=y&{checked}")
