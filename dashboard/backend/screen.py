"""The browser's screen: how many pixels of the device a pixel of the page has."""

from collections.abc import Callable

import numpy as np
import panel as pn

__all__ = ["device_ratio", "picture_size", "when_ratio_changes"]

PIXELS = 1_500_000  # of a map's picture at most; on a larger screen each is drawn larger
MAX_RATIO = 4.0  # of the largest screens and of a page zoomed in


def device_ratio() -> float:
    """Pixels of the device a pixel of the page; 1 where no browser has said so yet."""
    browser = pn.state.browser_info
    told = browser.device_pixel_ratio if browser is not None else None
    return min(max(float(told or 1), 1.0), MAX_RATIO)


def when_ratio_changes(call: Callable[[], None]) -> None:
    """Call once the browser has told another ratio, such as after the first view."""
    browser = pn.state.browser_info
    if browser is not None:
        browser.param.watch(lambda _: call(), "device_pixel_ratio")


def picture_size(width: int, height: int, ratio: float = 1.0) -> tuple[int, int, float]:
    """The size of the picture of a map [px], and its pixels a pixel of the page.

    A pixel of the picture is one of the device, or a whole number of them where that would be
    more than ``PIXELS``: dots stay round only then, as the browser draws pixels as squares.

    Args:
        width: Of the map [px of the page].
        height: Of the map.
        ratio: Pixels of the device a pixel of the page.

    Example:
        >>> picture_size(690, 300, 1.5), picture_size(3200, 1800)
        ((1035, 450, 1.5), (1600, 900, 0.5))
    """
    across, up = (max(side, 50) * ratio for side in (width, height))
    each = int(np.ceil(np.sqrt(max(across * up / PIXELS, 1))))
    return round(across / each), round(up / each), ratio / each
