"""The style sheets that several parts of the page share."""

from dashboard.components.assets import style

__all__ = ["BASE", "DROP_DOWN", "HELP", "LEGEND", "PHONE", "STAMPS", "UNSEEN"]

BASE = style(__file__, "base.css")
STAMPS = style(__file__, "stamps.css")
LEGEND = style(__file__, "legend.css")
HELP = style(__file__, "help.css")
DROP_DOWN = style(__file__, "drop_down.css")
PHONE = style(__file__, "phone.css")
UNSEEN = style(__file__, "unseen.css")
