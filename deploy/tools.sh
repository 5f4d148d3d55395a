#!/usr/bin/env bash
# The programs of `make deploy-check`: deploy/checks.lock into .venv-deploy, and beside them promtool out of Debian's package and
# OpenTelemetry's collector, built by Go. What cannot be had is said here, and its tests skip, or fail with FARELINE_REQUIRE_TOOLS.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
venv=.venv-deploy
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

if [ ! -e "$venv/.complete" ] || [ deploy/checks.lock -nt "$venv/.complete" ]; then
  echo "Making the environment of the checks in $venv (about a minute)…"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r deploy/checks.lock
  touch "$venv/.complete"
fi

if ! command -v promtool >/dev/null && [ ! -x "$venv/bin/promtool" ]; then
  if (cd "$work" && apt-get -q download prometheus) >/dev/null 2>&1; then
    dpkg -x "$work"/prometheus_*.deb "$work/unpacked"
    install -m 755 "$work/unpacked/usr/bin/promtool" "$venv/bin/promtool"
  else
    echo "promtool cannot be had here: the rules are not run" >&2
  fi
fi

build_collector() {
  rm -f "$venv/bin/otelcol"
  version=$(sed -n 's/.*otlpreceiver //p' deploy/otelcol.yaml)
  (cd "$work" && CGO_ENABLED=0 timeout 900 go run "go.opentelemetry.io/collector/cmd/builder@$version" --config "$root/deploy/otelcol.yaml") \
    >"$work/build.log" 2>&1 && install -m 755 "$work/otelcol/otelcol" "$venv/bin/otelcol"
}
if ! command -v otelcol >/dev/null && [ ! "$venv/bin/otelcol" -nt deploy/otelcol.yaml ]; then
  if ! command -v go >/dev/null; then
    echo "Go is not installed: the collector's configuration is not judged by the collector" >&2
  elif echo "Building the collector in $venv (a few minutes)…" && ! build_collector; then
    tail -n 3 "$work/build.log" >&2
    echo "the collector cannot be built here: its configuration is not judged by it" >&2
  fi
fi
