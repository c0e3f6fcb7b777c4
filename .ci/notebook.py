"""The dashboard in a real Jupyter: a headless browser runs a notebook and uses what it shows.

    python .ci/notebook.py STORE

Needs JupyterLab, the extra ``test`` and a Chromium. The first cell shows ``dashboard.explore``;
galaxies are selected and one is labelled by mouse, then the next cell prints both DataFrames.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
SHOW = "from dashboard import explore\nshown = explore({!r})\nshown"
COUNT = "print('SELECTED', len(shown.selection), 'LABELLED', len(shown.labels))"


def notebook(store: Path) -> str:
    """A notebook of both cells."""
    cells = [
        {"cell_type": "code", "source": text, "metadata": {}, "outputs": []}
        | {"execution_count": None, "id": f"cell{number}"}
        for number, text in enumerate((SHOW.format(str(store)), COUNT))
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    head = {"metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps({"cells": cells, **head})


def main(store: Path) -> None:
    """Run the notebook; its last picture is ``notebook.png`` in the current folder."""
    from dashboard.benchmarks.screenshot import PATIENCE, await_server, browser, free_port

    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        copied = shutil.copytree(store, Path(folder) / "store")
        (Path(folder) / "explore.ipynb").write_text(notebook(copied))
        command = [sys.executable, "-m", "jupyterlab", "--no-browser", f"--port={port}"]
        command += ["--allow-root", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        try:
            await_server(port, lambda: server.poll() is None)
            with browser() as chromium:
                page = chromium.new_page(viewport={"width": 1600, "height": 1200})
                page.set_default_timeout(PATIENCE)
                page.goto(f"http://127.0.0.1:{port}/lab/tree/explore.ipynb?reset")
                try:
                    use(page)
                finally:
                    page.screenshot(path="notebook.png")

        finally:
            server.terminate()
            server.wait()


def use(page: object) -> None:
    """Run the first cell, select, label, run the second cell and check what it prints."""
    from playwright.sync_api import expect

    page.get_by_text("| Idle").wait_for()
    page.locator(".jp-Cell .cm-content").first.click()
    page.keyboard.press("Shift+Enter")
    page.locator(".bk-Figure").first.wait_for()
    expect(page.locator(".facts h2")).not_to_be_empty()
    page.get_by_role("button", name="Skip").click()  # the tour of a first visit
    page.get_by_role("tab", name="Selection").click()
    page.get_by_role("button", name="Red Spiral").first.click()
    expect(page.locator(".stamp, .tile").first).to_be_visible()
    page.get_by_role("button", name="Tag as candidate").click()
    expect(page.get_by_role("button", name="Remove candidate")).to_be_visible()
    page.locator(".jp-Cell .cm-content").nth(1).click()
    page.keyboard.press("Shift+Enter")
    printed = page.locator(".jp-OutputArea-output", has_text="SELECTED").last
    expect(printed).to_contain_text("LABELLED")
    words = printed.inner_text().split()
    sys.stdout.write(" ".join(words) + "\n")
    if int(words[1]) < 1 or int(words[3]) < 1:
        sys.exit("expected selected and labelled galaxies in the notebook's DataFrames")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
