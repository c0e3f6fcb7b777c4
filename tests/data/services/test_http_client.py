import gzip
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from itertools import pairwise

import numpy as np
import pytest

from data.services.http_client import (
    Client,
    FetchError,
    InvalidResponseError,
    NoResponseError,
    RateLimitedError,
    RefusedError,
    RetryPolicy,
    StoppedError,
)
from tests.data.services.stand_in import Answer, serving

QUICK = RetryPolicy(timeout=1.0, tries=4, back_off=0.02)


@pytest.fixture
def service():
    with serving(lambda asked: Answer(b"good")) as service:
        yield service


@pytest.fixture
def client():
    with Client(QUICK) as client:
        yield client


def pauses(service):
    times = [asked.when for asked in service.asked]
    return [b - a for a, b in pairwise(times)]


def test_an_answer_comes_back_with_its_question_and_our_name(service):
    with Client(RetryPolicy(contact="me@example.org")) as client:
        assert client.ask(service.url, query={"ra": "1"}) == b"good"
    (asked,) = service.asked
    assert asked.query == {"ra": "1"}
    assert asked.headers["User-Agent"].startswith("pcvae/")
    assert "me@example.org" in asked.headers["User-Agent"]


def test_a_form_is_posted(service, client):
    client.ask(service.url, form={"query": "SELECT"})
    assert (service.asked[0].method, service.asked[0].form) == ("POST", {"query": "SELECT"})


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_passing_failure_is_tried_again_after_ever_longer_pauses(service, client, status):
    service.troubles = [Answer(status=status)] * 3
    assert client.ask(service.url) == b"good"
    first, second, third = pauses(service)
    assert first >= 0.015
    assert second >= 0.03
    assert third >= 0.06


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_in_seconds_is_honoured(service, client, status):
    service.troubles = [Answer(status=status, headers={"Retry-After": "1"})]
    assert client.ask(service.url) == b"good"
    assert pauses(service)[0] >= 1


def test_retry_after_as_a_date_is_honoured(service, client):
    when = format_datetime(datetime.now(UTC) + timedelta(seconds=2), usegmt=True)
    service.troubles = [Answer(status=429, headers={"Retry-After": when})]
    assert client.ask(service.url) == b"good"
    assert pauses(service)[0] >= 0.8


def test_a_senseless_retry_after_counts_as_none(service, client):
    service.troubles = [Answer(status=429, headers={"Retry-After": "soon"})]
    assert client.ask(service.url) == b"good"
    assert pauses(service)[0] < 0.5


@pytest.mark.parametrize(
    ("trouble", "pause"),
    [(Answer(status=429, headers={"Retry-After": "1"}), 1.0), (Answer(status=503), 0.7)],
    ids=["as it asks", "for the back-off"],
)
def test_a_busy_server_is_left_alone_by_all_threads(service, trouble, pause):
    service.troubles = [trouble]
    with Client(RetryPolicy(back_off=1.0, tries=2)) as client:
        threads = [threading.Thread(target=client.ask, args=(service.url,)) for _ in range(4)]
        threads[0].start()
        while service.troubles:
            time.sleep(0.01)
        time.sleep(0.1)
        for thread in threads[1:]:
            thread.start()
        for thread in threads:
            thread.join()
    first, *others = (asked.when for asked in service.asked)
    assert len(others) == 4
    assert min(others) >= first + pause


@pytest.mark.parametrize("tries", [1, 4])
def test_a_server_that_wants_a_long_pause_is_left_alone(service, tries):
    service.troubles = [Answer(status=429, headers={"Retry-After": "86400"})]
    with Client(replace(QUICK, tries=tries)) as client:
        for _ in range(3):
            with pytest.raises(RateLimitedError, match=r"1440 minutes.*The same command goes on"):
                client.ask(service.url)
    assert len(service.asked) == 1


def test_a_slow_answer_is_given_up_and_asked_for_again(service):
    service.troubles = [Answer(b"late", delay=1.0)]
    with Client(RetryPolicy(timeout=0.3, tries=2, back_off=0.01)) as client:
        assert client.ask(service.url) == b"good"
    assert len(service.asked) == 2


def test_an_answer_that_drips_is_given_up_as_a_whole(service):
    service.troubles = [Answer(b"x" * 1000, drip=0.05)]
    with Client(RetryPolicy(timeout=0.1, tries=2, back_off=0.01)) as client:
        begun = time.monotonic()
        assert client.ask(service.url) == b"good"
    assert 0.9 < time.monotonic() - begun < 5
    assert len(service.asked) == 2


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "gzip"])
def test_an_answer_in_chunks_comes_whole_or_is_asked_for_again(service, client, packed):
    body = np.random.default_rng(0).bytes(200_000) + bytes(200_000)
    sent = gzip.compress(body) if packed else body
    headers = {"Content-Encoding": "gzip"} if packed else {}
    service.answer = lambda _: Answer(sent, headers=headers, chunked=True)
    service.troubles = [Answer(sent, headers=headers, chunked=True, cut=150_000)]
    assert client.ask(service.url) == body
    assert len(service.asked) == 2


def test_an_answer_that_is_cut_off_is_asked_for_again(service, client):
    service.troubles = [Answer(b"x" * 100_000, cut=50_000)]
    assert client.ask(service.url) == b"good"
    assert len(service.asked) == 2


def test_an_answer_that_does_not_pass_its_check_is_asked_for_again(service, client):
    def check(content):
        if content != b"good":
            raise InvalidResponseError("not good")

    service.troubles = [Answer(b"<html>")] * 2
    assert client.ask(service.url, check) == b"good"
    service.troubles = [Answer(b"<html>")] * 4
    with pytest.raises(NoResponseError, match="after 4 tries: not good"):
        client.ask(service.url, check)


def test_a_redirect_is_followed(service, client):
    service.troubles = [Answer(status=302, headers={"Location": "/there"})]
    assert client.ask(service.url + "/here") == b"good"
    assert [asked.path for asked in service.asked] == ["/here", "/there"]


def test_redirects_in_a_circle_are_refused(client):
    circle = Answer(status=302, headers={"Location": "/"})
    with serving(lambda asked: circle) as service, pytest.raises(RefusedError, match="redirects"):
        client.ask(service.url)


def test_a_refusal_is_not_tried_again(service, client):
    service.troubles = [Answer(b"Need ra, dec", 400)]
    with pytest.raises(RefusedError, match="HTTP 400"):
        client.ask(service.url)
    assert len(service.asked) == 1


def test_no_server_says_no_connection(client):
    with serving(lambda asked: Answer()) as service:
        url = service.url
    with pytest.raises(FetchError, match="no connection"):
        client.ask(url)


def test_an_address_that_is_none_is_refused(client):
    with pytest.raises(RefusedError, match="cannot be asked"):
        client.ask("nowhere")


def test_closing_ends_a_pause(service):
    client = Client(RetryPolicy(back_off=30))
    service.troubles = [Answer(status=500)]
    threading.Timer(0.2, client.close).start()
    with pytest.raises(StoppedError):
        client.ask(service.url)


def test_a_download_is_there_whole_or_not_at_all(service, client, tmp_path):
    service.troubles = [Answer(b"x" * 100_000, cut=50_000)]
    path = client.download(service.url, tmp_path / "in" / "file")
    assert path.read_bytes() == b"good"
    service.troubles = [Answer(status=500)] * 4
    with pytest.raises(NoResponseError):
        client.download(service.url, tmp_path / "in" / "other")
    assert not (tmp_path / "in" / "other").exists()
