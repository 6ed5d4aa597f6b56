"""`justera revoke-link`: the links that people of an agreement were mailed end, before and after its end."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption
from services.cli.shapes import RevokedLinks
from shared.names import Role
from shared.plain_text import printable
from shared.text import same_email

_OUT = "out"


def add_to(app: typer.Typer) -> None:
    app.command(name="revoke-link")(revoke_link)


def revoke_link(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its transaction id.")],
    email: Annotated[
        str | None, typer.Argument(metavar="[EMAIL]", help="The person's address.", show_default=False)
    ] = None,
    everyone: Annotated[bool, typer.Option("--all", help="The links of everyone, instead of one address.")] = False,
    new_link: Annotated[
        bool, typer.Option("--new-link", help="Of a completed agreement: mail a new link to the sealed copy.")
    ] = False,
    data: DataOption = DEFAULT_DATA,
) -> None:
    """End every link that was mailed to a person, at once, also after the agreement's end.

    While it is out, who has not signed is mailed a new one. For a link that was passed on, or is read by others. A
    wrong address is corrected on the agreement's page.
    """
    if (email is None) != everyone:
        raise typer.BadParameter("name one address, or --all", param_hint="EMAIL")
    path = f"/agreements/{quote(agreement, safe='')}/revoke-link{'s' if everyone else ''}"
    body = {"new_link": new_link} if email is None else {"email": email, "new_link": new_link}
    answer = Client(Role.SECRETARY, data).post("signing", path, RevokedLinks, body)
    whose = "everyone" if email is None else email
    typer.echo(printable(f"the links mailed to {whose} have ended; {_followed(answer, email)}"))


def _followed(answer: Any, email: str | None) -> str:
    if answer["status"] != _OUT:
        renewed = any(
            one["mailed"] for one in answer["ended_links"] if email is None or same_email(one["email"], email)
        )
        return "a new one to the sealed copy is mailed" if renewed else "nobody is mailed a new one"
    if email is None:
        return "whose turn it is to sign is mailed a new one"
    signed = any(
        place["signed"] and any(same_email(one["email"], email) for one in place["requests"])
        for place in answer["places"]
    )
    return "nobody is mailed a new one, since the place is signed" if signed else "a new one is mailed"
