"""What tests of the queue look at, and labels for them."""

from dashboard.backend.stamp_images import data_uri
from dashboard.labelling.labels import set_label
from dashboard.plotting.decision_boundaries import shown_boundaries
from tests.dashboard.explorers import code_of

MERGERS = [2, 5, 7, 10, 14, 20]


def shown(queue):
    """The rows on the page; each must come with its own id and picture."""
    for item in queue.strip.items:
        assert item["id"] == queue.datastore.ids[item["row"]]
        assert item["picture"] == data_uri(code_of(item["row"]), "WEBP")
    return [item["row"] for item in queue.strip.items]


def boundaries_of(session):
    """The SVM's regions on the first map."""
    return shown_boundaries(session.datastore, session.state, session.map.axes)


def label(session, name, rows):
    for row in rows:
        set_label(session.datastore, session.state, name, row)


def learnt(session):
    return session.datastore.classifier_jobs.learnt(
        session.state.space, session.state.queue.training_labels
    )
