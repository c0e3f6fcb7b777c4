"""Work on a galaxy that the store does not have: read or fetch its image, then encode it."""

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import Any, NamedTuple

import param

from dashboard.backend.jobs import when_done
from dashboard.backend.view import Follower
from dashboard.components.file_input import Upload, UploadError
from dashboard.galaxy.dust import behind_nearest_dust
from dashboard.galaxy.external_galaxy import (
    NO_NETWORK,
    ExternalGalaxy,
    encode_external,
    has_network,
)
from dashboard.galaxy.image_files import read_image_files
from dashboard.galaxy.legacy_cutout import fetch_external_galaxy, host, request_like
from dashboard.sky.coordinates import Place
from pcvae.errors import PcvaeError

__all__ = ["ExternalJobs", "Status"]


class Status(NamedTuple):
    """How far the latest request is.

    Args:
        words: The same in words; empty once the galaxy is shown.
        busy: Whether it is under way.
        failed: Whether it has failed.
    """

    words: str = ""
    busy: bool = False
    failed: bool = False


class ExternalJobs(Follower):
    """Makes the external galaxy of a session in workers; only the latest request counts.

    Reads ``model``, ``external``, ``wanted_place``, ``split`` and ``second.model`` of the
    state; writes ``row``, ``external`` and ``wanted_place``.

    Args:
        report: Called with each status.
        params: The datastore and the state.
    """

    def __init__(self, report: Callable[[Status], None], **params: object) -> None:
        super().__init__(**params)
        self._report = report
        self._latest = 0

    def cancel(self) -> None:
        """Drop the result of what is under way."""
        self._latest += 1

    def read(self, files: Sequence[Upload], ebv: float | None = None) -> None:
        """Read the image of a galaxy from uploaded files; behind dust of E(B-V) [mag]."""
        if files:
            names = ", ".join(file.name for file in files)
            info = self.datastore.store.info
            self._begin(lambda: read_image_files(files, info, ebv), f"Reading {names} …")

    def fetch(self, place: Place) -> None:
        """Fetch the cutout of a place on the sky."""
        try:
            asked = request_like(self.datastore)
        except PcvaeError as error:
            self.fail(error)
            return
        like = f"{', '.join(asked.bands)}, {asked.size} pixels of {asked.pixel_scale:g}″"
        words = f"Asking {host()} for {place} ({like}) …"
        self._begin(lambda: fetch_external_galaxy(self.datastore, place), words)

    def fail(self, error: BaseException) -> None:
        """Report an error."""
        self._report(Status(f"Not taken: {error}", failed=True))

    @param.depends("state.wanted_place", watch=True)
    def _fetch_wanted(self) -> None:
        if self.state.wanted_place is not None:
            self.fetch(Place(*self.state.wanted_place))
            self.state.wanted_place = None

    def _begin(self, make: Callable[[], ExternalGalaxy], words: str) -> None:
        if not has_network(self.datastore, self.state.model):
            self.fail(UploadError(NO_NETWORK))
            return
        self._report(Status(words, busy=True))
        self._latest += 1
        store = self.datastore
        number = self._latest
        job = store.workers.requests.submit(lambda: behind_nearest_dust(store, make()))
        when_done(job, lambda: self._made(job, number))

    def _made(self, job: "Future[ExternalGalaxy]", number: int) -> None:
        if number != self._latest:
            return
        if error := job.exception():
            self.fail(error)
            return
        external, model = job.result(), self.state.model
        codec = self.datastore.model_jobs.codec(model)
        self._report(Status("Encoding it …", busy=True))
        when_done(codec, lambda: self._encode(external, model, codec, number))

    def _encode(
        self, external: ExternalGalaxy, model: str, codec: "Future[Any]", number: int
    ) -> None:
        if number != self._latest:
            return
        try:
            encode_external(self.datastore, codec.result(), model, external)
        except (PcvaeError, RuntimeError, ValueError, OSError) as error:
            self.fail(error)
            return
        self.state.param.update(row=None, external=external)
        self._latest += 1
        self._report(Status())

    @param.depends(
        "state.external",
        "state.model",
        "state.split",
        "state.second.model",
        watch=True,
    )
    def _encode_for_maps(self) -> None:
        """Encode the galaxy by the models of both maps."""
        external = self.state.external
        for model in {self.state.model, *([self.state.second.model] * self.state.split)}:
            if external and model not in external.seen and has_network(self.datastore, model):
                codec = self.datastore.model_jobs.codec(model)
                when_done(codec, partial(self._encode_again, external, model, codec))

    def _encode_again(self, external: ExternalGalaxy, model: str, codec: "Future[Any]") -> None:
        if not codec.exception():
            encode_external(self.datastore, codec.result(), model, external)
            self.state.param.trigger("external")
