"""A folder or a ZIP file that is there whole or not at all: written under another name, and renamed at its end.

Each file's SHA-256 goes into `SHA256SUMS`, which `sha256sum --check` reads.
"""

import hashlib
import os
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from shared.errors import InvalidInput, Refused

SUMS = "SHA256SUMS"


@dataclass
class Written:
    """What has gone into one file of the package."""

    file: IO[bytes]
    size: int = 0

    def __post_init__(self) -> None:
        self._digest = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self._digest.update(data)
        self.size += len(data)


class Package:
    """Made by `packing`."""

    def __init__(self, folder: Path | None, archive: zipfile.ZipFile | None) -> None:
        self._folder = folder
        self._archive = archive
        self._sums: list[str] = []

    @contextmanager
    def entry(self, name: str) -> Iterator[Written]:
        """A file of the package, by its path in it; one at a time."""
        with self._opened(name) as file:
            written = Written(file)
            yield written
        self._sums.append(f"{written.sha256}  {name}\n")

    @contextmanager
    def _opened(self, name: str) -> Iterator[IO[bytes]]:
        if self._archive is not None:
            with self._archive.open(name, "w", force_zip64=True) as file:
                yield file
        elif self._folder is not None:
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with path.open("xb") as file:
                yield file

    def finish(self) -> None:
        with self._opened(SUMS) as file:
            file.write("".join(self._sums).encode())


@contextmanager
def packing(to: Path) -> Iterator[Package]:
    """A ZIP file where `to` ends in .zip, else a folder; for its owner's eyes only. What a run that was killed left
    behind is taken away by the next. Raises Refused for what is there already, InvalidInput where nothing can be made.
    """
    if to.exists():
        raise Refused(f"{to} is there already", hint="name another one; nothing is written over")
    unfinished = to.with_name(f".{to.name}.unfinished")
    try:
        _take_away(unfinished)
        with _begun(unfinished, to.suffix == ".zip") as package:
            yield package
            package.finish()
        os.sync()  # before the name says that it is whole
        unfinished.rename(to)
    except OSError as error:
        raise InvalidInput(
            f"{to} cannot be written: {error.strerror or type(error).__name__}", hint="name another place with --to"
        ) from error
    finally:
        _take_away(unfinished)


@contextmanager
def _begun(path: Path, as_zip: bool) -> Iterator[Package]:
    if not as_zip:
        path.mkdir(mode=0o700)
        yield Package(path, None)
        return
    path.touch(mode=0o600, exist_ok=False)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        yield Package(None, archive)


def _take_away(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
