"""The crontab of an update."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.updating.crontab import crontab


@pytest.mark.parametrize("schedule", ["@weekly", "0 3 * * 1", "*/10 0-4 1,15 JAN mon"])
def test_a_schedule_and_the_command_are_one_line(schedule: str) -> None:
    """Quoted for the shell, and with % as cron wants it."""
    line = crontab(schedule, ["update", "my model", "--data", "100%.csv"], folder="/srv/a b").splitlines()[-1]
    assert line.startswith(f"{schedule} cd '/srv/a b' && ")
    assert line.endswith(r"-m cemai_opt update 'my model' --data 100\%.csv")


@pytest.mark.parametrize("schedule", ["weekly", "0 3 * *", "0 3 * * 1; rm", "", "* * * * *\nx"])
def test_what_is_no_schedule_is_refused(schedule: str) -> None:
    """Nothing gets into a crontab but times."""
    with pytest.raises(StudyError, match="no schedule"):
        crontab(schedule, ["update"], folder="/")
