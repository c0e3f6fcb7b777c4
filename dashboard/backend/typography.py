"""Typographic signs that ASCII lacks."""

__all__ = ["DASH", "MINUS", "SIGMA"]


MINUS, DASH, SIGMA = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{GREEK SMALL LETTER SIGMA}"
