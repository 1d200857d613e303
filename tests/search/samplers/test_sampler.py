"""What samplers know of the search."""

from __future__ import annotations

import pytest

from cemai_opt.search.samplers import SAMPLERS, SamplerContext


@pytest.mark.parametrize("name", SAMPLERS.names)
def test_samplers_say_what_they_are(name: str) -> None:
    """In one sentence, for `parts`."""
    assert (SAMPLERS.find(name).__doc__ or "").strip()


def test_sessions_and_drivers_draw_differently() -> None:
    """A resumed search and a second driver have seeds of their own; the same session has the same."""

    def seed(**changes: object) -> int:
        return SamplerContext(trials=100, seed=7, **changes).session_seed  # type: ignore[arg-type]  # its fields

    assert seed() == seed()
    assert len({seed(), seed(done=20), seed(driver="a"), seed(driver="b")}) == 4


@pytest.mark.parametrize(
    ("trials", "population", "size"), [(60, None, 10), (400, None, 20), (9999, None, 50), (60, 7, 7)]
)
def test_the_population_grows_with_the_trials(trials: int, population: int | None, size: int) -> None:
    """A twentieth of the trials between 10 and 50, or as asked for."""
    assert SamplerContext(trials=trials, seed=0, population=population).population_size == size
