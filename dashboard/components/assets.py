"""JavaScript and style sheets of components, read from files beside the Python that uses them."""

import re
from pathlib import Path

__all__ = ["script", "style"]

IMPORT = re.compile(r"^import \{[^}]*\} from '(\.[./\w]+\.js)'\n", re.MULTILINE)
EXPORT = re.compile(r"^export (?=const|function)", re.MULTILINE)


def script(module: str, name: str) -> str:
    """A component's JavaScript with the helpers that it imports from our own files.

    Panel loads it as one module, so that imports by a relative path would find nothing: the
    helpers' text takes their place. It needs no server, as in a notebook.

    Args:
        module: The ``__file__`` of the component.
        name: The file's name, in the same folder.
    """
    path = Path(module).with_name(name)
    text = path.read_text(encoding="utf-8")
    helpers = dict.fromkeys(path.parent.joinpath(found) for found in IMPORT.findall(text))
    shared = [EXPORT.sub("", helper.read_text(encoding="utf-8")) for helper in helpers]
    return "\n".join([*shared, IMPORT.sub("", text)])


def style(module: str, name: str) -> str:
    """A style sheet in the same folder as the module that uses it, given by its ``__file__``."""
    return Path(module).with_name(name).read_text(encoding="utf-8")
