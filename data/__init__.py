"""Scripts that make samples: one module a source, run as ``python -m data.NAME``."""
