"""Pieces of settings, read from the environment; a service's `Settings` inherits from those it needs.

`class Settings(KafkaSettings, PostgresSettings, HttpSettings, TelemetrySettings)`. The attributes are the names of the
environment variables in lower case: `KAFKA_BOOTSTRAP` is read as `settings.kafka_bootstrap`. A variable that is set to
nothing counts as absent. What is secret may stand in a file instead, one for each variable, named like it in lower
case, in the directory that `FARELINE_SECRETS_DIR` names; the environment goes first.

Nothing is read at import: call `load_settings(Settings)` in the entry point.
"""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal, Self, TypeVar
from urllib.parse import quote

from pydantic import BeforeValidator, Field, PositiveInt, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from fareline_chassis.kafka.cluster import KafkaCluster, Login, Mechanism, Tls
from fareline_chassis.privacy import redact_phones

SECRETS_DIR = "FARELINE_SECRETS_DIR"
_UNUSABLE = 2

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


class FarelineSettings(BaseSettings):
    """What all pieces have in common: case-insensitive names, unknown variables ignored, nothing changed later."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", frozen=True, env_ignore_empty=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the signature is the library's
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the environment, then the files of `FARELINE_SECRETS_DIR`. Raises SettingsError for no directory."""
        usual = (init_settings, env_settings)
        folder = os.environ.get(SECRETS_DIR)
        if not folder:
            return usual
        if not Path(folder).is_dir():
            raise SettingsError(f"{SECRETS_DIR} is no directory")
        return *usual, SecretsSettingsSource(settings_cls, secrets_dir=folder)


class KafkaSettings(FarelineSettings):
    """How to reach Kafka."""

    kafka_bootstrap: str = Field(description="Bootstrap servers, `host:port[,host:port]`.")
    kafka_topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,60}$",
        description="Put before the name of every topic and consumer group: keeps deployments or tests apart.",
    )
    kafka_tls: bool = Field(default=False, description="Speak TLS, and check the brokers' certificates.")
    kafka_ca_file: Path | None = Field(default=None, description="Authorities to trust instead of the system's, PEM.")
    kafka_cert_file: Path | None = Field(default=None, description="A client certificate to show, PEM.")
    kafka_key_file: Path | None = Field(default=None, description="The key of the client certificate, PEM.")
    kafka_sasl_mechanism: Mechanism = Field(default="SCRAM-SHA-512", description="How to log in, if there is a user.")
    kafka_username: str | None = Field(default=None, description="Log in by SASL as this user.")
    kafka_password_file: Path | None = Field(default=None, description="File with the password of that user.")

    @model_validator(mode="after")
    def _whole_credentials(self) -> Self:
        if (self.kafka_username is None) != (self.kafka_password_file is None):
            raise ValueError("KAFKA_USERNAME and KAFKA_PASSWORD_FILE go together")
        if self.kafka_cert_file and not self.kafka_tls:
            raise ValueError("KAFKA_CERT_FILE needs KAFKA_TLS=1")
        return self

    @property
    def kafka(self) -> KafkaCluster:
        """The cluster that these settings describe."""
        tls = Tls(self.kafka_ca_file, self.kafka_cert_file, self.kafka_key_file) if self.kafka_tls else None
        login = None
        if self.kafka_username is not None and self.kafka_password_file is not None:
            login = Login(self.kafka_sasl_mechanism, self.kafka_username, self.kafka_password_file)
        return KafkaCluster(self.kafka_bootstrap, tls, login)


class PostgresSettings(FarelineSettings):
    """How to reach PostgreSQL."""

    database_url: SecretStr = Field(description="`postgresql://user:password@host:port/database`.")
    database_ca_file: Path | None = Field(
        default=None, description="Speak TLS, and accept only a server that this authority has certified, PEM."
    )
    database_pool_min: PositiveInt = Field(default=1, description="Connections kept open.")
    database_pool_max: PositiveInt = Field(default=8, description="Connections opened at most.")

    @property
    def dsn(self) -> str:
        """The whole address for asyncpg, password included."""
        url = self.database_url.get_secret_value()
        if self.database_ca_file is None:
            return url
        checked = f"sslmode=verify-full&sslrootcert={quote(str(self.database_ca_file), safe='/')}"
        return f"{url}{'&' if '?' in url else '?'}{checked}"

    @model_validator(mode="after")
    def _pool_sizes_in_order(self) -> Self:
        if self.database_pool_min > self.database_pool_max:
            raise ValueError("DATABASE_POOL_MIN is above DATABASE_POOL_MAX")
        return self


class HttpSettings(FarelineSettings):
    """Where the service listens."""

    http_host: str = Field(default="127.0.0.1", description="Address to listen on.")
    http_port: int = Field(ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")


class TelemetrySettings(FarelineSettings):
    """What the service tells about itself, and to whom."""

    log_level: LogLevel = Field(default="INFO", description="Least level written: DEBUG, INFO, WARNING or ERROR.")
    otel_exporter_otlp_endpoint: str | None = Field(
        default=None,
        description="Base URL of an OTLP collector over HTTP; without it no trace is exported.",
    )
    otel_traces_sampler_arg: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Share of traces begun here that are recorded; a trace begun elsewhere keeps its own mark.",
    )


class DemoSettings(FarelineSettings):
    """Whether the published demo secrets may be used."""

    fareline_demo: bool = Field(default=False, description="Accept the demo's secrets, which everybody knows.")


S = TypeVar("S", bound=BaseSettings)


def load_settings(settings: type[S], *, say: Callable[[str], object] | None = None) -> S:
    """Read `settings` from the environment, or end the process with code 2 and one line for each unusable variable.

    `say` takes the text, standard error without it. Names are told, values never: they may be secrets.
    Raises SystemExit(2).
    """
    try:
        return settings()
    except ValidationError as error:
        problems = [_problem(str(place), kind, text) for place, kind, text in _places(error)]
    except SettingsError as error:
        problems = [redact_phones(str(error))]
    tell = say or sys.stderr.write
    tell("cannot start, settings from the environment are unusable:\n" + "".join(f"  {line}\n" for line in problems))
    raise SystemExit(_UNUSABLE)


def _places(error: ValidationError) -> list[tuple[str, str, str]]:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return [("_".join(str(part) for part in one["loc"]).upper(), one["type"], one["msg"]) for one in found]


def _problem(name: str, kind: str, text: str) -> str:
    if kind == "missing":
        return f"{name} is not set"
    text = redact_phones(text.removeprefix("Value error, "))
    return f"{name}: {text}" if name else text
