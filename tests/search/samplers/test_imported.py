"""A sampler of Optuna's, or of another library, by its dotted name."""

from __future__ import annotations

import pytest

from cemai_opt.core.errors import StudyError
from cemai_opt.search.samplers import sampler_named


@pytest.mark.parametrize(
    ("name", "said"), [("optuna.samplers.Nope", "Nope"), ("os.path.join", "BaseSampler"), ("no.such.Thing", "no")]
)
def test_a_dotted_name_that_is_no_sampler_is_refused(name: str, said: str) -> None:
    """Before anything runs, with its name in the message."""
    with pytest.raises(StudyError, match=said):
        sampler_named(name)


def test_a_sampler_for_one_objective_is_refused_before_anything_runs() -> None:
    """With its own words."""
    with pytest.raises(StudyError, match="CmaEs"):
        sampler_named("optuna.samplers.CmaEsSampler")
