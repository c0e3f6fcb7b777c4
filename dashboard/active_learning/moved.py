"""The comparison of two models' neighbours: started when it is looked at, counted as it comes."""

import param

from dashboard.backend.jobs import when_done
from dashboard.backend.quantities import MOVED
from dashboard.backend.view import Follower

__all__ = ["MovedFollower"]


class MovedFollower(Follower):
    """Lets the views follow when it is known how far galaxies moved from another model.

    Reads ``colour``, ``model``, ``queue.rank`` and ``progress.loaded`` of the state; writes
    ``progress.scores_arrived``.
    """

    @param.depends(
        "state.colour", "state.model", "state.queue.rank", "state.progress.loaded", watch=True
    )
    def _follow(self) -> None:
        state = self.state
        for key in {state.colour, state.queue.rank}:
            other = key.removeprefix(MOVED)
            if other != key and other in self.datastore.models and state.progress.loaded:
                job = self.datastore.neighbours.moved(state.model, other)
                if not job.done():
                    when_done(job, self._arrive)

    def _arrive(self) -> None:
        self.state.progress.scores_arrived += 1
