"""The Dockerfile installs what pyproject.toml offers."""

from __future__ import annotations

import re
import tomllib

from tests.conftest import ROOT

TEXT = (ROOT / "Dockerfile").read_text()
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_its_extras_and_its_command_exist() -> None:
    """And Python is new enough."""
    (extras,) = re.findall(r"'/src\[([^\]]*)\]'", TEXT)
    assert set(extras.split(",")) <= set(PROJECT["optional-dependencies"])
    (entry,) = re.findall(r'ENTRYPOINT \["([^"]*)"\]', TEXT)
    assert entry in PROJECT["scripts"]
    (python,) = re.findall(r"FROM python:([\d.]+)", TEXT)
    assert PROJECT["requires-python"] == f">={python}"
