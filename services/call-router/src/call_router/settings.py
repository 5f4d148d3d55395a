"""Everything that call-router reads from its environment. Only `app` and `__main__` look at it."""

from datetime import timedelta
from pathlib import Path

from pydantic import Field, NonNegativeInt, PositiveInt, SecretStr

from fareline_chassis.settings import DemoSettings, HttpSettings, KafkaSettings, TelemetrySettings


class Settings(KafkaSettings, HttpSettings, TelemetrySettings, DemoSettings):
    """The settings of one router."""

    http_port: int = Field(default=8080, ge=0, le=65535, description="Port to listen on; 0 lets the system choose one.")
    fareline_accounts_file: Path = Field(description="The accounts file: which PBXs there are, with their secrets.")
    fareline_tokens_file: Path = Field(description="The tokens file: who may use the API.")
    order_binder_url: str = Field(default="http://127.0.0.1:8081", description="Where order-binder is asked.")
    order_binder_token: SecretStr = Field(description="Bearer token for order-binder, scope `bindings:lookup`.")
    router_data_dir: Path = Field(
        description="A directory of this router's own, kept across restarts: spool and snapshot."
    )
    router_node: str = Field(default="router-1", description="The name of this router in call events.")
    router_spool_limit_mb: PositiveInt = Field(default=1024, description="How much may wait for Kafka on disk.")
    router_lookup_timeout_ms: PositiveInt = Field(default=300, description="How long order-binder has to answer.")
    router_fill_wait_s: PositiveInt = Field(
        default=20, description="How long start-up waits for the replica before it serves without."
    )

    router_snapshot_every_s: PositiveInt = Field(
        default=300, description="How often what the router knows is written to disk, for a start without Kafka."
    )

    router_calls_at_once: PositiveInt = Field(
        default=256, description="How many webhooks may be under way; see docs/call-router.md for what gives way first."
    )
    router_calls_a_second: PositiveInt = Field(
        default=500, description="How many questions of one account are decided in a second."
    )
    router_drain_s: NonNegativeInt = Field(
        default=0, description="How long calls are still taken after SIGTERM, for load balancers to notice."
    )

    @property
    def drain(self) -> timedelta:
        """How long calls are still taken after SIGTERM."""
        return timedelta(seconds=self.router_drain_s)

    @property
    def snapshot_every(self) -> timedelta:
        """How often what the router knows is written to disk."""
        return timedelta(seconds=self.router_snapshot_every_s)

    @property
    def lookup_deadline(self) -> timedelta:
        """How long order-binder has to answer."""
        return timedelta(milliseconds=self.router_lookup_timeout_ms)

    @property
    def fill_wait(self) -> timedelta:
        """How long start-up waits for the replica."""
        return timedelta(seconds=self.router_fill_wait_s)

    @property
    def spool_limit_bytes(self) -> int:
        """How much may wait for Kafka on disk."""
        return self.router_spool_limit_mb * 1024 * 1024
