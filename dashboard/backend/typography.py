"""Signs that plain ASCII lacks, as scientific typography wants them."""

__all__ = ["DASH", "MINUS", "SIGMA"]


MINUS, DASH, SIGMA = "\N{MINUS SIGN}", "\N{EN DASH}", "\N{GREEK SMALL LETTER SIGMA}"
