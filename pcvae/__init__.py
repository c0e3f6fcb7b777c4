"""Physics-informed variational autoencoders for galaxy images."""

__version__ = "0.1.0"
