"""Every line of ``docs/dossiers.md``, executed against a real gateway and compared with it."""

import os
import shutil
from pathlib import Path

import pytest

from tests import test_quickstart
from tests.test_quickstart import ROOT, SHOWN, Served, lines, pattern, stand_in

served = test_quickstart.served
PAGE = ROOT / "docs/dossiers.md"


def test_every_line_of_the_page_does_what_it_shows(served: Served, tmp_path: Path) -> None:
    path = os.environ["PATH"]
    if shutil.which("curl") is None:
        path = f"{stand_in(tmp_path / 'bin')}{os.pathsep}{path}"
    first, *others = lines(PAGE.read_text("utf-8"))
    served.start(first.command)
    printed = served.run([line.command for line in others], path)
    assert served.stop() == 0
    started = "".join(served.said).replace(f"http://{served.address}", SHOWN)
    wrong = [
        f"$ {line.command}\n--- shown\n{chr(10).join(line.shown)}\n--- came\n{came}"
        for line, came in zip([first, *others], [started, *printed], strict=True)
        if not pattern(line.shown).match(came)
    ]
    if wrong:
        pytest.fail("\n\n".join(wrong))
