#!/usr/bin/env bash
# The programs of `make deploy-check`: deploy/checks.lock into .venv-deploy, and promtool out of Debian's package beside them.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=.venv-deploy
if [ ! -e "$venv/.complete" ] || [ deploy/checks.lock -nt "$venv/.complete" ]; then
  echo "Making the environment of the checks in $venv (about a minute)…"
  "${PYTHON:-python3}" -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r deploy/checks.lock
  touch "$venv/.complete"
fi
if ! command -v promtool >/dev/null && [ ! -x "$venv/bin/promtool" ]; then
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  if (cd "$work" && apt-get -q download prometheus) >/dev/null 2>&1; then
    dpkg -x "$work"/prometheus_*.deb "$work/unpacked"
    install -m 755 "$work/unpacked/usr/bin/promtool" "$venv/bin/promtool"
  else
    echo "promtool cannot be had here: the rules are not run" >&2
  fi
fi
