"""Mangled files and addresses are answered by data or by a sentence; ``tests.mangle`` has more."""

import pytest

from data.readers import limited_process
from tests.mangle import READERS, mangled, run

FEW = 25


@pytest.mark.parametrize("name", READERS)
def test_a_mangled_input_is_answered_in_words(name, monkeypatch):
    monkeypatch.setattr(limited_process, "decode", limited_process.decode_here)
    found = run(*READERS[name](), FEW)
    assert found.read + found.refused == FEW


def test_the_same_number_gives_the_same_inputs():
    first, second = (list(mangled(b"NAXIS1 = 10", 9)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 3
