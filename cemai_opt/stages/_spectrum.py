"""Frequencies of the last rows, by Fourier sums that are updated from row to row: long windows cost no more."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cemai_opt.core.batch import FloatArray, IntArray
from cemai_opt.stages._rolling import Columns, pieces

BANDS = 4
FREQUENCIES_OF_A_BAND = 3
"""More sample the band more densely, but one pass over all values is needed for each."""
NOISE = 1e-9
"""Amplitudes below this share of the largest change in a window are rounding errors."""
HOPS = 8
"""Fourier transforms in the time of one window: their cost is then the same for all windows but for a logarithm."""
CHUNK_VALUES = 1 << 20
"""Values that are transformed together."""


def band_frequencies(window: int) -> list[list[int]]:
    """Frequencies by band, slow to fast, in cycles per window: equal factors between 1 and the fastest, window / 2.

    >>> band_frequencies(64)
    [[1, 2], [3, 4, 5], [7, 9, 12], [17, 23, 32]]
    """
    n = BANDS * FREQUENCIES_OF_A_BAND
    found = np.geomspace(1, window // 2, n).round().astype(int)
    edges = np.geomspace(1, window // 2 + 1e-9, BANDS + 1)
    bands = np.clip(np.searchsorted(edges, found, side="right") - 1, 0, BANDS - 1)
    return [sorted({int(k) for k, band in zip(found, bands, strict=True) if band == number}) for number in range(BANDS)]


def band_amplitudes(X: FloatArray, starts: IntArray, *, place: IntArray, window: int) -> Columns:
    """Root of the mean power of each band over the last `window` rows, in the unit of the variable.

    Before a group has that many rows, they count as preceded by its first row.
    """
    bands = [band for band in band_frequencies(window) if band]
    made = [np.empty_like(X) for _ in bands]
    for back, begin, end in pieces(starts, place, reach=window):
        for band, amplitudes in zip(bands, made, strict=True):
            power = sum(power for _, power in _powers(X[back:end], band, window=window))
            amplitudes[begin:end] = (np.sqrt(power) * amplitude_of(band, window=window))[begin - back :]
    return [(f"band{number}_{window}", amplitudes) for number, amplitudes in enumerate(made, 1)]


def amplitude_of(band: list[int], *, window: int) -> float:
    """The factor from the root of the summed power of a band to its amplitude."""
    return float(2.0 / (window * np.sqrt(len(band))))


def peak_frequency(X: FloatArray, starts: IntArray, *, place: IntArray, window: int) -> FloatArray:
    """Strongest frequency of the last `window` rows, in cycles per row; 0 if values are constant.

    It is found by a Fourier transform after every eighth of a window, and stays until the next one; it is 0 before the
    first one. Before a group has that many rows, they count as preceded by its first row.
    """
    hop = max(1, window // HOPS)
    made = np.zeros_like(X)
    rows = np.arange(len(X))
    found = rows[(place + 1) % hop == 0]
    n_together = max(1, CHUNK_VALUES // (window * X.shape[1]))
    for first in range(0, len(found), n_together):
        ends = found[first : first + n_together]
        past = X[np.maximum(ends[:, None] + np.arange(1 - window, 1), starts[ends][:, None])].astype(np.float64)
        change = past - past[:, :1]
        amplitudes = np.abs(np.fft.rfft(change, axis=1))[:, 1:]
        is_constant = amplitudes.max(axis=1) <= NOISE * window * np.abs(change).max(axis=1)
        made[ends] = np.where(is_constant, 0.0, (1 + amplitudes.argmax(axis=1)) / window)
    last = rows - (place + 1) % hop
    return np.where((last >= starts)[:, None], made[np.maximum(last, 0)], 0.0).astype(X.dtype, copy=False)


def _powers(X: FloatArray, frequencies: list[int], *, window: int) -> Iterator[tuple[int, FloatArray]]:
    """Squared Fourier sums over the last `window` rows, for some frequencies in cycles per window: (n_rows, n_columns).

    Whole cycles do not see a constant, so values are taken relative to the first row, before which there is nothing.
    """
    change = X - X[0]
    for k in frequencies:
        phase = 2.0 * np.pi * k / window * (np.arange(len(X)) % window)
        total = np.cumsum(change * np.exp(-1j * phase)[:, None], axis=0)
        total[window:] -= total[:-window].copy()
        yield k, total.real**2 + total.imag**2
