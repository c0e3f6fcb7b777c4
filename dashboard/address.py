"""The address of the page: it says what is shown, and shows it again when opened."""

from typing import Any

from dashboard.source import Source
from dashboard.state import State

__all__ = ["follow_address", "query_of"]

KEPT = ("model", "x", "y", "colour", "tab", "seeds")


def query_of(source: Source, state: State) -> dict[str, str]:
    """What the address says of a state: the choices, and the picked galaxy by its id."""
    query = {name: str(getattr(state, name)) for name in KEPT if getattr(state, name)}
    if state.row is not None:
        query["galaxy"] = str(source.ids[state.row])
    return query


def follow_address(source: Source, state: State, location: Any) -> None:
    """Take over what the address says as far as the store has it, then keep it up to date."""
    if location is None:
        return
    asked = {name: str(value) for name, value in location.query_params.items()}
    for name in KEPT:
        if asked.get(name) in list(state.param[name].objects):
            setattr(state, name, asked[name])
    state.dark = asked.get("theme") != "light"
    if "galaxy" in asked:
        state.row = source.row_of(asked["galaxy"])
    state.param.watch(lambda *_: location.update_query(**query_of(source, state)), [*KEPT, "row"])
