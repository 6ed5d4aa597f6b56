"""Java programs from Maven that judge our files: their jars come once, into `.cache`."""

import fcntl
import shutil
import subprocess
from pathlib import Path

from tests.support.parts import CACHE, missing

_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>justera</groupId><artifactId>{part}</artifactId><version>1</version>
  <dependencies>
{dependencies}
  </dependencies>
</project>
"""
_DEPENDENCY = "    <dependency><groupId>{}</groupId><artifactId>{}</artifactId><version>{}</version></dependency>"
# What lives for seconds is not worth the better compiler.
_JAVA = ("java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")


def java(part: str, *coordinates: str, program: str) -> list[str]:
    """The command that runs `program`, a class or a source file, on the jars that `group:artifact:version` name.

    A source file needs a JDK. Skips the test, or fails it where `part` is required, when something is missing.
    """
    needed = ("java", "mvn", "javac") if program.endswith(".java") else ("java", "mvn")
    absent = [name for name in needed if shutil.which(name) is None]
    if absent:
        missing(part, f"{' and '.join(absent)} not installed")
    libs = CACHE / part / "libs"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / "maven.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run side by side want the same jars
        if not libs.is_dir():
            _resolve(part, libs, coordinates)
    return [*_JAVA, "-cp", f"{libs}/*", program]


def _resolve(part: str, libs: Path, coordinates: tuple[str, ...]) -> None:
    aside = libs.with_name("arriving")
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(parents=True)
    dependencies = "\n".join(_DEPENDENCY.format(*one.split(":")) for one in coordinates)
    pom = aside.with_suffix(".xml")
    pom.write_text(_POM.format(part=part, dependencies=dependencies))
    command = ["mvn", "-q", "-B", "-f", str(pom), "dependency:copy-dependencies", "-DincludeScope=runtime"]
    finished = subprocess.run([*command, f"-DoutputDirectory={aside}"], capture_output=True, text=True, check=False)
    pom.unlink()
    if finished.returncode:
        shutil.rmtree(aside, ignore_errors=True)
        missing(part, f"Maven cannot fetch {part} here")
    aside.rename(libs)
