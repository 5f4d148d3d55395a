"""The accounts file: which PBXs there are, read by call-router and recording-ingest alike.

One JSON document `{"accounts": [...]}`, mounted as a secret: it holds keys. Shape of one entry: `Account`.
"""

import enum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, ValidationError

from fareline_contracts.fields import E164, Record, Region, Tenant, Text


class AccountKind(enum.StrEnum):
    """Which adapter speaks with the PBX."""

    ZADARMA = "zadarma"
    TWILIO = "twilio"
    ASTERISK = "asterisk"
    FREESWITCH = "freeswitch"
    GENERIC = "generic"


class Line(Record):
    """A Zadarma extension: the caller ID it shows, whether it records, and how many calls it takes at once."""

    ext: Text
    caller_id: E164
    record: bool
    lines: Annotated[int, Field(ge=1)] = 3
    verified: bool = True


class RecordingSource(Record):
    """Where recordings of this account may be fetched from.

    `allowed_hosts` are names without port; `allow_private_hosts` lets them resolve to private addresses and is
    honoured by the demo only. `api_base`, `api_key` and `api_secret` are the vendor's REST API.
    """

    allowed_hosts: tuple[Text, ...] = ()
    allow_private_hosts: bool = False
    api_base: Text | None = None
    api_key: SecretStr | None = None
    api_secret: SecretStr | None = None
    retention_days: Annotated[int, Field(ge=1)] | None = None
    """How long the PBX keeps a recording."""
    retention_bytes: Annotated[int, Field(ge=1)] | None = None
    """How much the PBX keeps: a new recording that does not fit pushes the oldest out. Both bounds may be set."""
    requests_per_minute: Annotated[int, Field(ge=1)] | None = None
    """What recording-ingest may take of the account's rate limit, over all its processes."""
    audio_format: Literal["wav", "mp3"] | None = None
    """Which form to ask Twilio for; None: as its URL says."""


class Account(Record):
    """One configured PBX. `targets` maps the names that routes use to what this PBX understands."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
    kind: AccountKind
    tenants: Annotated[tuple[Tenant, ...], Field(min_length=1)]
    secrets: Annotated[tuple[SecretStr, ...], Field(min_length=1, max_length=2)]
    default_route: Text = "operator"
    default_region: Region
    targets: dict[str, str] = Field(default_factory=dict)
    prompts: dict[str, str] = Field(default_factory=dict)
    """Our prompt names to the PBX's; a name that is absent is used as it is."""
    timezone: Text = "UTC"
    operator_phone: E164 | None = None
    can_ask: bool = True
    can_announce: bool = True
    lines: tuple[Line, ...] = ()
    recordings: RecordingSource = RecordingSource()


class AccountsFile(Record):
    """The whole file; account names are unique."""

    accounts: tuple[Account, ...]


class AccountsUnusable(Exception):
    """The accounts file cannot be used; the message says where and why, without any secret."""


def load_accounts(path: Path, *, demo: bool) -> dict[str, Account]:
    """Read the accounts file and return its accounts by name.

    Raises AccountsUnusable for a missing or invalid file, a name given twice, or a demo secret outside the demo.
    """
    try:
        found = AccountsFile.model_validate_json(path.read_bytes()).accounts
    except OSError as error:
        raise AccountsUnusable(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise AccountsUnusable(f"{path}: {place}: {first['msg']}") from None
    by_name = {account.name: account for account in found}
    if len(by_name) != len(found):
        raise AccountsUnusable(f"{path}: an account name is given twice")
    if not demo:
        _refuse_demo_secrets(path, found)
    return by_name


def _refuse_demo_secrets(path: Path, accounts: tuple[Account, ...]) -> None:
    published = ("fareline-demo", "whsec_ZmFyZWxpbmUtZGVtby")
    for account in accounts:
        if any(secret.get_secret_value().startswith(published) for secret in account.secrets):
            raise AccountsUnusable(f"{path}: {account.name}: a demo secret works only with FARELINE_DEMO=1")
