"""Positions by name, from a stand-in of Sesame."""

import pytest

from data.services.http_client import NoResponseError, RetryPolicy
from data.services.sesame import resolve
from tests.data.services.stand_in import Answer, serving

HASTY = RetryPolicy(timeout=2.0, tries=1)
FOUND = """# {name}\t#Q1
#=S=Simbad (CDS, via client/server):    1     0ms
%C.0 G
%J {ra} {dec} = 02 42 40.7 -00 00 48
#====Done====
"""
NOTHING = "# {name}\t#Q1\n#!S=Simbad : *** Nothing found ***\n#====Done====\n"


@pytest.mark.parametrize(("ra", "dec"), [("40.669880", "-0.013280"), ("40", "+1.5")])
def test_a_known_name_has_a_place(ra, dec):
    asked = []

    def answer(request):
        asked.append(request.path)
        return Answer(FOUND.format(name="NGC 1068", ra=ra, dec=dec).encode())

    with serving(answer) as service:
        assert resolve("NGC 1068", service.url + "/", HASTY) == (float(ra), float(dec))
    assert asked == ["/SNV"]


def test_an_unknown_name_has_none():
    with serving(lambda _: Answer(NOTHING.format(name="x").encode())) as service:
        assert resolve("no such thing", service.url, HASTY) is None


def test_another_answer_is_refused():
    with (
        serving(lambda _: Answer(b"<html>busy</html>")) as service,
        pytest.raises(NoResponseError, match="not Sesame's"),
    ):
        resolve("NGC 1068", service.url, HASTY)
