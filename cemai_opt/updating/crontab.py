"""A crontab that runs an update at fixed times."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Sequence

from cemai_opt.core.errors import StudyError

NICKNAMES = ("@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually")
FIELD = re.compile(r"[0-9A-Za-z*/,-]+")


def crontab(schedule: str, arguments: Sequence[str], *, folder: str) -> str:
    """The lines for `crontab FILE`: `cemai-opt` with `arguments` in the working folder `folder`.

    StudyError unless `schedule` is five fields of time, or a nickname such as @weekly.

    >>> print(crontab("@weekly", ["update", "model", "--data", "new.csv"], folder="/srv").splitlines()[-1][:14])
    @weekly cd /sr
    """
    fields = schedule.split()
    is_nickname = len(fields) == 1 and fields[0] in NICKNAMES
    if not is_nickname and (len(fields) != 5 or not all(FIELD.fullmatch(field) for field in fields)):
        raise StudyError(f"--crontab {schedule!r} is no schedule", "such as '@weekly' or '0 3 * * 1'")
    if any("\n" in argument for argument in (*arguments, folder)):
        raise StudyError("a name has a line break, which a crontab cannot hold", "rename it")
    command = shlex.join([sys.executable, "-P", "-m", "cemai_opt", *arguments])
    line = f"{' '.join(fields)} cd {shlex.quote(folder)} && {command}".replace("%", r"\%")  # cron reads % as newline
    return "\n".join(
        [
            "# Install with `crontab FILE`, which replaces all of your entries, or add the line with `crontab -e`.",
            "# An update that has seen its rows before does nothing, so it may run more often than new rows arrive.",
            line,
            "",
        ]
    )
