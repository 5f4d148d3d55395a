"""Write what in deploy/k8s is made of something else: topics, the PrometheusRule, and the rendered overlays.

    python -m deploy.k8s.generate             write everything; overlays only where kubectl or kustomize is installed
    python -m deploy.k8s.generate --check     exit 1 where something is not current

`make k8s` runs the first, the tests the second.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.generated import write_or_check

from fareline_contracts.strimzi import strimzi_topics

HERE = Path(__file__).parent
MONITORING = HERE / "components" / "monitoring"
OVERLAYS = ("dev", "staging", "prod")
RULE_HEAD = """\
# Written by `make k8s` from rules/: do not edit. promtool reads only plain rule files, so they are the source.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: fareline
spec:
  groups:
"""


def prometheus_rule() -> str:
    """Return the PrometheusRule with the groups of every plain rule file."""
    groups = []
    for path in sorted((MONITORING / "rules").glob("*.yml")):
        _, _, text = path.read_text().partition("groups:\n")
        groups.append("".join(f"  {line}\n" if line else "\n" for line in text.splitlines()))
    return RULE_HEAD + "".join(groups)


def renderer() -> list[str] | None:
    """Return how kustomize is called here, None where it is not installed."""
    if shutil.which("kustomize"):
        return ["kustomize", "build"]
    return ["kubectl", "kustomize"] if shutil.which("kubectl") else None


def rendered(overlay: str, command: list[str]) -> str:
    """Return an overlay as kustomize renders it."""
    done = subprocess.run(  # noqa: S603 - kustomize, on our own files
        [*command, str(HERE / "overlays" / overlay)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(done.stderr)
    return done.stdout


def files(command: list[str] | None) -> Iterator[tuple[Path, str]]:
    """Yield each generated file with its text; the later ones are made of the earlier ones."""
    yield HERE / "components/strimzi/topics.yaml", strimzi_topics("fareline")
    yield MONITORING / "prometheusrule.yaml", prometheus_rule()
    for overlay in OVERLAYS if command else ():
        yield HERE / "rendered" / f"{overlay}.yaml", rendered(overlay, command or [])


def main() -> int:
    """Write or check; return the exit status."""
    command = renderer()
    if command is None:
        sys.stdout.write("NOT RENDERED: neither kubectl nor kustomize is installed\n")
    return write_or_check(files(command), about=__doc__ or "", target="k8s")


if __name__ == "__main__":
    sys.exit(main())
