"""When a child server counts as ended."""

import asyncio

import pytest

from services.embedded.children import ChildFailed
from services.embedded.watch import Patience, end_of

_HASTE = Patience(every=0.001, answer=0.01, times=2)


class Server:
    """Answers as told, one after the other, then as the last time; None never ends."""

    def __init__(self, *answers: bool | Exception | None) -> None:
        self._answers = list(answers)
        self.asked = 0
        self.killed = False
        self.ended = asyncio.Event()

    async def wait_dead(self) -> int:
        await self.ended.wait()
        return -9

    async def answers(self) -> bool:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if answer is None:
            await asyncio.Event().wait()
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    def kill(self) -> None:
        self.killed = True
        self.ended.set()


async def test_one_that_dies_is_not_killed() -> None:
    server = Server(True)
    asyncio.get_running_loop().call_later(0.02, server.ended.set)
    assert await end_of(server, _HASTE) == "died"
    assert not server.killed


@pytest.mark.parametrize("silence", [None, False, ConnectionRefusedError()])
async def test_one_that_lives_without_answering_is_ended(silence: bool | Exception | None) -> None:
    server = Server(True, silence)
    assert await end_of(server, _HASTE) == "hung"
    assert server.killed
    assert server.asked == 3


async def test_one_miss_is_forgiven_when_an_answer_follows() -> None:
    server = Server(False, True, False, True, True, None, None)
    assert await end_of(server, _HASTE) == "hung"
    assert server.asked == 7


async def test_a_watch_that_is_given_up_leaves_the_server_alone() -> None:
    server = Server(True)
    watch = asyncio.create_task(end_of(server, _HASTE))
    await asyncio.sleep(0.01)
    watch.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watch
    assert not server.killed


async def test_one_that_was_not_started_is_an_error() -> None:
    class NotStarted(Server):
        async def wait_dead(self) -> int:
            raise ChildFailed("it is not running")

    with pytest.raises(ChildFailed):
        await end_of(NotStarted(True), _HASTE)
