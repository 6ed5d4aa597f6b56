"""`Idempotency-Key` over HTTP: what is sent twice takes effect once.

As in the IETF draft draft-ietf-httpapi-idempotency-key-header: the same key and request give the same answer, another
request under the key is 422, one while the first is still running 409. A route takes `once: Once` and answers by
`once.answer(…)`; the command's transaction does the rest (`shared.messaging.answers`). Keys are the caller's own, and
kept for a day. A refusal changed nothing and is not kept: what is sent again is judged again.
"""

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel

from shared.auth import Principal
from shared.errors import InvalidInput
from shared.messaging.answers import KEEPING, Answer, AnsweredBefore, Keeping, KeyedRequest, StillRunning

Result = TypeVar("Result")

_LONGEST = 255
# A String of structured fields (RFC 9651), or, since many clients send it so, the same without quotes.
_QUOTED = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])+)"')
_BARE = re.compile(r"[!#-+\--:<-\[\]-~]+")


class BadKey(InvalidInput):
    slug = "invalid-idempotency-key"
    status = HTTPStatus.BAD_REQUEST


def _as_it_is(result: Any) -> Any:
    return result


class RequestOnce:
    """A request, and the key that it bears, if it does."""

    def __init__(self, key: str | None, fingerprint: str) -> None:
        self._key = key
        self._fingerprint = fingerprint

    def over(self, content: str) -> "RequestOnce":
        """The same, of a request whose body is this: a file, by its hash."""
        return RequestOnce(self._key, hashlib.sha256(f"{self._fingerprint}\n{content}".encode()).hexdigest())

    async def answer(
        self,
        caller: Principal,
        command: Awaitable[Result],
        view: Callable[[Result], Any] = _as_it_is,
        *,
        status: int = HTTPStatus.OK,
        location: Callable[[Result], str] | None = None,
    ) -> Response:
        """Await the command, which takes effect in one transaction; answer with the view of its result, or as before.

        `view`: a model, or None for an answer without content. `location`: the path of what was made.
        """

        def answer_of(result: Result) -> Answer:
            shown: BaseModel | None = view(result)
            body = "" if shown is None else shown.model_dump_json()
            return Answer(status, body, location(result) if location else None)

        if self._key is None:
            return _response(answer_of(await command))
        request = KeyedRequest(caller.organisation, caller.name, self._key, self._fingerprint)
        keeping = Keeping(request, answer_of)
        with _at_work(request, command):
            return await self._kept(keeping, command, answer_of)

    async def _kept(
        self, keeping: Keeping, command: Awaitable[Result], answer_of: Callable[[Result], Answer]
    ) -> Response:
        token = KEEPING.set(keeping)
        try:
            result = await command
            return _response(keeping.answer or answer_of(result))
        except AnsweredBefore as before:
            return _response(before.answer)
        finally:
            KEEPING.reset(token)


# Of this process; between processes the transaction's lock tells.
_AT_WORK: set[tuple[str, str, str]] = set()


@contextmanager
def _at_work(request: KeyedRequest, command: Awaitable[Any]) -> Iterator[None]:
    """Raises StillRunning for the second with a key, also where the first one's command holds no transaction now."""
    name = (request.organisation, request.caller, request.key)
    if name in _AT_WORK:
        if isinstance(command, Coroutine):
            command.close()
        raise StillRunning()
    _AT_WORK.add(name)
    try:
        yield
    finally:
        _AT_WORK.discard(name)


_Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of your own, a UUID say, new for each new request: sent again with the same key "
        "within a day, a request takes effect once and gets the same answer",
        examples=['"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ),
]


async def _once(request: Request, idempotency_key: _Key = None) -> RequestOnce:
    given = request.headers.getlist("idempotency-key")
    return RequestOnce(_key_of(given), await _fingerprint(request) if given else "")


async def _once_of_file(request: Request, idempotency_key: _Key = None) -> RequestOnce:
    """Without the body, which is too large to be held: `over` adds its hash once it was received."""
    asked = json.dumps(request.query_params.multi_items()).encode()
    return RequestOnce(_key_of(request.headers.getlist("idempotency-key")), _fingerprint_of(request, asked))


Once = Annotated[RequestOnce, Depends(_once)]
OnceOfFile = Annotated[RequestOnce, Depends(_once_of_file)]


def _key_of(given: list[str]) -> str | None:
    """Raises BadKey."""
    if not given:
        return None
    text = given[0].strip()
    if quoted := _QUOTED.fullmatch(text):
        text = re.sub(r"\\(.)", r"\1", quoted[1])
    elif not _BARE.fullmatch(text):
        text = ""
    if len(given) > 1 or not 0 < len(text) <= _LONGEST:
        raise BadKey(
            f"Idempotency-Key: needs one text of 1 to {_LONGEST} ASCII characters, best in quotes",
            hint='for example Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324"',
        )
    return text


async def _fingerprint(request: Request) -> str:
    """Over what is asked of what; how the JSON is laid out, and below which prefix it was sent, makes no difference."""
    body = await request.body()
    try:
        asked = json.dumps(json.loads(body), sort_keys=True).encode() if body else b""
    except ValueError:
        asked = body  # refused already, as no JSON
    return _fingerprint_of(request, asked)


def _fingerprint_of(request: Request, asked: bytes) -> str:
    route: Any = request.scope["route"]
    what = json.dumps([request.method, route.path, request.path_params], sort_keys=True, default=str)
    return hashlib.sha256(what.encode() + b"\n" + asked).hexdigest()


def _response(answer: Answer) -> Response:
    headers = {} if answer.location is None else {"location": answer.location}
    return Response(answer.body, answer.status, headers, "application/json" if answer.body else None)
