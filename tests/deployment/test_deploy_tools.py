"""What others' tools say of manifests, Dockerfiles, compose and migrations (`make deploy-check`); each shown to find something."""

import itertools
import re
import subprocess

import pytest
from deployment_manifests import K8S, OVERLAYS

from fareline_chassis.postgres.outside import statements

pytestmark = [pytest.mark.tools, pytest.mark.timeout(300)]

HINT = "`make deploy-check` installs it"
# the oldest and the newest Kubernetes that we say we run on
SUPPORTED = ("1.32", "1.34")
CUSTOM = {path.stem for path in (K8S / "schemas").glob("*.json")}
# the runner of migrations sets both time-outs; 32 bits are chosen where a count is meant
SQUAWK_NEVER = "require-lock-timeout,require-statement-timeout,prefer-bigint-over-int,prefer-robust-stmts"
# no release yet, so no migration meets a table with rows in it: until then only what is no SQL is found
SQUAWK_BEFORE_THE_FIRST_RELEASE = ",".join(
    [
        "adding-field-with-default",
        "adding-foreign-key-constraint",
        "adding-not-nullable-field",
        "adding-required-field",
        "ban-drop-column",
        "ban-drop-constraint",
        "ban-drop-not-null",
        "ban-drop-table",
        "changing-column-type",
        "constraint-missing-not-valid",
        "disallowed-unique-constraint",
        "renaming-column",
        "renaming-table",
        "require-concurrent-index-creation",
        "require-concurrent-index-deletion",
    ]
)
SERVICES = ("order-binder", "call-router", "recording-ingest")


def run(*words, cwd=None):
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=cwd)
    return done.returncode, done.stdout + done.stderr


# --- kubernetes-validate, which only warns about kinds that it does not know


def refused(kubernetes_validate, path, version):
    """Return the lines that refuse something, or warn of a kind that no schema of ours covers."""
    _, said = run(kubernetes_validate, "-k", version, "--strict", "--quiet", path)
    found = []
    for line in filter(None, said.splitlines()):
        unknown = re.search(r"Couldn't find schema for kind (\w+)", line)
        if not (unknown and unknown[1] in CUSTOM):
            found.append(line)
    return found


@pytest.mark.parametrize("version", SUPPORTED)
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_object_fits_kubernetes(tool, overlay, version):
    assert refused(tool("kubernetes-validate", HINT), K8S / "rendered" / f"{overlay}.yaml", version) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("failureThreshold:", "failureTreshold:"),
        ("kind: PodMonitor", "kind: PodMonitr"),
        ("replicas: 1", "replicas: one"),
    ],
)
def test_planted_mistakes_in_manifests_are_found(tool, tmp_path, right, wrong):
    text = (K8S / "rendered" / ("staging.yaml" if "PodMonitor" in right else "dev.yaml")).read_text()
    planted = tmp_path / "planted.yaml"
    planted.write_text(text.replace(right, wrong, 1))
    assert planted.read_text() != text
    assert refused(tool("kubernetes-validate", HINT), planted, SUPPORTED[-1])


# --- checkov


def checkov_faults(checkov, path, repository_root):
    _, said = run(
        checkov, "--config-file", repository_root / "deploy/checkov.yaml", "--framework", "kubernetes", "--file", path,
        "--skip-download", "--compact", "--quiet",
    )  # fmt: skip
    assert "Passed checks" in said, said
    return re.findall(r"^Check: (\w+)", said, re.MULTILINE)


def test_checkov_finds_nothing_that_was_not_reasoned_away(tool, repository_root):
    assert checkov_faults(tool("checkov", HINT), K8S / "rendered/prod.yaml", repository_root) == []


def test_checkov_finds_a_planted_right(tool, repository_root, tmp_path):
    planted = tmp_path / "planted.yaml"
    planted.write_text(
        (K8S / "rendered/dev.yaml").read_text().replace("readOnlyRootFilesystem: true", "privileged: true", 1)
    )
    assert "CKV_K8S_16" in checkov_faults(tool("checkov", HINT), planted, repository_root)


def test_each_check_that_is_skipped_has_its_reason(repository_root):
    lines = (repository_root / "deploy/checkov.yaml").read_text().splitlines()
    for before, line in itertools.pairwise(lines):
        if line.strip().startswith("- CKV"):
            assert before.strip().startswith("#"), line


# --- Dockerfiles, YAML, compose, workflows


@pytest.mark.parametrize("service", SERVICES)
def test_hadolint_finds_nothing_in_the_dockerfiles(tool, repository_root, service):
    code, said = run(tool("hadolint", HINT), repository_root / "services" / service / "Dockerfile")
    assert code == 0, said


def test_hadolint_finds_a_planted_shell_form(tool, repository_root, tmp_path):
    text = (repository_root / "services/call-router/Dockerfile").read_text()
    (tmp_path / "Dockerfile").write_text(
        text.replace('ENTRYPOINT ["python", "-m", "call_router"]', "ENTRYPOINT python -m call_router")
    )
    code, said = run(tool("hadolint", HINT), tmp_path / "Dockerfile")
    assert code != 0
    assert "DL3025" in said


def test_yaml_is_tidy(tool, repository_root, tmp_path):
    yamllint = tool("yamllint", HINT)
    settings = ("--strict", "-c", "deploy/yamllint.yaml")
    code, said = run(yamllint, *settings, "deploy", "docker-compose.yml", ".github", cwd=repository_root)
    assert code == 0, said
    (tmp_path / "planted.yaml").write_text("a: 1\na: 2\n")
    assert run(yamllint, *settings, tmp_path / "planted.yaml", cwd=repository_root)[0] != 0


@pytest.mark.parametrize(
    ("schema", "pattern", "right", "wrong"),
    [
        ("vendor.compose-spec", "docker-compose.yml", "condition: service_healthy", "condition: service_helthy"),
        ("vendor.github-workflows", ".github/workflows/*.yml", "runs-on:", "run-on:"),
        ("vendor.dependabot", ".github/dependabot.yml", "package-ecosystem", "package-ecosytem"),
    ],
)
def test_files_of_known_kinds_fit_their_schemas(tool, repository_root, tmp_path, schema, pattern, right, wrong):
    check, files = tool("check-jsonschema", HINT), sorted(repository_root.glob(pattern))
    assert files
    code, said = run(check, "--builtin-schema", schema, *files)
    assert code == 0, said
    (tmp_path / "planted.yml").write_text(files[0].read_text().replace(right, wrong, 1))
    assert run(check, "--builtin-schema", schema, tmp_path / "planted.yml")[0] != 0


# --- migrations


def squawk(program, *files, released, in_transaction=True):
    exclude = SQUAWK_NEVER if released else f"{SQUAWK_NEVER},{SQUAWK_BEFORE_THE_FIRST_RELEASE}"
    how = ("--assume-in-transaction",) if in_transaction else ()
    return run(program, *how, "--pg-version", "15", f"--exclude={exclude}", "--reporter=gcc", *files)


def with_a_partition_named(path, folder):
    """Return a copy of a migration that is SQL although it says what to do for each partition."""
    copy = folder / f"{path.parents[1].name}-{path.name}"
    copy.write_text(path.read_text().replace("{partition}", "a_partition"))
    return copy


def test_migrations_lock_nothing_for_long(tool, repository_root, tmp_path):
    program = tool("squawk", HINT)
    code, tag = run("git", "describe", "--tags", "--abbrev=0", "--match=v*", cwd=repository_root)
    files = {path.relative_to(repository_root) for path in repository_root.glob("services/*/src/*/migrations/*.sql")}
    if code == 0:
        since = run(
            "git", "diff", "--name-only", "--diff-filter=A", f"{tag.strip()}..", "--", "*.sql", cwd=repository_root
        )
        files = {path for path in files if str(path) in since[1].split()}
    alone = {path for path in files if statements((repository_root / path).read_text())}
    for some, in_transaction in ((files - alone, True), (alone, False)):
        copies = [with_a_partition_named(repository_root / path, tmp_path) for path in sorted(some)]
        if copies:
            ended, said = squawk(program, *copies, released=code == 0, in_transaction=in_transaction)
            assert ended == 0, said


def test_a_planted_mistake_is_found_even_before_the_first_release(tool, tmp_path):
    (tmp_path / "0001_pre_planted.sql").write_text("CREATE TABEL planted (id text);")
    assert squawk(tool("squawk", HINT), tmp_path / "0001_pre_planted.sql", released=False)[0] != 0


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE INDEX planted ON orders (tenant);",
        "ALTER TABLE orders ADD COLUMN planted text NOT NULL;",
        "ALTER TABLE orders ALTER COLUMN version TYPE numeric;",
    ],
)
def test_planted_migrations_that_lock_are_found(tool, tmp_path, sql):
    (tmp_path / "0001_pre_planted.sql").write_text(sql)
    code, said = squawk(tool("squawk", HINT), tmp_path / "0001_pre_planted.sql", released=True)
    assert code != 0, said
