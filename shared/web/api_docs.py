"""`/docs`: an app's operations to read and to try, by Swagger UI from our own files.

Whatever script runs here runs in the origin of people's sessions, so none comes from elsewhere.
"""

from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from shared.auth import public
from shared.web.assets import fingerprint
from shared.web.look import path_for

_SWAGGER_UI = "vendor/swagger-ui-5.35.0"
_PAGES = Environment(loader=PackageLoader("shared.web"), autoescape=True, undefined=StrictUndefined)


def include_api_docs(app: FastAPI) -> None:
    """Needs `include_static`, too."""
    app.add_api_route(
        "/docs",
        _api_docs,
        methods=["GET"],
        response_model=None,
        include_in_schema=False,
        dependencies=[public("says how to call, and calls nothing itself")],
    )


async def _api_docs(request: Request) -> HTMLResponse:
    def asset(name: str) -> str:
        return path_for(request, "static", version=fingerprint(), name=name)

    html = _PAGES.get_template("web/api_docs.html").render(
        title=request.app.title, asset=asset, swagger_ui=_SWAGGER_UI, openapi=path_for(request, "openapi")
    )
    return HTMLResponse(html)
