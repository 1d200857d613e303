"""Commands of the user."""

from __future__ import annotations

import sys

import pytest

from cemai_opt.core import commands
from cemai_opt.core.commands import printed_by
from cemai_opt.core.errors import StudyError


def test_what_it_prints() -> None:
    """Quoted as in a shell, but no shell runs it."""
    assert printed_by(f"{sys.executable} -c 'print(3, \"$HOME\")'", what="a command", wanted="text") == "3 $HOME\n"


@pytest.mark.parametrize("command", ["", "no-such-command-anywhere", "'unbalanced", f"{sys.executable} -c exit(3)"])
def test_a_failure_says_what_was_wanted(command: str) -> None:
    """And which command it was."""
    with pytest.raises(StudyError, match=r"test command .* failed") as raised:
        printed_by(command, what="test command", wanted="one number")
    assert "one number" in raised.value.hint


def test_a_command_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a while."""
    monkeypatch.setattr(commands, "TIMEOUT_S", 0.2)
    with pytest.raises(StudyError, match="timed out"):
        printed_by("sleep 60", what="test command", wanted="one number")
