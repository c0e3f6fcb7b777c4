"""What a person has chosen. Parameters only: no data, no widgets, no plots."""

import param

__all__ = ["DENSITY", "POPULATION", "State"]

DENSITY, POPULATION = "density", "population"


class State(param.Parameterized):
    """All choices of one browser session; every view reads it, some write it."""

    model = param.Selector(objects=[""], doc="The model whose latent space is shown.")
    x = param.Selector(objects=[""], doc="The latent on the horizontal axis.")
    y = param.Selector(objects=[""], doc="The latent on the vertical axis.")
    colour = param.Selector(objects=[DENSITY], doc="What colours the map.")
    boundaries = param.Boolean(default=True, doc="Draw where the linear SVM parts the classes.")
    dark = param.Boolean(default=True, doc="Light on dark.")
    row = param.Integer(default=None, allow_None=True, doc="Row of the picked galaxy.")
    tab = param.Selector(
        objects=["neighbours", "lookalikes", "candidates"], doc="What the strip below shows."
    )
    seeds = param.Selector(objects=[""], doc="The population whose look-alikes are listed.")
    revision = param.Integer(default=0, doc="The last event of the journal that is shown.")
    loaded = param.Boolean(default=False, doc="The page is on the screen: slow work may begin.")
    fitted = param.Integer(default=0, doc="Counts the boundaries that have arrived.")
    trouble = param.String(default="", doc="What last went wrong, in words.")
