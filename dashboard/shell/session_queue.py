"""Sessions are made one after the other, with rests in which those who are there are answered.

To make a page keeps the event loop busy for half a second and more. Without a queue, the pages of
all who come at once are made before anybody else is answered, which a browser takes for a server
that is gone.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import wraps

from bokeh.server.contexts import ApplicationContext
from bokeh.server.session import ServerSession

__all__ = ["RESTING", "queue_sessions"]

RESTING = 0.5  # of the time that a session took, before the next one is made
CREATE = "create_session_if_needed"

Create = Callable[..., Awaitable[ServerSession]]


def queue_sessions() -> None:
    """Make sessions one after the other in this process; calling it again changes nothing."""
    create = getattr(ApplicationContext, CREATE)
    if not hasattr(create, "__wrapped__"):
        setattr(ApplicationContext, CREATE, in_turn(create))


def in_turn(create: Create) -> Create:
    """A method that makes sessions, each after the one before is made and rested from.

    Asked for a session that is there already, it does not wait.
    """
    turn = asyncio.Lock()

    @wraps(create)
    async def made(
        context: ApplicationContext, session_id: str, *rest: object, **named: object
    ) -> ServerSession:
        if session_id in {session.id for session in context.sessions}:
            return await create(context, session_id, *rest, **named)
        await turn.acquire()
        begun, pause = time.perf_counter(), 0.0
        try:
            session = await create(context, session_id, *rest, **named)
            pause = RESTING * (time.perf_counter() - begun)
        finally:  # whoever has it now goes on at once, the next one waits
            asyncio.get_running_loop().call_later(pause, turn.release)
        return session

    return made
