"""A client of OParl 1.1 that knows one address: it follows those that it is given, and holds each answer against the
specification. It trusts nothing of ours, and imports nothing of it."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import httpx

from tests.oparl.specification import NAMESPACE, lists_of, our_words, problems

MOST_PAGES = 500


@dataclass
class Walk:
    """What was found: objects by their id, ids by their type, the bytes of all answers."""

    things: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, list[str]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.things.values() if one["type"] == f"{NAMESPACE}{kind}"]

    @property
    def text(self) -> str:
        return "\n".join(self.said)


class Stranger:
    """`http` follows no redirects and has no credentials. `per_page`: what lists are asked for."""

    def __init__(self, http: httpx.AsyncClient, per_page: int = 2) -> None:
        assert "authorization" not in http.headers
        self._http = http
        self._per_page = per_page

    async def get(self, address: str) -> httpx.Response:
        answer = await self._http.get(address)
        assert answer.headers["access-control-allow-origin"] == "*", address
        return answer

    async def walk(self, system: str, **asked: str) -> Walk:
        """From the system through every list and to every object that anything names."""
        walk = Walk()
        await self._meet(walk, await self._json(walk, system), system)
        todo, seen = [system], {system}
        while todo:
            thing = walk.things[todo.pop()]
            kind = thing["type"].removeprefix(NAMESPACE)
            for name, of in lists_of(kind).items():
                if name in thing and thing[name] not in walk.lists:
                    walk.lists[thing[name]] = await self._list(walk, thing[name], of, asked)
            for address in _named(thing):
                if address not in walk.things:
                    await self._meet(walk, await self._json(walk, address), address)
            todo += [address for address in walk.things if address not in seen]
            seen.update(walk.things)
        for address, one in walk.things.items():
            assert await self._json(walk, address) == one, "in a list it is as by itself"
        return walk

    async def _list(self, walk: Walk, address: str, kind: str, asked: dict[str, str]) -> list[str]:
        """Page by page; each but the last is full, and nothing comes twice."""
        ids: list[str] = []
        page: str | None = _with(address, {"elementsPerPage": str(self._per_page), **asked})
        for _ in range(MOST_PAGES):
            assert page is not None
            found = await self._json(walk, page)
            assert set(found) == {"data", "pagination", "links"}
            for thing in found["data"]:
                assert thing["type"] == f"{NAMESPACE}{kind}"
                await self._meet(walk, thing, thing["id"])
            ids += [thing["id"] for thing in found["data"]]
            page = found["links"].get("next")
            if page is None:
                break
            assert len(found["data"]) == found["pagination"]["elementsPerPage"]
        assert page is None, "the list ends"
        assert len(set(ids)) == len(ids)
        return ids

    async def _meet(self, walk: Walk, thing: dict[str, Any], address: str) -> None:
        assert thing["id"] == address
        assert problems(thing) == []
        walk.things[address] = thing

    async def _json(self, walk: Walk, address: str) -> dict[str, Any]:
        answer = await self.get(address)
        assert answer.status_code == 200, (address, answer.text)
        assert answer.headers["content-type"].startswith("application/json")
        walk.said.append(answer.text)
        return dict(answer.json())


def _named(thing: dict[str, Any]) -> set[str]:
    """The addresses of objects that an object names, and of those inside it."""
    found: set[str] = set()
    for name, form in our_words()[thing["type"].removeprefix(NAMESPACE)].items():
        form, values = form.removesuffix(" !").strip("[]"), thing.get(name, [])
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, dict):
                found |= {value["id"], *_named(value)}
            elif form == "url" and name not in ("web", "accessUrl", "downloadUrl", "license", "website"):
                found.add(value)
    return found


def _with(address: str, asked: dict[str, str]) -> str:
    parts = urlsplit(address)
    return urlunsplit(parts._replace(query=urlencode([*parse_qsl(parts.query), *asked.items()])))
