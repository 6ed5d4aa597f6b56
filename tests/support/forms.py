"""A browser without script: follows links and posts the forms that pages hold."""

import re

import httpx


async def press(person: httpx.AsyncClient, page: httpx.Response, action: str, **fields: str) -> httpx.Response:
    """Post the page's form whose address ends with `action`, with its hidden fields; the page that this leads to."""
    form = re.search(rf'<form method="post" action="([^"]*{action})".*?</form>', page.text, re.DOTALL)
    assert form is not None, f"no form {action} on {page.url}"
    hidden = dict(re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', form.group()))
    return done(await person.post(str(page.url.join(form.group(1))), data={**hidden, **fields}))


async def sign_by_forms(person: httpx.AsyncClient, link: str, name: str | None) -> None:
    """From the mailed link to the receipt; nothing is left to do for who has signed already."""
    page = done(await person.get(link))
    if not has_signed(page):
        document = await press(person, page, "/view")
        page = await press(person, document, "/sign", **({"name": name} if name else {}))
    assert has_signed(page), page.text


def has_signed(page: httpx.Response) -> bool:
    return "Du har signerat" in page.text


def done(answer: httpx.Response) -> httpx.Response:
    assert answer.is_success, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text[:500]}"
    return answer
