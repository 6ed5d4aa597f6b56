"""Four processes behind one address: who logs in to signing is in everywhere, and out everywhere."""

import asyncio
import re
from pathlib import Path

import httpx
import pytest

from shared.names import Role
from shared.pass_access import session_cookie_of
from tests.support.cluster import Cluster, own_topics
from tests.support.kafka import Kafka
from tests.support.postgres import Postgres
from tests.support.processes import until

pytestmark = pytest.mark.slow

OFFICE = "/meetings/office/meetings"


async def test_one_login_opens_the_pages_of_all_services_and_its_end_closes_them(
    tmp_path: Path, kafka: Kafka, postgres: Postgres
) -> None:
    async with asyncio.timeout(150), own_topics(kafka, tmp_path) as bootstrap:
        database_url = await postgres.create_service_databases()
        async with (
            Cluster(tmp_path / "cluster", kafka=bootstrap, database_url=database_url) as cluster,
            cluster.person("203.0.113.7") as person,
        ):
            person.headers["accept"] = "text/html"
            form = re.search(r'<form method="post" action="([^"]+)"', (await person.get(OFFICE)).text)
            assert form is not None
            token = {"token": cluster.tokens[Role.SECRETARY]}
            page = await person.post(form.group(1).replace("&amp;", "&"), data=token)
            assert (page.status_code, page.url.path) == (200, OFFICE)
            assert (await person.get("/archive/extracts/none")).status_code == 404
            kept = {name: person.cookies[name] for name in _cookies()}

            await person.post("/signing/logout", data={"csrf": ""}, headers={"sec-fetch-site": "same-origin"})
            async with httpx.AsyncClient(base_url=cluster.url, cookies=kept, timeout=60) as thief:

                async def closed() -> bool | None:
                    pages = [await thief.get(page) for page in ("/meetings/bodies", "/archive/protocols")]
                    return [answer.status_code for answer in pages] == [401, 401] or None

                await until(closed, what="the end of both sessions")
            await cluster.settle()


def _cookies() -> list[str]:
    return [session_cookie_of(service, secure=False) for service in ("meetings", "archive")]
