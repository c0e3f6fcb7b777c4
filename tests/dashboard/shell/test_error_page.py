"""The page of an error."""

from dashboard.shell.error_page import trouble_html


def test_the_page_of_trouble_says_what_is_wrong_and_what_to_run():
    html = trouble_html("No store", "no <store> in x")
    assert "No &lt;store&gt; in x" in html
    assert "make demo-store" in html
