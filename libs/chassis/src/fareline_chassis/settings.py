"""Pieces of settings, read from the environment; a service's `Settings` inherits from those it needs.

`class Settings(KafkaSettings, PostgresSettings, HttpSettings, TelemetrySettings)`. The attributes are the names of the
environment variables in lower case: `KAFKA_BOOTSTRAP` is read as `settings.kafka_bootstrap`. A variable that is set to
nothing counts as absent. Nothing is read at import: call `load_settings(Settings)` in the entry point.
"""

import sys
from collections.abc import Callable
from typing import Annotated, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, PositiveInt, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from fareline_chassis.privacy import redact_phones

_UNUSABLE = 2

LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR"],
    BeforeValidator(lambda value: value.upper() if isinstance(value, str) else value),
]


class FarelineSettings(BaseSettings):
    """What all pieces have in common: case-insensitive names, unknown variables ignored, nothing changed later."""

    model_config = SettingsConfigDict(case_sensitive=False, extra="ignore", frozen=True, env_ignore_empty=True)


class KafkaSettings(FarelineSettings):
    """How to reach Kafka."""

    kafka_bootstrap: str = Field(description="Bootstrap servers, `host:port[,host:port]`.")
    kafka_topic_prefix: str = Field(
        default="",
        pattern=r"^[a-zA-Z0-9._-]{0,60}$",
        description="Put before the name of every topic and consumer group: keeps deployments or tests apart.",
    )


class PostgresSettings(FarelineSettings):
    """How to reach PostgreSQL."""

    database_url: SecretStr = Field(description="`postgresql://user:password@host:port/database`.")
    database_pool_min: PositiveInt = Field(default=1, description="Connections kept open.")
    database_pool_max: PositiveInt = Field(default=8, description="Connections opened at most.")

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
