"""Scripts that make samples: one module a source, run as ``python -m data.NAME``."""

import sys

if sys.argv[:1] == ["-m"]:  # as a command: Ctrl-C while it imports
    from pcvae.interrupts import end_in_words

    end_in_words()
