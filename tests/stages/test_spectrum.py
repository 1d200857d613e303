"""Frequencies of earlier rows against Fourier transforms of every window."""

from __future__ import annotations

import numpy as np
import pytest

from cemai_opt.core.batch import group_starts
from cemai_opt.stages import _spectrum
from cemai_opt.stages._rolling import Columns

WINDOW = 16
GROUP = np.repeat([0, 1], [90, 50])
STARTS = group_starts(GROUP)
PLACE = np.arange(len(GROUP)) - STARTS
X = np.random.default_rng(0).normal(size=(len(GROUP), 2))


def transformed() -> np.ndarray:
    """Amplitudes of the Fourier transform of the last rows, before which the first row goes on: (n, k, columns)."""
    past = np.maximum(np.arange(len(X))[:, None] + np.arange(1 - WINDOW, 1), STARTS[:, None])
    return np.abs(np.fft.rfft(X[past], axis=1))


def bands() -> Columns:
    return _spectrum.band_amplitudes(X, STARTS, place=PLACE, window=WINDOW)


def test_band_amplitudes_are_those_of_a_fourier_transform() -> None:
    """The root of the mean power of their frequencies, as an amplitude."""
    expected = 2.0 / WINDOW * transformed()
    for (_, made), band in zip(bands(), [b for b in _spectrum.band_frequencies(WINDOW) if b], strict=True):
        assert made == pytest.approx(np.sqrt((expected[:, band] ** 2).mean(axis=1)), abs=1e-9)


def test_the_peak_is_the_strongest_frequency() -> None:
    """Of all of them but the mean, after every eighth of a window, here every second row; until then it stays."""
    peak = (1 + transformed()[:, 1:].argmax(axis=1)) / WINDOW
    made = _spectrum.peak_frequency(X, STARTS, place=PLACE, window=WINDOW)
    ends = np.flatnonzero((PLACE % 2 == 1) & (PLACE > 1))
    assert made[ends] == pytest.approx(peak[ends])
    assert np.array_equal(made[ends[:-1] + 1], np.where(PLACE[ends[:-1] + 1, None] == 0, 0.0, made[ends[:-1]]))
    assert not made[PLACE == 0].any()


@pytest.mark.parametrize("first", [33, 70, 100])
def test_a_part_of_a_group_has_the_same_peaks(first: int) -> None:
    """With two windows of history."""
    whole = _spectrum.peak_frequency(X, STARTS, place=PLACE, window=WINDOW)
    back = max(int(STARTS[first]), first - 2 * WINDOW)
    part = _spectrum.peak_frequency(X[back:], np.maximum(STARTS[back:] - back, 0), place=PLACE[back:], window=WINDOW)
    assert np.array_equal(part[first - back :], whole[first:])


def test_a_sine_has_its_amplitude_in_its_band_and_its_frequency_as_peak() -> None:
    """Three units high, four cycles in 16 rows; a constant has neither."""
    wave = 5.0 + 3.0 * np.sin(2.0 * np.pi * np.arange(64) / 4.0)
    rows, starts = np.column_stack([wave, np.full(64, 7.0)]), np.zeros(64, np.int64)
    place = np.arange(64)
    made = [band[-1] for _, band in _spectrum.band_amplitudes(rows, starts, place=place, window=WINDOW)]
    own = next(i for i, band in enumerate(b for b in _spectrum.band_frequencies(WINDOW) if b) if 4 in band)
    assert made[own][0] > 1.0
    assert max(abs(values[0]) for i, values in enumerate(made) if i != own) < 1e-9
    assert max(values[1] for values in made) == 0.0
    assert _spectrum.peak_frequency(rows, starts, place=place, window=WINDOW)[-1].tolist() == [0.25, 0.0]


def test_no_later_row_and_no_other_group_matters() -> None:
    """To the last bit."""
    before = bands()
    changed = X.copy()
    changed[60:90] += 100.0
    starts_part, place_part = STARTS[:60], PLACE[:60]
    after = _spectrum.band_amplitudes(changed[:60], starts_part, place=place_part, window=WINDOW)
    alone = _spectrum.band_amplitudes(X[90:], STARTS[90:] - 90, place=PLACE[90:], window=WINDOW)
    for (_, whole), (_, part), (_, group) in zip(before, after, alone, strict=True):
        assert np.array_equal(whole[:60], part)
        assert np.array_equal(whole[90:], group)
