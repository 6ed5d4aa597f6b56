"""Routes that FastAPI analyses when they are first asked for, and once.

What a route takes and gives (parameters, models, dependencies) costs half a millisecond to work out and some 15 kB to
keep, and `include_router` has it done a second time: for the 305 routes of meetings a tenth of a service's start.
"""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from starlette.routing import compile_path, get_name


class LazyRoute(APIRoute):
    """The `route_class` of our routers. Until its first request, or until somebody reads its documentation, it knows
    what finding it and its address takes.

    A mistake in what it declares is raised only then: tests ask every route.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: set[str] | list[str] | None = None,
        name: str | None = None,
        **declared: Any,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self.name = name or get_name(endpoint)
        self.methods = {method.upper() for method in methods or ("GET",)}
        self.path_regex, self.path_format, self.param_convertors = compile_path(path)
        self._declared = declared
        self._analysed = False

    def __getattr__(self, name: str) -> Any:
        """What is not there is what FastAPI's analysis brings."""
        if self.__dict__.get("_analysed", True):
            raise AttributeError(name)
        self._analysed = True
        try:
            super().__init__(self.path, self.endpoint, methods=self.methods, name=self.name, **self._declared)
        except BaseException:
            self._analysed = False  # who asks next is told the same
            raise
        return getattr(self, name)

    def may_answer(self, responses: dict[int | str, dict[str, Any]]) -> None:
        """Beside what it declares, as its documentation says. Before it is analysed."""
        self._declared["responses"] = {**responses, **(self._declared.get("responses") or {})}


def include(app: FastAPI, router: APIRouter) -> None:
    """The router's routes become the app's, which adds its `responses` to them and nothing else."""
    for route in router.routes:
        if isinstance(route, LazyRoute):
            route.may_answer(app.router.responses)
    app.routes.extend(router.routes)
