"""Load tenants and their numbers into a running order-binder: `load.py URL TENANTS_FILE`, the token in FARELINE_TOKEN.

Needs nothing but Python, so that it runs in any of the images. Harmless to repeat.
"""

import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

IN_THE_PATH = {"tenant", "e164", "numbers"}
REQUEST_SECONDS = 10


def put(url: str, token: str, document: dict[str, object]) -> None:
    """PUT what of `document` is not in the path already; a refusal ends the process with order-binder's own words."""
    body = json.dumps({name: value for name, value in document.items() if name not in IN_THE_PATH}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(url, data=body, method="PUT", headers=headers)  # noqa: S310 - the operator's URL
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS):  # noqa: S310
            pass
    except urllib.error.HTTPError as refused:
        sys.exit(f"PUT {url} was refused with {refused.code}: {refused.read(500).decode(errors='replace')}")
    except OSError as silent:
        sys.exit(f"PUT {url} was not answered: {silent}")


def main(base: str, file: str) -> None:
    """Load everything."""
    token = os.environ["FARELINE_TOKEN"]
    for tenant in json.loads(Path(file).read_text())["tenants"]:
        path = f"{base.rstrip('/')}/v1/tenants/{tenant['tenant']}"
        put(path, token, tenant)
        for number in tenant["numbers"]:
            put(f"{path}/numbers/{urllib.parse.quote(number['e164'], safe='')}", token, number)
        sys.stdout.write(f"{tenant['tenant']}: {len(tenant['numbers'])} numbers\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
