"""Rules of the house that no linter knows, each with a function that a planted violation proves."""

import ast
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
LONGEST_MODULE = 400
MACHINE_PATH = re.compile(r"(?<![\w.])/(?:work|farm|root|home/\w+)/")
ELSEWHERE = re.compile(r"\.\./shared")


def tracked(*suffixes):
    names = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    return [ROOT / name for name in names if name.endswith(suffixes) and (ROOT / name).is_file()]


def sources():
    return [path for path in tracked(".py") if "src" in path.parts]


def too_long(text):
    return text.count("\n") > LONGEST_MODULE


def silenced(text):
    return "type: ignore" in text


def names_a_machine(text):
    return bool(MACHINE_PATH.search(text) or ELSEWHERE.search(text))


def reads_settings_at_import(text):
    """Whether a module builds a `…Settings()` or reads the environment outside every function."""
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        for node in ast.walk(statement):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("Settings"):
                return True
            if isinstance(node, ast.Attribute) and ast.unparse(node) == "os.environ":
                return True
    return False


def offenders(paths, rule):
    return [str(path.relative_to(ROOT)) for path in paths if rule(path.read_text(errors="replace"))]


def test_modules_stay_short():
    assert offenders(sources(), too_long) == []
    assert too_long("\n" * 401)


def test_no_type_error_is_silenced():
    assert offenders(sources(), silenced) == []
    assert silenced("x = 1  # type: " + "ignore")


def test_settings_are_never_read_at_import():
    assert offenders(sources(), reads_settings_at_import) == []
    assert reads_settings_at_import("settings = Settings()")
    assert reads_settings_at_import("import os\nHOST = os.environ['HOST']")
    assert not reads_settings_at_import("def build():\n    return Settings()")


def test_no_file_names_the_machine_it_was_written_on():
    texts = tracked(".py", ".md", ".toml", ".json", ".sh", ".yml", ".sql", ".in", "Makefile", "run")
    assert offenders([path for path in texts if path != Path(__file__)], names_a_machine) == []
    assert names_a_machine("see /" + "work/main")


def test_every_migration_says_when_it_runs():
    pattern = re.compile(r"^\d{4}_(pre|post)_[a-z0-9_]+\.sql$")
    names = [path.name for path in tracked(".sql") if path.parent.name == "migrations"]
    assert [name for name in names if not pattern.match(name)] == []
    assert not pattern.match("1_add.sql")
