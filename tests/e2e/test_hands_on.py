"""The page docs/hands-on.md, command by command, as its reader types them."""

import os
import re
import subprocess

import pytest

from fareline_devstack.ports import is_free

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands_of(page):
    """Return the shell commands of a page as one script that ends at the first command that fails."""
    return "set -euo pipefail\n" + "".join(BLOCK.findall(page.read_text()))


@pytest.fixture
def shell(repository_root):
    """Run a script in the repository, on ports that nobody uses; whatever it leaves running is stopped."""
    base = next(port for port in range(18_080, 19_000, 10) if all(is_free(port + n) for n in range(3)))
    environment = {**os.environ, "FARELINE_HTTP_BASE": str(base), "NO_COLOR": "1", "COLUMNS": "200"}

    def run(script):
        return subprocess.run(
            ["bash", "-c", script], cwd=repository_root, env=environment, capture_output=True, text=True, check=False
        )

    yield run
    run("make down")


def test_every_command_of_the_page_does_what_the_page_says(shell, repository_root):
    done = shell(commands_of(repository_root / "docs" / "hands-on.md"))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    said = done.stdout
    binding = re.search(r'\{[^\n]*"state":"active"[^\n]*\}', said)
    assert binding, said
    assert '"number":"+74950000201"' in binding[0].replace(" ", "")
    calls = [line for line in said.splitlines() if line.startswith("c-")]
    assert "ring" in calls[0]
    assert "926" in calls[0], calls
    assert "903" in calls[1], calls
    assert "wait for a code" in calls[2], calls
    assert re.search(r"^single_order: dial", said, re.MULTILINE), said
    assert said.count('"order_id":"o-1"') >= 2


def test_a_command_that_fails_ends_the_page(shell, tmp_path):
    (tmp_path / "page.md").write_text("```sh\ntrue\nfalse\necho went on\n```\n")
    done = shell(commands_of(tmp_path / "page.md"))
    assert done.returncode == 1
    assert "went on" not in done.stdout
