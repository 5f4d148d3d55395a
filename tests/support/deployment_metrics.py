"""Which metrics the services export, read from their running registries and their source; which an expression uses."""

import ast
import functools
import re
from pathlib import Path

import fareline_chassis

ROOT = Path(__file__).parents[2]
METRIC = re.compile(r"\b(?:fareline|process)[_:a-z0-9]+\b(?!\s*\()")
KINDS = {
    "Counter": ("_total",),
    "Gauge": ("",),
    "Histogram": ("_bucket", "_sum", "_count"),
    "Summary": ("_sum", "_count"),
}
# What Prometheus itself and the client library's collector of the process add.
FOREIGN = {"up", "process_cpu_seconds_total", "process_resident_memory_bytes", "process_open_fds"}


def metrics_in(expression):
    """Return the names of the metrics that an expression reads."""
    without_labels = re.sub(r"\{[^}]*\}|\bby \([^)]*\)", "", expression)
    return set(METRIC.findall(without_labels)) | ({"up"} if re.search(r"\bup\b", without_labels) else set())


@functools.cache
def exported_metrics():
    """Return every name that `/metrics` of some service can show."""
    sources = [*ROOT.glob("services/*/src"), Path(fareline_chassis.__file__).parent]
    trees = [ast.parse(path.read_text()) for source in sources for path in source.rglob("*.py")]
    return FOREIGN | {name for tree in trees for name in _names(tree)}


def _names(tree):
    prefixes = _helpers(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args:
            kind, name = node.func.id, node.args[0]
            if kind in KINDS and isinstance(name, ast.Constant):
                yield from (f"{name.value.removesuffix('_total')}{suffix}" for suffix in KINDS[kind])
            elif kind in prefixes and isinstance(name, ast.Constant):
                helper, prefix = prefixes[kind]
                yield from (f"{prefix}{name.value}{suffix}" for suffix in KINDS[helper])
    yield from _readings(tree)


def _helpers(tree):
    """Return {function: (kind, prefix)} for functions that make a metric of a name of their own and a prefix."""
    found = {}
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for node in ast.walk(function):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") in KINDS and node.args:
                    name = node.args[0]
                    if isinstance(name, ast.JoinedStr) and isinstance(name.values[0], ast.Constant):
                        found.setdefault(function.name, (node.func.id, name.values[0].value))
    return {name: helper for name, helper in found.items() if name != "__init__"}


def _readings(tree):
    """Yield the gauges that parts of call-router offer as `readings()`: {name: (text, function)}."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name == "readings":
            for node in ast.walk(function):
                if isinstance(node, ast.Dict):
                    yield from (f"fareline_router_{key.value}" for key in node.keys if isinstance(key, ast.Constant))
