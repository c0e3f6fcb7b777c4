"""The tab that decodes points of the latent space."""

from html import escape

import panel as pn
import param

from dashboard.backend.datastore import DataStore
from dashboard.backend.jobs import when_done
from dashboard.backend.view import Tab
from dashboard.components.css import BASE, STAMPS
from dashboard.components.notices import MAX_LETTERS
from dashboard.decoder.single_image import SingleImage
from dashboard.decoder.traversals import Traversals

__all__ = ["Decode", "why_not_decoded"]

OPENING = "opening the model …"


def why_not_decoded(datastore: DataStore, model: str) -> str:
    """Why a model cannot decode."""
    if datastore.store.model(model).kind == "embedding":
        return f"{model} is an embedding made elsewhere: it has no decoder, so no pictures."
    failure = datastore.model_jobs.codec(model).exception()
    return f"The model cannot be read: {str(failure)[:MAX_LETTERS]}"


class Decode(Tab):
    """A picture with sliders, and rows of pictures along latents, lines and paths.

    Reads ``tab``, ``model`` and ``progress.loaded`` of the state, and what its parts read.
    """

    key, title = "decode", "Decode"

    def __init__(self, **params: object) -> None:
        super().__init__(**params)
        shared = {"datastore": self.datastore, "state": self.state}
        self.single_image, self.traversals = SingleImage(**shared), Traversals(**shared)
        self.note = pn.pane.HTML("", stylesheets=[BASE, STAMPS], sizing_mode="stretch_width")
        self._parts = pn.Row(
            self.single_image, self.traversals, sizing_mode="stretch_both", margin=0
        )
        self._say(OPENING, busy=True)  # nothing to press that would then be taken away
        self._prepare()

    def __panel__(self) -> pn.viewable.Viewable:
        return pn.Column(self.note, self._parts, sizing_mode="stretch_both", margin=(2, 10, 0, 10))

    @param.depends("state.tab", "state.model", "state.progress.loaded", watch=True)
    def _prepare(self) -> None:
        """Load the decoder; the parts are shown once it is there."""
        if self.state.tab != "decode" or not self.state.progress.loaded:
            return
        codec, spread = (
            self.datastore.model_jobs.codec(self.state.model),
            self.datastore.model_jobs.spread(self.state.model),
        )
        if not (codec.done() and spread.done()):
            self._say(OPENING, busy=True)
        when_done(codec, lambda: when_done(spread, self._open))

    def _open(self) -> None:
        model = self.state.model
        codec, spread = (
            self.datastore.model_jobs.codec(model),
            self.datastore.model_jobs.spread(model),
        )
        if not (codec.done() and spread.done()):
            return
        if codec.exception() or spread.exception():
            self._say(why_not_decoded(self.datastore, model))
            return
        self._say("")
        self.single_image.open(codec.result(), spread.result())
        self.traversals.open(codec.result(), spread.result())

    def _say(self, words: str, *, busy: bool = False) -> None:
        self._parts.visible, self.note.visible = not words, bool(words)
        kind = "empty shimmer" if busy else "empty"
        self.note.object = f'<p class="{kind}">{escape(words)}</p>' if words else ""
