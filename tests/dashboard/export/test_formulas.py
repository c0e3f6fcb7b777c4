"""What people have written, in the files that a spreadsheet opens."""

import io

import pandas as pd

from dashboard.export.table_formats import as_file
from dashboard.export.tables import labelled, provenance
from dashboard.labelling.labels import write_note
from tests.dashboard.explorers import begin, change


def csv(content):
    return pd.read_csv(io.BytesIO(content), comment="#", dtype={"id": str}, keep_default_na=False)


def test_no_spreadsheet_runs_what_people_have_written(store, tmp_path):
    session = begin(change(store, tmp_path / "store"))
    datastore, facts = session.datastore, provenance(session.datastore, "physics", "of a test")
    assert facts["dust"].endswith(datastore.store.info.dust)
    for row, note in enumerate(('=HYPERLINK("http://a.example")', "@a", "\uff1d1+1", "a = b")):
        write_note(datastore, session.state, note, row)
    datastore.journal.tag("-1", "+merger", user="-ana")
    content = as_file(labelled(datastore, "physics"), facts, "csv")
    found = csv(content)
    assert list(found["note"][:4]) == [
        '\'=HYPERLINK("http://a.example")',
        "'@a",
        "'\uff1d1+1",
        "a = b",
    ]
    assert (found["label"][4], found["user"][4], found["id"][4]) == ("'+merger", "'-ana", "-1")
    assert b"# formulas: a label, note, user that begins with" in content
