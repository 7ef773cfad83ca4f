"""Fetch Apache Kafka's jars with Maven, once, and find the Java that runs them."""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from deploy.servers.process import ServerFailed

POM = Path(__file__).parents[1] / "kafka" / "pom.xml"
JARS = Path(__file__).parents[2] / ".tools" / "kafka"
OLDEST_JAVA = 17


def find_java() -> Path | None:
    """Find a Java of version 17 or later, JAVA_HOME's first; none where there is none."""
    home = os.environ.get("JAVA_HOME")
    candidates = [Path(home) / "bin" / "java"] if home else []
    if on_path := shutil.which("java"):
        candidates.append(Path(on_path))
    return next((java for java in candidates if _version(java) >= OLDEST_JAVA), None)


def _version(java: Path) -> int:
    if not os.access(java, os.X_OK):
        return 0
    said = subprocess.run(  # noqa: S603 - a path that the person chose
        [java, "-version"], capture_output=True, text=True, check=False
    ).stderr
    found = re.search(r'version "(\d+)', said)
    return int(found[1]) if found else 0


def _stamp(jars: Path) -> Path:
    return jars / ("pom-" + hashlib.sha256(POM.read_bytes()).hexdigest()[:16])


def fetched(jars: Path = JARS) -> bool:
    """Tell whether the jars that the pom names now are there."""
    return _stamp(jars).exists()


def why_not() -> str | None:
    """Say in a sentence what real Kafka lacks on this machine; none where it can run."""
    if find_java() is None:
        return f"Java {OLDEST_JAVA} or later is not installed"
    if not fetched() and shutil.which("mvn") is None:
        return "Maven is not installed"
    return None


def fetch(jars: Path = JARS) -> Path:
    """Return the folder with Kafka's jars, fetched first where they are not there; safe to call at once.

    Raises:
        ServerFailed: Maven is missing or failed; the message holds the end of what it said.
    """
    jars.parent.mkdir(parents=True, exist_ok=True)
    with jars.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if fetched(jars):
            return jars
        maven = shutil.which("mvn")
        if maven is None:
            raise ServerFailed("Maven is not installed: it fetches Apache Kafka's jars")
        shutil.rmtree(jars, ignore_errors=True)
        said = subprocess.run(  # noqa: S603 - Maven, with arguments of ours
            [
                *(maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"),
                *("-DincludeScope=runtime", f"-DoutputDirectory={jars}"),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if said.returncode:
            raise ServerFailed(f"Maven could not fetch Apache Kafka:\n{(said.stdout + said.stderr)[-3000:]}")
        _stamp(jars).touch()
        return jars
