"""Load tenants and their numbers into a running order-binder, by its own HTTP interface."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx

from fareline_devstack.errors import DevstackError

TENANTS_FILE = "tenants.json"
IN_THE_PATH = {"tenant", "e164", "numbers"}
REQUEST_SECONDS = 10.0


def load_demo(order_binder_url: str, token: str, folder: Path) -> list[str]:
    """Put every tenant of `folder`/tenants.json and its numbers; return the tenants' names. Harmless to repeat.

    The file: `{"tenants": [{"tenant", "region", "policy", "staff", "numbers": [{"e164", "role", …}]}]}`. Raises
    `DevstackError` with order-binder's own words when it refuses something or does not answer.
    """
    tenants = json.loads((folder / TENANTS_FILE).read_text())["tenants"]
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=order_binder_url, headers=headers, timeout=REQUEST_SECONDS, trust_env=False) as client:
        for tenant in tenants:
            path = f"/v1/tenants/{tenant['tenant']}"
            _put(client, path, tenant)
            for number in tenant["numbers"]:
                _put(client, f"{path}/numbers/{quote(number['e164'], safe='')}", number)
    return [tenant["tenant"] for tenant in tenants]


def _put(client: httpx.Client, path: str, document: dict[str, Any]) -> None:
    body = {name: value for name, value in document.items() if name not in IN_THE_PATH}
    try:
        answer = client.put(path, json=body)
    except httpx.HTTPError as silent:
        raise DevstackError(f"order-binder did not answer PUT {path}: {silent!r}") from silent
    if not answer.is_success:
        raise DevstackError(f"order-binder refused PUT {path} with {answer.status_code}: {answer.text[:500]}")
