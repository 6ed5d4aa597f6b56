"""Replay of a scenario: the real services on temporary data, driven step by step under a clock that stands still.

After each step it waits until outboxes are empty and every group has committed to the end; only then does the clock
move. So a scenario gives the same report every time, however slow the machine.
"""

import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from services.archive.commands import ArchiveCommands
from services.embedded.assembly import AllInOne, Modes
from services.embedded.home import Home
from services.embedded.mail_sink import MailSink
from services.embedded.quiescence import settle
from services.embedded.scenario import STEP_KINDS, Minutes, Scenario, Signing, Step
from services.embedded.step_base import MeetingName
from services.embedded.year import YearSteps
from services.meetings.attachment.commands import Upload
from services.meetings.commands import MeetingsCommands
from services.meetings.meeting.meeting import Meeting, MeetingDetails
from services.notifications.commands import NotificationsCommands
from services.signing.agreement import Agreement, Status
from services.signing.commands import SigningCommands
from shared.clock import ManualClock, parse_timestamp
from shared.errors import JusteraError, Refused, Unavailable
from shared.history import Entry
from shared.rendering.report import Report, as_text, build_report
from shared.row_security import act_for
from shared.text import same_email

# Called after each step, when everything that it led to has been handled.
Observer = Callable[[Step], Awaitable[None]]


@dataclass(frozen=True)
class Outcome:
    """`report` and `history`: of an agreement, if there was one; `sealed`: its final copy, of one that was completed.
    `year`: the meetings, what happened and who was mailed, when the scenario has such steps."""

    report: Report | None
    history: bytes | None
    sealed: bytes | None
    year: str | None = None

    @property
    def text(self) -> str:
        """The audit report; of a year that signed nothing, the year."""
        return as_text(self.report) if self.report is not None else self.year or ""

    def write(self, folder: Path) -> list[Path]:
        """Write what there is of `report.txt`, `history.json`, `protocol.pdf`, `year.txt`; what an earlier run left of
        the others goes."""
        folder.mkdir(parents=True, exist_ok=True)
        files = {
            "report.txt": as_text(self.report).encode() if self.report is not None else None,
            "history.json": self.history,
            "protocol.pdf": self.sealed,
            "year.txt": self.year.encode() if self.year is not None else None,
        }
        for name, content in files.items():
            if content is None:
                (folder / name).unlink(missing_ok=True)
            else:
                (folder / name).write_bytes(content)
        return [folder / name for name, content in files.items() if content is not None]


@asynccontextmanager
async def replaying(scenario: Scenario) -> AsyncIterator["Replay"]:
    """Start the system on temporary data, with a mail server that accepts everything; take it all away at the end."""
    clock = ManualClock(scenario.steps[0].at)
    with tempfile.TemporaryDirectory(prefix="justera-") as folder:
        async with MailSink() as sink:
            overrides = {
                "smtp_host": sink.host,
                "smtp_port": sink.port,
                "smtp_security": "none",
                "bounce_listen": None,
                "bounce_maildir": None,
                "seal_pkcs12": None,
                "language": scenario.language,
            }
            modes = Modes(durable=False, automatic=False)
            async with AllInOne(Home(Path(folder)), clock=clock, modes=modes, overrides=overrides) as system:
                yield Replay(system, scenario, clock)


class Replay:
    """Drives one scenario. `agreement_id` is known once it has been created: of the last version of its minutes, or
    before that of a paragraph that is approved at once."""

    def __init__(self, system: AllInOne, scenario: Scenario, clock: ManualClock) -> None:
        self.system = system
        self.agreement_id = ""
        self._meeting_id = ""
        self._is_created = False
        self._scenario = scenario
        self._clock = clock
        self._organisation = system.settings.organisation
        self._meetings: MeetingsCommands = system.services["meetings"].commands
        self._signing: SigningCommands = system.services["signing"].commands
        self._notifications: NotificationsCommands = system.services["notifications"].commands
        self._archive: ArchiveCommands = system.services["archive"].commands
        self._year = YearSteps(system)
        self._actions: Mapping[str, Callable[[Mapping[str, str]], Awaitable[Any]]] = {
            "create": self._create,
            "adjust_at_once": self._adjust_at_once,
            "send": self._send,
            "deliver": self._deliver,
            "view": self._view,
            "enter_name": self._enter_name,
            "sign": self._sign,
            "bounce": self._bounce,
            "add_alternate": self._add_alternate,
            "correct_address": self._correct_address,
            "ask_again": self._ask_again,
            "revoke": self._revoke,
            "extend": self._extend,
            "decline": self._decline,
            "cancel": self._cancel,
            "new_version": self._new_version,
            "remind": self._remind,
            "expire": self._expire,
        }

    async def run(self, observe: Observer | None = None) -> Outcome:
        """Raises RefusedScenario at the first step that the system does not allow."""
        act_for(self._organisation)
        await self._settle()
        for step in self._scenario.steps:
            await self.take(step)
            if observe is not None:
                await observe(step)
        return await self._outcome()

    async def take(self, step: Step) -> None:
        """One step, and all that it leads to. Raises RefusedScenario, Unavailable."""
        act_for(self._organisation)
        self._clock.move_to(step.at)
        try:
            if STEP_KINDS[step.kind].about == "agreement":
                self._require_created()
            if step.given is not None:
                await self._year.take(step.kind, step.given)
            else:
                await self._actions[step.kind](step.arguments)
        except Unavailable:
            raise
        except JusteraError as error:
            raise step.refused(error) from error
        await self._settle()

    async def _settle(self) -> None:
        await settle(self.system.services.values())

    def _require_created(self) -> None:
        if not self.agreement_id:
            raise Refused("nothing has been created yet")

    async def _create(self, arguments: Mapping[str, str]) -> None:
        if self._is_created:
            raise Refused("the document has been created already")
        signing = self._signed
        if "meeting" in arguments:
            meeting = await self._year.meeting(MeetingName.read(arguments["meeting"]))
        elif signing.minutes is not None:
            meeting = await self._schedule(signing.minutes, signing.drafting.timezone)
        else:  # such a scenario was refused when it was read
            raise Refused("the scenario has no minutes")
        self._meeting_id = meeting.id
        await self._draft(signing.minutes, signing.drafting.transaction_id, arguments["ip"])
        self._is_created = True

    async def _adjust_at_once(self, arguments: Mapping[str, str]) -> None:
        """What follows is about its agreement, until the minutes as a whole are created."""
        if self._is_created:
            raise Refused("the minutes as a whole have been created already")
        drafting = self._signed.drafting.model_copy(update={"transaction_id": arguments.get("transaction_id")})
        meeting = await self._year.meeting(MeetingName.read(arguments["meeting"]))
        drafted = await self._year.adjust_at_once(meeting, arguments["paragraph"], drafting, ip=arguments["ip"])
        self.agreement_id = drafted.agreement_id

    @property
    def _signed(self) -> Signing:
        if self._scenario.signing is None:  # a scenario without it that creates anything was refused when it was read
            raise Refused("the scenario has no minutes")
        return self._scenario.signing

    async def _schedule(self, minutes: Minutes, timezone: str) -> Meeting:
        front = minutes.draft.front
        details = MeetingDetails(
            body=front.body,
            title=front.title,
            place=front.place,
            starts=front.starts,
            ends=front.ends,
            timezone=timezone,
        )
        return await self._meetings.meetings.schedule(self._organisation, details)

    async def _new_version(self, arguments: Mapping[str, str]) -> None:
        """What follows is about its agreement."""
        minutes = self._scenario.corrected[arguments["minutes"]] if "minutes" in arguments else None
        await self._draft(minutes, arguments.get("transaction_id"), arguments["ip"])

    async def _draft(self, minutes: Minutes | None, transaction_id: str | None, ip: str) -> None:
        """Without `minutes`, of what is written for the meeting."""
        text = minutes.text if minutes is not None else await self._year.written(self._meeting_id)
        for name, content in minutes.annexes.items() if minutes is not None else ():
            await self._meetings.annexes.hand_in(self._organisation, self._meeting_id, Upload(name, BytesIO(content)))
        drafting = self._signed.drafting.model_copy(update={"transaction_id": transaction_id})
        drafted = await self._meetings.minutes.draft_minutes(
            self._organisation, self._meeting_id, text, drafting, ip=ip
        )
        self.agreement_id = drafted.agreement_id

    async def _send(self, arguments: Mapping[str, str]) -> None:
        await self._signing.send_off(self._organisation, self.agreement_id)

    async def _deliver(self, arguments: Mapping[str, str]) -> None:
        """Where an original was not asked again beside its alternate, the scenario says that its sender did ask."""
        requests = (await self.state()).requests if self.agreement_id else ()
        if any(request.withheld and same_email(request.email, arguments["to"]) for request in requests):
            with suppress(Refused):  # then no mail waits, and that is what the step is told
                await self._ask_again({"email": arguments["to"]})
                await self._settle()
        await self._notifications.deliver_next(self._organisation, arguments["to"])

    async def _bounce(self, arguments: Mapping[str, str]) -> None:
        await self._notifications.bounce(self._organisation, arguments["to"], arguments["status"])

    async def _view(self, arguments: Mapping[str, str]) -> None:
        request_id = await self._request_of(arguments["email"])
        await self._signing.view(self._organisation, request_id, ip=arguments["ip"])

    async def _enter_name(self, arguments: Mapping[str, str]) -> None:
        request_id = await self._request_of(arguments["email"])
        await self._signing.enter_name(self._organisation, request_id, arguments["name"], ip=arguments["ip"])

    async def _sign(self, arguments: Mapping[str, str]) -> None:
        request_id = await self._request_of(arguments["email"])
        await self._signing.sign(self._organisation, request_id, ip=arguments["ip"])

    async def _decline(self, arguments: Mapping[str, str]) -> None:
        request_id = await self._request_of(arguments["email"])
        await self._signing.decline(self._organisation, request_id, arguments["reason"], ip=arguments["ip"])

    async def _add_alternate(self, arguments: Mapping[str, str]) -> None:
        await self._signing.add_alternate(
            self._organisation,
            self.agreement_id,
            arguments["for"],
            arguments["email"],
            name=arguments.get("name"),
            ip=arguments["ip"],
        )

    async def _correct_address(self, arguments: Mapping[str, str]) -> None:
        await self._signing.correct_address(
            self._organisation, self.agreement_id, arguments["for"], arguments["email"], ip=arguments["ip"]
        )

    async def _ask_again(self, arguments: Mapping[str, str]) -> None:
        await self._signing.ask_again(self._organisation, self.agreement_id, arguments["email"])

    async def _revoke(self, arguments: Mapping[str, str]) -> None:
        await self._signing.revoke_link(self._organisation, self.agreement_id, arguments["email"], ip=arguments["ip"])

    async def _extend(self, arguments: Mapping[str, str]) -> None:
        await self._signing.extend(
            self._organisation, self.agreement_id, parse_timestamp(arguments["until"]), ip=arguments["ip"]
        )

    async def _cancel(self, arguments: Mapping[str, str]) -> None:
        await self._signing.cancel(self._organisation, self.agreement_id, arguments["reason"], ip=arguments["ip"])

    async def _remind(self, arguments: Mapping[str, str]) -> None:
        await self._signing.remind_reachable(self._organisation, self.agreement_id)

    async def _expire(self, arguments: Mapping[str, str]) -> None:
        await self._signing.expire(self._organisation, self.agreement_id)

    async def _request_of(self, email: str) -> str:
        return await self._signing.queries.request_id(self._organisation, self.agreement_id, email)

    async def _outcome(self) -> Outcome:
        year = await self._year.text() if any(step.given for step in self._scenario.steps) else None
        if not self.agreement_id:
            return Outcome(None, None, None, year)
        entries = await self.entries()
        state = await self.state()
        sealed = None
        if state.status is Status.COMPLETED:
            sealed = await self._archive.sealed_copy(self._organisation, self.agreement_id)
        history = await self._signing.queries.history(self._organisation, self.agreement_id)
        return Outcome(build_report(entries), history, sealed, year)

    async def entries(self) -> list[Entry]:
        """The agreement's history so far."""
        return list(await self._signing.queries.entries(self._organisation, self.agreement_id))

    async def state(self) -> Agreement:
        return await self._signing.queries.state(self._organisation, self.agreement_id)
