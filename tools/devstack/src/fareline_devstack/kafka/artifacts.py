"""Apache Kafka's jars, fetched once by Maven into a cache that all runs share."""

import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from importlib import resources
from pathlib import Path

from fareline_devstack.errors import DevstackError, StackUnavailable

LEAST_JAVA = 17
POM = "pom.xml"
FETCH_SECONDS = 900.0
MISSING = (
    "Fareline needs either a running Docker engine, or a JDK {least} or later together with Maven ({lacking}): "
    "install one of the two and try again."
)


def pom_text() -> str:
    """Return the Maven project that names the jars, as it is shipped."""
    return resources.files("fareline_devstack.kafka").joinpath(POM).read_text()


def kafka_version() -> str:
    """Return the version of Kafka that the Maven project names."""
    found = re.search(r"<kafka.version>([^<]+)</kafka.version>", pom_text())
    assert found is not None
    return found[1]


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where this version's jars belong: under `FARELINE_CACHE`, or the user's own cache.

    The name ends in a digest of the Maven project, so that changed dependencies never meet old jars.
    """
    root = Path(environment.get("FARELINE_CACHE") or Path.home() / ".cache" / "fareline")
    digest = hashlib.sha256(pom_text().encode()).hexdigest()[:8]
    return root / f"kafka-{kafka_version()}-{digest}"


def find_java(environment: Mapping[str, str] = os.environ) -> Path:
    """Return a `java` of version 17 or later, by `JAVA_HOME` or `PATH`; raise `StackUnavailable` if there is none."""
    home = environment.get("JAVA_HOME")
    candidates = [str(Path(home) / "bin" / "java")] if home else []
    found = shutil.which("java", path=environment.get("PATH", ""))
    for candidate in [*candidates, *([found] if found else [])]:
        if java_version(candidate) >= LEAST_JAVA:
            return Path(candidate)
    raise unavailable(f"no java of version {LEAST_JAVA} or later was found")


def java_version(java: str) -> int:
    """Return the major version that `java` reports, 0 if it cannot be run."""
    try:
        said = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=30, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', said.stderr + said.stdout)
    return int(found[1]) if found else 0


def unavailable(lacking: str) -> StackUnavailable:
    """Return the error that tells what to install; `lacking` says what was looked for in vain."""
    return StackUnavailable(MISSING.format(least=LEAST_JAVA, lacking=lacking))


def fetched(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the jars are in the cache already."""
    return (cache_folder(environment) / "jars").is_dir()


def require_tools(environment: Mapping[str, str] = os.environ) -> None:
    """Raise `StackUnavailable` where Kafka cannot be run, or not be fetched although it has to be."""
    find_java(environment)
    if not fetched(environment):
        find_maven(environment)


def find_maven(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the `mvn` of `PATH`; raise `StackUnavailable` if there is none."""
    found = shutil.which("mvn", path=environment.get("PATH", ""))
    if found is None:
        raise unavailable("mvn was not found")
    return Path(found)


def ensure_jars(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of Kafka's jars, fetching them if need be (half a minute on a new machine).

    Raises `StackUnavailable` without `mvn`, `DevstackError` with Maven's own words when fetching fails.
    """
    folder = cache_folder(environment)
    if not fetched(environment):
        _fetch(find_maven(environment), folder, environment)
    return folder / "jars"


def _fetch(maven: Path, folder: Path, environment: Mapping[str, str]) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as name:
        work = Path(name) / "complete"
        work.mkdir()
        (work / POM).write_text(pom_text())
        _run_maven(maven, work, environment)
        try:
            work.rename(folder)
        except OSError:
            if not fetched(environment):  # else somebody was faster, with the same jars
                raise


def _run_maven(maven: Path, work: Path, environment: Mapping[str, str]) -> None:
    argv = [
        str(maven),
        "-B",
        "-q",
        "-f",
        str(work / POM),
        "dependency:copy-dependencies",
        f"-DoutputDirectory={work / 'jars'}",
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the Maven that PATH names
            argv, capture_output=True, text=True, timeout=FETCH_SECONDS, env=dict(environment), check=False
        )
    except subprocess.TimeoutExpired as late:
        raise DevstackError(f"Maven did not fetch Kafka within {FETCH_SECONDS:.0f} s: is the network slow?") from late
    if done.returncode != 0:
        said = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
        raise DevstackError(f"Maven could not fetch Kafka {kafka_version()}:\n{said}")
