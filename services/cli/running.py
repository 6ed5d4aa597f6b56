"""`justera up` and `justera run`: the system in one process, or each service in a process of its own."""

import asyncio
import socket
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli.client import Client
from services.cli.errors import one_line_errors
from services.cli.options import DEFAULT_DATA, DataOption
from services.cli.shapes import LoginLink
from shared.names import Role

if TYPE_CHECKING:
    from shared.settings import Settings


class ServiceName(StrEnum):
    MEETINGS = "meetings"
    SIGNING = "signing"
    NOTIFICATIONS = "notifications"
    ARCHIVE = "archive"


# Beside each other on one machine, each service has a port of its own; in containers the same one serves as well.
_PORTS = {
    ServiceName.MEETINGS: 8351,
    ServiceName.SIGNING: 8352,
    ServiceName.NOTIFICATIONS: 8353,
    ServiceName.ARCHIVE: 8354,
}
_LAST_PORT = 65_535

HostOption = Annotated[str, typer.Option(help="The address to listen on.")]


def add_to(app: typer.Typer) -> None:
    app.command()(up)
    app.command()(login)
    app.command()(run)


def up(
    data: DataOption = DEFAULT_DATA,
    host: HostOption = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535, help="The port of the pages and the APIs.")] = 8350,
    empty: Annotated[
        bool,
        typer.Option("--empty", help="Begin a new data folder with nothing in it, for your own association."),
    ] = False,
) -> None:
    """Start everything on this machine: the four services in one process, with a database and a broker of their own.

    Nothing else is needed. Mail is shown on a page instead of being sent, unless JUSTERA_SMTP_HOST names a mail server.
    A new data folder begins with an invented association in the middle of its year, to look around in, unless --empty
    is given or JUSTERA_SMTP_HOST is set.

    It runs until Ctrl-C; killed at any moment and started again, it goes on where it was.
    """
    from services.embedded.home import Home, private_from_now_on
    from services.embedded.server import bind
    from services.embedded.up import up as run_up
    from shared.logging import configure_logging
    from shared.settings import load_settings

    settings = load_settings()
    listener = bind(host, port)
    private_from_now_on()
    home = Home(data)
    if found := home.tighten():
        typer.echo(f"{data} was open to other users of this machine: {found} files and folders are closed to them now.")
    home.prepare()
    log_file = home.logs / "justera.log"
    configure_logging(log_format="json", level=settings.log_level, file=log_file)
    asyncio.run(run_up(home, listener, host=host, port=port, empty=empty, say=typer.echo))


def login(data: DataOption = DEFAULT_DATA) -> None:
    """Print a new login link for the pages of `justera up`. It works once, within the hour."""
    typer.echo(Client(Role.OPERATOR, data).post("", "/login-links", LoginLink)["url"])


def run(
    service: Annotated[ServiceName | None, typer.Argument(help="One of the four; all of them when left out.")] = None,
    host: HostOption = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=1, max=65535, help="Default: 8351 to 8354, one a service; for all four, the first of theirs."),
    ] = None,
) -> None:
    """Run one service on its own, on Kafka and PostgreSQL: what a container does. Or all four, on one machine.

    It reads JUSTERA_DATABASE_URL, JUSTERA_KAFKA, JUSTERA_BLOBS and the rest from the environment (docs/operations.md
    lists them). Run `justera migrate` before the first start and after each upgrade. SIGTERM drains it.

    All four are a process each, which share the memory of what they load. They end together: with SIGTERM or Ctrl-C,
    or when one of them does.
    """
    from services.embedded.server import bind
    from services.embedded.together import load, run_forked
    from shared.settings import BadConfiguration, load_settings

    settings = load_settings()
    if service is not None:
        _run_service(service, settings, bind(host, port or _PORTS[service]))
        return
    first = port or min(_PORTS.values())
    if first + len(_PORTS) - 1 > _LAST_PORT:
        raise BadConfiguration(f"there are no four ports from {first} on", hint="choose another one with --port")
    listeners = {one: bind(host, first + number) for number, one in enumerate(_PORTS)}
    load(tuple(listeners))

    def task(one: ServiceName) -> None:
        for other, listener in listeners.items():
            if other is not one:
                listener.close()  # else it would seem to be there after its own process has ended
        with one_line_errors():
            _run_service(one, settings, listeners[one])

    run_forked({one.value: partial(task, one) for one in listeners})


def _run_service(service: ServiceName, settings: "Settings", listener: socket.socket) -> None:
    from services.embedded.single import run_service
    from shared.logging import configure_logging

    configure_logging(log_format=settings.log_format, level=settings.log_level, service=service.value)
    asyncio.run(run_service(service.value, settings, listener))
