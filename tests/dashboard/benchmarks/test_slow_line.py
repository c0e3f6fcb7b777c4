"""A line has the rate and the delay that it is given."""

import socket
import threading
import time

from dashboard.benchmarks.screenshot import free_port
from dashboard.benchmarks.slow_line import Line

SENT, RATE, DELAY = 40_000, 200_000.0, 0.05  # bytes, bytes a second, s


def test_what_passes_a_line_takes_its_time():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(bytes(int.from_bytes(connection.recv(8), "big")))

        threading.Thread(target=answer).start()
        with (
            Line(server.getsockname()[1], free_port(), RATE, DELAY).open() as line,
            socket.create_connection(("127.0.0.1", line.port)) as client,
        ):
            begun = time.perf_counter()
            client.sendall(SENT.to_bytes(8, "big"))
            got = b"".join(iter(lambda: client.recv(1 << 16), b""))
            took = time.perf_counter() - begun
    assert got == bytes(SENT)
    assert line.received == SENT
    assert took > SENT / RATE + 2 * DELAY - 0.01
