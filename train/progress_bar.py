"""A progress bar over epochs."""


class ProgressBar:
    """A progress bar over epochs, with the loss terms of the last."""

    def __init__(self, epochs: int, *, quiet: bool) -> None:
        from tqdm import tqdm

        self._bar = tqdm(total=epochs, desc="train", unit="epoch", disable=quiet)

    def step(self, terms: dict[str, float]) -> None:
        """Show the terms of a step."""
        shown = {k: f"{v:.3g}" for k, v in terms.items()}
        self._bar.set_postfix(shown, refresh=False)
        self._bar.update(0)

    def epoch(self, row: dict[str, float]) -> None:
        """Show the terms of an epoch."""
        names = ("train_total", "validation_total", "validation_image", "validation_physics")
        self._bar.set_postfix({k: f"{row[k]:.3g}" for k in names}, refresh=False)
        self._bar.update(1)

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()
