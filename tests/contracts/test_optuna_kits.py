"""Optuna's own test kits, run on our samplers and storages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from optuna.samplers import BaseSampler
from optuna.storages import BaseStorage, InMemoryStorage
from optuna.testing.pytest_samplers import BasicSamplerTestCase, MultiObjectiveSamplerTestCase
from optuna.testing.pytest_storages import StorageTestCase

from cemai_opt.search.samplers import SamplerContext, sampler_named
from cemai_opt.search.storage.database import open_database
from cemai_opt.search.storage.delegating import DelegatingStorage
from cemai_opt.testing.searches import space_of


@pytest.fixture(params=["delegating", "database"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BaseStorage]:
    """One of our storages, without a study."""
    if request.param == "delegating":
        yield DelegatingStorage(InMemoryStorage())
    else:
        opened = open_database(f"sqlite:///{tmp_path}/studies.db", None)
        yield opened
        opened.remove_session()


class TestSamplers(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    """Values inside their distributions, also in spaces that are not ours and with several objectives."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        """Makes our sampler."""
        return lambda: sampler_named("nsga2").build(space_of(), SamplerContext(trials=40, seed=0))

    @pytest.fixture
    def multi_objective_sampler(self, sampler: Callable[[], BaseSampler]) -> Callable[[], BaseSampler]:
        """All of ours are for several objectives."""
        return sampler


class TestStorages(StorageTestCase):
    """What Optuna promises of every storage."""
