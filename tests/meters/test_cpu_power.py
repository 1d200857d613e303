"""Watts of one busy thread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.meters._cpu_power import (
    CORES,
    SUSTAINED_SHARE,
    UNKNOWN_W,
    cpu_model,
    power_of,
    thread_power,
    threads_of,
)

EPYC = "AMD EPYC 7763 64-Core Processor"
"""280 W, by its maker."""
KNOWN_TDP = "Intel(R) Core(TM) i7-8700K CPU @ 3.70GHz"
"""95 W; its name does not tell its cores."""


@given(st.integers(1, 512), st.booleans())
def test_a_named_processor_has_one_power_however_little_of_it_is_seen(visible: int, virtual: bool) -> None:
    """Its thermal design power over all its threads, not those of a virtual machine."""
    power = power_of(EPYC, visible, virtual=virtual)
    assert power.watts == pytest.approx(SUSTAINED_SHARE * 280 / 128)
    assert "TDP 280 W over 128 threads" in power.origin


def test_a_whole_machine_shows_all_its_threads() -> None:
    """A part of one does not, so that nothing can be said of it."""
    assert power_of(KNOWN_TDP, 12, virtual=False).watts == pytest.approx(SUSTAINED_SHARE * 95 / 12)
    guessed = power_of(KNOWN_TDP, 12, virtual=True)
    assert guessed.watts == UNKNOWN_W
    assert "virtual part of" in guessed.origin


@pytest.mark.parametrize("virtual", [True, False])
def test_an_unknown_processor_is_said_to_be_unknown(virtual: bool) -> None:
    """The default, with its reason."""
    power = power_of("Fantasy 9000", 8, virtual=virtual)
    assert (power.watts, power.origin) == (UNKNOWN_W, f"{UNKNOWN_W:g} W/thread, no TDP known of Fantasy 9000")


def test_a_name_may_tell_the_number_of_threads() -> None:
    """Two for each core; processors of clouds are known."""
    assert threads_of(EPYC) == 128
    assert threads_of("Intel(R) Xeon(R) Platinum 8259CL CPU @ 2.50GHz") == 48
    assert threads_of(KNOWN_TDP) is None


@pytest.mark.parametrize("name", CORES)
def test_a_processor_of_clouds_has_a_plausible_power(name: str) -> None:
    """Between a phone's and a stove's."""
    brand = "Intel(R) Xeon(R)" + (" CPU" if name.startswith("E5") else "")
    power = power_of(f"{brand} {name} @ 2.50GHz", 2, virtual=True)
    assert 1.0 < power.watts < 12.0


def test_this_machine_has_a_power_and_says_where_it_is_from() -> None:
    """Whatever it is."""
    assert 0.0 < thread_power().watts < 100.0
    assert " W/thread, " in thread_power().origin
    assert thread_power().origin.endswith(cpu_model())
