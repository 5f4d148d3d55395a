"""The settings of recording-ingest, from the environment."""

from collections.abc import Sequence
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PositiveInt

from fareline_chassis.settings import DemoSettings, HttpSettings, KafkaSettings, PostgresSettings, TelemetrySettings


def _seconds(value: object) -> object:
    try:
        return timedelta(seconds=float(value)) if isinstance(value, str) else value
    except (ValueError, OverflowError):
        return value


def _listed(text: str) -> list[str]:
    return [one for one in map(str.strip, text.split(",")) if one]


def _proxies(text: str) -> str:
    for one in _listed(text):
        try:
            ip_network(one)
        except ValueError:
            raise ValueError(
                f"{one} is neither an address nor a network, such as 10.42.0.0/16 (without bits beyond its length)"
            ) from None
    return text


Duration = Annotated[timedelta, BeforeValidator(_seconds)]


class KeySettings(PostgresSettings, DemoSettings):
    """What a command needs that goes through the database and opens phones."""

    fareline_phone_keys_file: Path = Field(description="Keys under which phones are kept: docs/phones-at-rest.md.")


class Settings(KafkaSettings, PostgresSettings, HttpSettings, TelemetrySettings, DemoSettings):
    """Everything that can be set. Lengths of time are seconds (`0.5`), or ISO 8601 (`PT0.5S`)."""

    http_port: int = Field(default=8082, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    fareline_tokens_file: Path = Field(description="Bearer tokens of the HTTP interface.")
    fareline_accounts_file: Path = Field(description="The PBX accounts.")
    fareline_phone_keys_file: Path = Field(description="Keys under which phones are kept: docs/phones-at-rest.md.")
    storage_url: str = Field(description="Where audio is kept: a directory, `file://…`, `s3://…`, `az://…`, `gs://…`.")
    scratch_dir: Path | None = Field(default=None, description="Files in the making, for storage that is no directory.")
    download_workers: PositiveInt = Field(default=4, description="Downloads at a time.")
    download_max_bytes: PositiveInt = Field(default=500 * 1024 * 1024, description="Larger recordings are refused.")
    download_timeout: Duration = Field(default=timedelta(minutes=10), description="For one whole download.")
    download_attempts: PositiveInt = Field(default=8, description="Attempts before a recording counts as missing.")
    download_first_retry: Duration = Field(
        default=timedelta(seconds=10), description="Pause after a first failure; later ones double, to 30 min."
    )
    download_lease: Duration = Field(
        default=timedelta(seconds=30), description="How long a killed worker's recording waits for another."
    )
    download_poll: Duration = Field(default=timedelta(milliseconds=500), description="How often the queue is asked.")
    retention_every: Duration = Field(
        default=timedelta(days=1), description="How often what is older than tenants' policies allow is removed."
    )
    recording_reason_required: bool = Field(
        default=False, description="Whether nobody listens without `X-Access-Reason`, for the access log."
    )
    forwarded_allow_ips: Annotated[str, AfterValidator(_proxies)] = Field(
        default="",
        description="Proxies whose `X-Forwarded-For` is believed, for the access log: addresses and networks, between"
        " commas. Nobody's by default.",
    )
    ready_delay: Duration = Field(
        default=timedelta(seconds=15), description="Pause between a recording announced without URL and its request."
    )

    @property
    def trusted_proxies(self) -> Sequence[str]:
        """The addresses and networks in `forwarded_allow_ips`."""
        return _listed(self.forwarded_allow_ips)
