"""Settings of order-binder, read from the environment."""

from pathlib import Path

from pydantic import Field, PositiveFloat, PositiveInt

from fareline_chassis.settings import DemoSettings, HttpSettings, KafkaSettings, PostgresSettings, TelemetrySettings


class Settings(KafkaSettings, PostgresSettings, HttpSettings, TelemetrySettings, DemoSettings):
    """Everything that may be set."""

    http_port: int = Field(default=8081, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    fareline_tokens_file: Path = Field(description="JSON file with the digests of the accepted bearer tokens.")
    order_batch_records: PositiveInt = Field(
        default=500, description="Order events handled in one transaction at most."
    )
    sweep_every_s: PositiveFloat = Field(default=60.0, description="Seconds between two sweeps of windows.")
