"""Where a run has run."""

from __future__ import annotations

import importlib.metadata
import platform

from cemai_opt.runs.machine import PACKAGE, VERSIONED, library_versions, this_machine


def test_a_machine_is_described_by_what_results_depend_on() -> None:
    """Never more threads for this process than there are."""
    machine = this_machine()
    assert machine.cpu
    assert machine.threads is not None
    assert machine.usable_threads is not None
    assert 1 <= machine.usable_threads <= machine.threads
    assert machine.python == platform.python_version()


def test_versions_are_those_of_the_installed_libraries() -> None:
    """What is not installed is left out."""
    versions = library_versions()
    assert set(versions) <= set(VERSIONED)
    for name in ("numpy", "optuna", "scikit-learn"):
        assert versions[name] == importlib.metadata.version(name)
    installed = {distribution.name for distribution in importlib.metadata.distributions()}
    assert (PACKAGE in versions) == (PACKAGE in installed)
    assert ("torch" in versions) == ("torch" in installed)
