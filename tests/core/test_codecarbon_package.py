"""CodeCarbon's tables and its messages."""

from __future__ import annotations

import logging
import subprocess
import sys

import pytest

from cemai_opt.core.codecarbon_package import data_file, quiet_codecarbon


def test_tables_are_found_without_an_import() -> None:
    """In a fresh process: the file exists, and the library is not loaded."""
    code = (
        "import sys; from cemai_opt.core.codecarbon_package import data_file; "
        "assert data_file('hardware', 'cpu_power.csv').is_file(); assert 'codecarbon' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
    assert not data_file("no", "such.csv").exists()


def test_it_is_silent_and_speaks_again(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
    """What it logs, and what the libraries under it print."""
    logger = logging.getLogger("codecarbon")
    with quiet_codecarbon():
        logger.critical("hidden")
        print("hidden")
    logger.critical("heard")
    print("heard")
    assert "hidden" not in capsys.readouterr().out + caplog.text
    assert "heard" in caplog.text
