"""Commands of the user that print a number or a table."""

import shlex
import subprocess

from cemai_opt.core.errors import StudyError

TIMEOUT_S = 20.0


def printed_by(command: str, *, what: str, wanted: str) -> str:
    """What a command prints; no shell runs it. StudyError if it fails: `what` names it, `wanted` what it must print."""
    try:
        done = subprocess.run(shlex.split(command), capture_output=True, text=True, timeout=TIMEOUT_S, check=True)
    except (OSError, ValueError, IndexError, subprocess.SubprocessError) as error:
        raise StudyError(f"{what} {command!r} failed: {error}", f"it must print {wanted}") from error
    return done.stdout
