"""Spectra by position, from a stand-in of SkyServer."""

import json

import pytest

from data.services.http_client import NoResponseError, RetryPolicy
from data.services.sdss_spectra import RADIUS, nearest_spectrum
from tests.data.services.stand_in import Answer, serving

HASTY = RetryPolicy(timeout=2.0, tries=1)
PNG = b"\x89PNG\r\n\x1a\n picture"
ROW = {"id": "320932083365079040", "z": 0.1231, "error": 2e-5, "warning": 0}
ROW |= {"class": "GALAXY", "subclass": "STARFORMING"}


def skyserver(asked):
    """Knows one spectrum, at 150.447, -0.71354."""
    if asked.path.endswith("/SqlSearch"):
        there = "150.447000, -0.713540" in asked.query["cmd"]
        return Answer(json.dumps([{"TableName": "Table1", "Rows": [ROW] * there}]).encode())
    return Answer(PNG if asked.query["id"] == ROW["id"] else b"")


def test_the_nearest_spectrum_comes_with_its_redshift_and_picture():
    with serving(skyserver) as service:
        found = nearest_spectrum(150.447, -0.71354, service.url + "/", HASTY)
    assert found[:3] == (ROW["id"], PNG, "image/png")
    assert found[3:] == (0.1231, 2e-5, 0, "GALAXY STARFORMING")
    search, picture = service.asked
    assert search.path == "/SkyServerWS/SearchTools/SqlSearch"
    assert f", {RADIUS / 60:.4f})" in search.query["cmd"]
    assert picture.path == "/en/get/SpecById.ashx"


def test_where_there_is_none_nothing_more_is_asked():
    with serving(skyserver) as service:
        assert nearest_spectrum(10.0, 5.0, service.url, HASTY) is None
    assert len(service.asked) == 1


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"[]", b'[{"Rows": [{"id": "1"}]}]'])
def test_what_is_no_table_is_refused(body):
    with (
        serving(lambda _: Answer(body)) as service,
        pytest.raises(NoResponseError, match="no table of spectra"),
    ):
        nearest_spectrum(150.447, -0.71354, service.url, HASTY)
