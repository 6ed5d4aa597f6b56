"""The images that a cluster runs, as archives: ours in two versions, built as operators build it, and what is beside.

Docker builds them (an engine of our own where none answers, see `tests.containers.engine`); the cluster never pulls.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.cluster import second_version
from tests.cluster.programs import cache_folder
from tests.containers import images
from tests.containers.engine import docker_engine
from tests.support.parts import REPOSITORY

PRODUCT = "localhost/justera"
FIRST, SECOND = "1", "2"
BESIDE = {  # by which names the cluster has them
    images.POSTGRES: "localhost/postgres:17",
    images.KAFKA: "localhost/kafka:4",
    images.CADDY: "localhost/caddy:2",
    images.MAIL: "localhost/mail:1",
    images.OBJECTS: "localhost/objects:1",
}
_MADE_FROM = (
    "deploy/Dockerfile",
    "deploy/requirements.txt",
    "deploy/build-requirements.txt",
    "deploy/sbom.py",
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "shared",
    "services",
)
_STAND_INS = [path.parent for path in (REPOSITORY / "tests" / "containers").glob("*/Dockerfile")]
_STAND_INS.append(REPOSITORY / "tests" / "cluster" / "objects")


def beside() -> list[dict[str, str]]:
    """Their names for an overlay's `images`: by which it has them, and by which the cluster does."""
    return [_renamed(official, name) for official, name in BESIDE.items()]


def _renamed(official: str, name: str) -> dict[str, str]:
    new_name, _, tag = name.rpartition(":")
    return {"name": official.partition(":")[0], "newName": new_name, "newTag": tag}


def archives() -> list[Path]:
    """Files for `ctr images import` or `docker load`: of what stands beside ours, and of ours in two versions."""
    beside = (
        cache_folder() / f"beside-{_hash_of(repr(BESIDE), *sorted(_STAND_INS))}.tar"
    )  # Kafka's version is in a name
    made_from = [*sources(), second_version.PATCH, Path(second_version.__file__)]
    product = cache_folder() / f"justera-{_hash_of(f'{PRODUCT} {FIRST} {SECOND} {images.PYTHON}', *made_from)}.tar"
    if not (beside.exists() and product.exists()):
        with docker_engine():
            if not beside.exists():
                _save(beside, {name: images.image(official) for official, name in BESIDE.items()})
            if not product.exists():
                _save(product, {tag: tag for tag in (_built(FIRST), _built(SECOND))})
    return [beside, product]


def _built(version: str) -> str:
    tag = f"{PRODUCT}:{version}"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for path in sources():
            target = folder / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, target)
        if version == SECOND:
            second_version.apply(folder)
        images.build(folder, folder / "deploy/Dockerfile", tag, BASE_IMAGE=images.image(images.PYTHON))
    return tag


def _save(archive: Path, tags: dict[str, str]) -> None:
    for name, built in tags.items():
        if name != built:
            _docker("tag", built, name)
    unfinished = archive.with_suffix(".part")
    _docker("save", "--output", str(unfinished), *tags)
    unfinished.rename(archive)
    for other in archive.parent.glob(f"{archive.name.partition('-')[0]}-*.tar"):  # some hundred MB each
        if other != archive:
            other.unlink(missing_ok=True)


def _docker(*arguments: str) -> None:
    subprocess.run(["docker", *arguments], check=True, stdout=subprocess.DEVNULL)


def sources() -> list[Path]:
    """What git has or would take of what the image is made from."""
    listing = subprocess.run(
        ["git", "-C", str(REPOSITORY), "ls-files", "-z", "--cached", "--others", "--exclude-standard", *_MADE_FROM],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return [REPOSITORY / name for name in listing.rstrip("\0").split("\0") if (REPOSITORY / name).is_file()]


def _hash_of(words: str, *places: Path) -> str:
    found = hashlib.sha256(words.encode())
    for place in places:
        for path in sorted(place.rglob("*")) if place.is_dir() else [place]:
            if path.is_file() and path.suffix != ".pyc":
                found.update(str(path.relative_to(REPOSITORY)).encode() + b"\0" + path.read_bytes())
    return found.hexdigest()[:12]
