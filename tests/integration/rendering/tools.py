"""Independent readers of PDFs: poppler and veraPDF. A test that needs one is skipped, or fails where it is required."""

import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from shared.rendering.typesetting import Attachment
from tests.support.maven import java
from tests.support.parts import missing

_VERAPDF = "org.verapdf.apps:greenfield-apps:1.28.2"  # 19 jars, 19 MB


def needs_poppler(tool: str) -> None:
    if shutil.which(tool) is None:
        missing("poppler", f"{tool} (poppler-utils) is not installed")


def poppler(tool: str, *arguments: str) -> str:
    """The standard output of one of poppler's tools."""
    needs_poppler(tool)
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
    command = java("verapdf", _VERAPDF, program="org.verapdf.apps.GreenfieldCliWrapper")
    with ThreadPoolExecutor(len(asked)) as pool:
        for verdict in pool.map(lambda flavour: _verapdf(command, flavour, pdf), asked):
            assert verdict.startswith("PASS"), verdict


def _verapdf(command: list[str], flavour: str, pdf: Path) -> str:
    finished = subprocess.run(
        [*command, "-f", flavour, "--format", "text", "-v", str(pdf)], capture_output=True, text=True, check=False
    )
    return finished.stdout or finished.stderr


def plain_attachments() -> tuple[Attachment, ...]:
    return (
        Attachment("original.pdf", b"%PDF-1.7 as signed", "application/pdf", "The original", "source"),
        Attachment("history.json", '{"å": 1}'.encode(), "application/json", "The history", "data"),
    )
