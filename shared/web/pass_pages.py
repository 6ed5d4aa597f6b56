"""The door by which a browser comes from signing with a pass (`shared.passes`)."""

from fastapi import APIRouter, Request
from fastapi.responses import Response

from shared.auth import public
from shared.pass_access import PassAccess


def include_pass_door(router: APIRouter, access: PassAccess, *, start: str) -> None:
    """`start`: the path of the page for who comes with nowhere to go."""

    async def enter_by_pass(request: Request) -> Response:
        return await access.enter(request, request.query_params.get("pass", ""), otherwise=start)

    router.add_api_route(
        "/login/pass",
        enter_by_pass,
        methods=["GET"],
        response_model=None,
        dependencies=[public("the pass is the proof")],
    )
