"""Work that ends after a callback has returned."""

from dashboard.backend.jobs import when_done


def test_work_that_is_done_is_taken_at_once():
    class Done:
        def done(self):
            return True

        def exception(self):
            return None

    called = []
    when_done(Done(), lambda: called.append(1))
    assert called == [1]
