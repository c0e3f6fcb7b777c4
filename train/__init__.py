"""Scripts that train, encode, evaluate and time; each runs as ``python -m train.NAME``."""
