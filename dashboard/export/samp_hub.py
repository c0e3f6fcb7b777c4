"""A SAMP hub on this machine, by the Standard Profile: to send a table, and to receive messages.

Reference: https://www.ivoa.net/documents/SAMP/
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.error import URLError
from urllib.parse import urlparse
from urllib.request import urlopen
from xmlrpc.client import Error  # nosec B411: the error alone

import numpy as np
from numpy.typing import NDArray

from dashboard.components.file_input import MAX_BYTES, Upload, UploadError, too_large
from pcvae.errors import PcvaeError

if TYPE_CHECKING:
    from pyvo.samp import SAMPIntegratedClient

__all__ = ["SENT", "TAKEN", "Answer", "LocalHub", "NoHubError", "SentTable", "fetch_table"]

SENT = "table.load.votable"
TAKEN = ("table.highlight.row", "table.select.rowList", "coord.pointAt.sky", SENT)
PATIENCE = 20  # seconds in which a program has to take a table, or hand one over
SCHEMES = ("file", "http", "https")


class NoHubError(PcvaeError):
    """No hub runs on this machine, or it cannot be asked."""


class SentTable(NamedTuple):
    """A table that is sent.

    Args:
        key: What programs call it when they speak of its rows.
        title: What they show.
        path: Its VOTable.
        rows: The row of each of its galaxies in the store, -1 where it is not there, (M,).
    """

    key: str
    title: str
    path: Path
    rows: NDArray[np.intp]


class Answer(NamedTuple):
    """What a program did with a table: its name, and what went wrong, or nothing."""

    name: str
    error: str


class LocalHub:
    """A client of the hub of this machine; its methods take their time, so they are for a worker.

    Args:
        name: What other programs call it.
        on_message: Called with the type and the parameters of a message, in a thread of the hub's.
        on_table: Called with a table that a program sends, in a thread of the hub's.
    """

    def __init__(
        self,
        name: str,
        on_message: Callable[[str, Mapping[str, object]], None],
        on_table: Callable[[Upload], None],
    ) -> None:
        self._name, self._on_message, self._on_table = name, on_message, on_table
        self._client: SAMPIntegratedClient | None = None

    def send(self, table: SentTable) -> list[Answer]:
        """Send a table to all programs that take one.

        Raises:
            NoHubError: There is no hub.
        """
        client = self._connected()
        message = {"table-id": table.key, "name": table.title, "url": table.path.as_uri()}
        try:
            names = list(client.get_subscribed_clients(SENT))
        except (Error, OSError) as error:
            raise NoHubError(str(error)) from error
        return [self._give(client, name, message) for name in names]

    def close(self) -> None:
        """Leave the hub."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(Error, OSError):
                client.disconnect()

    def _give(
        self, client: "SAMPIntegratedClient", recipient: str, message: Mapping[str, str]
    ) -> Answer:
        try:
            name = client.get_metadata(recipient).get("samp.name", recipient)
        except (Error, OSError):
            name = recipient
        try:
            found = client.ecall_and_wait(recipient, SENT, str(PATIENCE), **message)
        except (Error, OSError) as error:
            return Answer(name, getattr(error, "faultString", "") or str(error))
        if found.get("samp.status") == "samp.ok":
            return Answer(name, "")
        return Answer(name, found.get("samp.error", {}).get("samp.errortxt", "no reason given"))

    def _connected(self) -> "SAMPIntegratedClient":
        """The client, connected with a hub that answers."""
        if self._client is not None:
            try:
                self._client.ping()
            except (Error, OSError):
                self.close()
        if self._client is None:
            self._client = self._connect()
        return self._client

    def _connect(self) -> "SAMPIntegratedClient":
        try:
            from pyvo.samp import SAMPHubError, SAMPIntegratedClient, conf
        except ImportError as error:
            msg = "pyvo is not installed"
            raise NoHubError(msg) from error
        conf.use_internet = False  # else it asks an outside server whether there is a network
        client = SAMPIntegratedClient(
            name=self._name,
            description="Latent space of galaxies",
            metadata={"samp.documentation.url": "https://www.ivoa.net/documents/SAMP/"},
            addr="127.0.0.1",
        )
        try:
            client.connect()
        except (SAMPHubError, KeyError, Error, OSError) as error:  # KeyError: another hub runs
            raise NoHubError(str(error)) from error
        client.unbind_receive_call("client.env.get")  # which tells this process's secrets
        for mtype in TAKEN:
            client.bind_receive_message(mtype, self._receiver(client))
        return client

    def _receiver(self, client: "SAMPIntegratedClient") -> Callable[..., None]:
        def receive(
            _key: str,
            _sender: str,
            message: str | None,
            mtype: str,
            params: Mapping[str, object],
            _extra: Mapping[str, object],
        ) -> None:
            reply: dict[str, object] = {"samp.status": "samp.ok", "samp.result": {}}
            try:
                if mtype == SENT:
                    self._on_table(fetch_table(str(params.get("url", "")), params.get("name")))
                else:
                    self._on_message(mtype, params)
            except PcvaeError as error:
                reply |= {"samp.status": "samp.error", "samp.error": {"samp.errortxt": str(error)}}
            if message is not None:
                client.reply(message, reply)

        return receive


def fetch_table(url: str, name: object = None) -> Upload:
    """The VOTable at an address that a program of this machine's user sent.

    Raises:
        UploadError: It cannot be had, or is too large.
    """
    if urlparse(url).scheme not in SCHEMES:
        msg = f"expected an address of a table ({', '.join(SCHEMES)}), found {url!r}"
        raise UploadError(msg)
    try:
        with urlopen(url, timeout=PATIENCE) as answer:  # nosec B310: of these schemes
            content = answer.read(MAX_BYTES + 1)
    except (URLError, OSError, ValueError) as error:
        msg = f"the table at {url} cannot be fetched: {error}"
        raise UploadError(msg) from error
    if len(content) > MAX_BYTES:
        raise UploadError(too_large(len(content), MAX_BYTES))
    title = Path(str(name or urlparse(url).path)).stem or "table"
    return Upload(f"{title}.vot", content)
