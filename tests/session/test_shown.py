"""What a call from Python shows."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from cemai_opt import optimize
from cemai_opt.session.shown import in_notebook

SETTINGS = {"target": "tool_wear", "group": "run", "space": "quick", "trials": 3, "confirm": 0, "engine": "in_process"}


def test_a_script_hears_nothing_unless_it_asks(
    wear: pd.DataFrame, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Then notes and progress are on standard error; each trial is reported either way."""
    assert not in_notebook()
    heard: list[int] = []
    for verbose, name in ((None, "silent"), (True, "told")):
        optimize(wear, out=tmp_path / name, verbose=verbose, on_result=lambda r: heard.append(r.trial), **SETTINGS)
        said = capsys.readouterr()
        assert sorted(heard) == [0, 1, 2]
        heard.clear()
        assert said.out == ""
        assert ("3/3  best r2" in said.err) == bool(verbose)
        assert ("groups: validation is" in " ".join(said.err.split())) == bool(verbose)
