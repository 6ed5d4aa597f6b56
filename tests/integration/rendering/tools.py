"""Independent readers of PDFs: poppler and veraPDF. A test that needs one is skipped, or fails where it is required."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from shared.rendering.typesetting import Attachment
from tests.support.parts import missing

ROOT = Path(__file__).parents[3]
VERAPDF = ROOT / ".cache" / "verapdf"
_POM = """\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>justera</groupId><artifactId>verapdf</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.verapdf.apps</groupId><artifactId>greenfield-apps</artifactId><version>1.28.2</version></dependency>
  </dependencies>
</project>
"""


def poppler(tool: str, *arguments: str) -> str:
    """The standard output of one of poppler's tools."""
    if shutil.which(tool) is None:
        missing("poppler", f"{tool} (poppler-utils) is not installed")
    return subprocess.run([tool, *arguments], capture_output=True, text=True, errors="replace", check=True).stdout


def page_texts(pdf: Path) -> list[list[str]]:
    """The words of each page, in reading order."""
    return [page.split() for page in poppler("pdftotext", str(pdf), "-").split("\f")[:-1]]


def placed_words(pdf: Path) -> list[set[str]]:
    """Every word of each page with its box, as poppler writes them."""
    pages = poppler("pdftotext", "-bbox", str(pdf), "-").split("<page ")[1:]
    return [{line.strip() for line in page.splitlines() if "<word " in line} for page in pages]


def attachments_of(pdf: Path, folder: Path) -> dict[str, bytes]:
    folder.mkdir()
    poppler("pdfdetach", "-saveall", "-o", str(folder), str(pdf))
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def assert_conforms(pdf: Path, *flavours: str) -> None:
    """veraPDF finds `pdf` to be PDF/A-3a and PDF/UA-1 (flavours `3a` and `ua1`)."""
    asked = flavours or ("3a", "ua1")
    jars = _verapdf_jars()
    with ThreadPoolExecutor(len(asked)) as pool:
        for verdict in pool.map(lambda flavour: _verapdf(jars, flavour, pdf), asked):
            assert verdict.startswith("PASS"), verdict


def _verapdf(jars: Path, flavour: str, pdf: Path) -> str:
    # What lives for two seconds is not worth the better compiler.
    command = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp", f"{jars}/*"]
    command.append("org.verapdf.apps.GreenfieldCliWrapper")
    finished = subprocess.run(
        [*command, "-f", flavour, "--format", "text", "-v", str(pdf)], capture_output=True, text=True, check=False
    )
    return finished.stdout or finished.stderr


@cache
def _verapdf_jars() -> Path:
    """19 jars, 19 MB, resolved once by Maven."""
    if shutil.which("java") is None or shutil.which("mvn") is None:
        missing("verapdf", "veraPDF needs Java and Maven")
    libs = VERAPDF / "libs"
    if not libs.is_dir():
        _resolve(libs)
    return libs


def _resolve(libs: Path) -> None:
    VERAPDF.mkdir(parents=True, exist_ok=True)
    (VERAPDF / "pom.xml").write_text(_POM)
    aside = VERAPDF / f"libs-{os.getpid()}"
    command = [
        "mvn",
        "-q",
        "-B",
        "dependency:copy-dependencies",
        f"-DoutputDirectory={aside}",
        "-DincludeScope=runtime",
    ]
    finished = subprocess.run(command, cwd=VERAPDF, capture_output=True, text=True, check=False)
    if finished.returncode:
        shutil.rmtree(aside, ignore_errors=True)
        missing("verapdf", "Maven cannot fetch veraPDF here")
    aside.rename(libs)


def plain_attachments() -> tuple[Attachment, ...]:
    return (
        Attachment("original.pdf", b"%PDF-1.7 as signed", "application/pdf", "The original", "source"),
        Attachment("history.json", '{"å": 1}'.encode(), "application/json", "The history", "data"),
    )
