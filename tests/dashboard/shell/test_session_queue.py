"""Sessions in a queue, and what is answered between them."""

import asyncio
import time
from types import SimpleNamespace

from bokeh.server.contexts import ApplicationContext

from dashboard.shell.session_queue import CREATE, in_turn, queue_sessions

BUSY = 0.02  # seconds that a page takes


class Context:
    """What makes sessions, each of which keeps the event loop busy."""

    def __init__(self):
        self.sessions, self.done, self.free = [], [], asyncio.Event()

    async def create(self, session_id, request=None, *, token=None):
        if session_id == "bad":
            raise ValueError(session_id)
        if session_id == "slow":
            await self.free.wait()
        time.sleep(BUSY)
        self.done.append(session_id)
        self.sessions.append(SimpleNamespace(id=session_id))
        return session_id, request, token


async def come(context, names):
    """Ask for sessions at once, and answer somebody now and then."""
    create = in_turn(Context.create)
    asked = [asyncio.create_task(create(context, name, "request", token=name)) for name in names]
    answered = 0
    while not all(task.done() for task in asked):
        await asyncio.sleep(0)
        context.done.append("answer")
        answered += 1
    return await asyncio.gather(*asked, return_exceptions=True)


def test_between_two_sessions_others_are_answered():
    context = Context()
    made = asyncio.run(come(context, "abc"))
    assert made == [(name, "request", name) for name in "abc"]
    kept = [
        one for one, last in zip(context.done, ["", *context.done], strict=False) if one != last
    ]
    assert kept == ["a", "answer", "b", "answer", "c", "answer"]


def test_one_that_fails_does_not_stop_the_next():
    failed, made = asyncio.run(come(Context(), ("bad", "a")))
    assert isinstance(failed, ValueError)
    assert made == ("a", "request", "a")


def test_a_session_that_is_there_does_not_wait_for_one_that_is_made():
    async def found(context):
        create = in_turn(Context.create)
        slow = asyncio.create_task(create(context, "slow"))
        await asyncio.sleep(0)
        assert not slow.done()
        again = await asyncio.wait_for(create(context, "here"), 1)
        context.free.set()
        return again[0], (await slow)[0]

    context = Context()
    context.sessions.append(SimpleNamespace(id="here"))
    assert asyncio.run(found(context)) == ("here", "slow")


def test_the_queue_is_installed_once(monkeypatch):
    async def plain(context, session_id):
        """Make it."""

    monkeypatch.setattr(ApplicationContext, CREATE, plain)
    queue_sessions()
    wrapped = getattr(ApplicationContext, CREATE)
    queue_sessions()
    assert wrapped is getattr(ApplicationContext, CREATE) is not plain
    assert wrapped.__wrapped__ is plain
