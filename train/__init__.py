"""Scripts that train, encode, evaluate and time; each runs as ``python -m train.NAME``."""

import sys

if sys.argv[:1] == ["-m"]:  # as a command: Ctrl-C while it imports
    from pcvae.interrupts import end_in_words

    end_in_words()
