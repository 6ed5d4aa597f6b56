"""Static files under an address that names their content, so that browsers may keep them for ever.

`/static/{fingerprint}/…`: the fingerprint is a hash over all the files, so modules that import each other by relative
addresses stay together. An address of another version (a page that was open during an upgrade) is served uncached.
"""

import hashlib
from functools import cache
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.responses import FileResponse, Response

from shared.auth import public
from shared.errors import NotFound

FOLDER = Path(__file__).parent / "static"

_MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
}
_FOR_EVER = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, Path]:
    """What may be served, by path below `/static/{fingerprint}/`: nothing else can be asked for."""
    return {
        path.relative_to(FOLDER).as_posix(): path
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file() and path.suffix in _MEDIA_TYPES
    }


@cache
def fingerprint() -> str:
    """Twelve hexadecimal digits that change when any file does."""
    digest = hashlib.sha256()
    for name, path in files().items():
        content = path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:12]


def include_static(app: FastAPI) -> None:
    """Serve the look's files from this app."""
    app.add_api_route(
        "/static/{version}/{name:path}",
        _serve,
        methods=["GET", "HEAD"],
        name="static",
        include_in_schema=False,
        dependencies=[public("stylesheet, fonts and scripts are the same for everyone")],
    )


async def _serve(request: Request, version: str, name: str) -> Response:
    path = files().get(name)
    if path is None:
        raise NotFound("there is no such file")
    keep = _FOR_EVER if version == fingerprint() else "no-cache"
    return FileResponse(path, media_type=_MEDIA_TYPES[path.suffix], headers={"cache-control": keep})
