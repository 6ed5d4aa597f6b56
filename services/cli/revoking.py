"""`justera revoke-link`: the links that a signer was mailed end; a new one is mailed."""

from typing import Annotated
from urllib.parse import quote

import typer

from services.cli.client import Client
from services.cli.options import DEFAULT_DATA, DataOption
from services.cli.shapes import RevokedLinks
from shared.names import Role
from shared.plain_text import printable
from shared.text import same_email


def add_to(app: typer.Typer) -> None:
    app.command(name="revoke-link")(revoke_link)


def revoke_link(
    agreement: Annotated[str, typer.Argument(metavar="AGREEMENT", help="Its transaction id.")],
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="The signer's address.")],
    data: DataOption = DEFAULT_DATA,
) -> None:
    """End every link that was mailed to a signer, at once. Who has not signed is mailed a new one.

    For a link that was passed on, or is read by others. A wrong address is corrected on the agreement's page.
    """
    path = f"/agreements/{quote(agreement, safe='')}/revoke-link"
    answer = Client(Role.SECRETARY, data).post("signing", path, RevokedLinks, {"email": email})
    signed = any(
        place["signed"] and any(same_email(one["email"], email) for one in place["requests"])
        for place in answer["places"]
    )
    told = "nobody is mailed a new one, since the place is signed" if signed else "a new one is mailed"
    typer.echo(printable(f"the links mailed to {email} have ended; {told}"))
