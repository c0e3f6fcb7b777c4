"""Visitors of two servers of one store at once."""

import asyncio
import time

from dashboard.benchmarks.visitor import visits
from pcvae.journal import Journal, journal_path

STAY, PAUSE = 2.0, 0.25  # seconds


async def both(urls):
    """A visitor of each server."""
    return await asyncio.gather(*(visits(url, 1, 0.1, STAY, PAUSE) for url in urls))


def given(journal):
    """All labels that were ever given."""
    return {event.label for event in journal.events()}


def test_no_label_of_two_servers_is_lost_and_no_act_fails(serve, folder):
    journal = Journal(journal_path(folder))
    with serve(folder) as first, serve(folder) as second:
        found = asyncio.run(both((first, second)))
        acts = [act for acts, _ in found for act in acts]
        labels = {name for _, names in found for name in names}
        assert {act.error for act in acts} == {""}
        assert {"open", "pan", "tap", "lasso", "label"} == {act.kind for act in acts}
        end = time.monotonic() + 30  # a label is written after the page has its answer
        while labels - given(journal) and time.monotonic() < end:
            time.sleep(0.1)
    assert not labels - given(journal)
    assert len(labels) > 1
    journal.close()
