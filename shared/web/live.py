"""Pages that follow what happens: a module asks again every few seconds, and is answered 304 while nothing has changed.

The part that follows stands in the template between `data-live>` and `<!--/live-->`; its hash is the page's entity tag
(RFC 9110, section 8.8.3), so that a change of anything in it counts, wherever it comes from. Without script the page
says since when it shows.
"""

import hashlib
import re
from http import HTTPStatus

from fastapi import Request
from fastapi.responses import HTMLResponse, Response

_REGION = re.compile(rb"data-live>(.*)<!--/live-->", re.DOTALL)
_PLACE = b'data-live-version=""'


def followed(request: Request, page: HTMLResponse) -> Response:
    """The page with its version, or 304 for who has it. Raises ValueError for a page that has no part that follows."""
    body = bytes(page.body)
    region = _REGION.search(body)
    if region is None or _PLACE not in body:
        raise ValueError("the page has no part that follows what happens")
    version = hashlib.sha256(region.group(1)).hexdigest()[:20]
    tag = f'"{version}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": tag})
    headers = {"etag": tag, "content-language": page.headers["content-language"]}
    return HTMLResponse(body.replace(_PLACE, b'data-live-version="%s"' % version.encode()), headers=headers)
