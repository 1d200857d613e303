"""Conversions between units: joules internally, grams of CO2 equivalent for output."""

import math
import re

from cemai_opt.core.errors import StudyError

J_PER_KWH = 3.6e6
MJ_PER_J = 1e3
"""Millijoules in a joule."""
UJ_PER_J = 1e6
"""Microjoules in a joule."""
J_IN_UNIT = {"uJ": 1e-6, "mJ": 1e-3, "J": 1.0, "kJ": 1e3, "uWh": 3.6e-3, "mWh": 3.6, "Wh": 3.6e3, "kWh": 3.6e6}
W_IN_UNIT = {"uW": 1e-6, "mW": 1e-3, "W": 1.0, "kW": 1e3}
G_IN_UNIT = {"ng": 1e-9, "ug": 1e-6, "mg": 1e-3, "g": 1.0, "kg": 1e3}


def grams_co2eq(energy_j: float, intensity_g_per_kwh: float, *, pue: float = 1.0) -> float:
    """Grams of CO2 equivalent that `energy_j` joules cause at a carbon intensity.

    `pue` is the power usage effectiveness of the building: joules drawn from the grid per joule used by the machine.

    >>> grams_co2eq(3.6e6, 400.0)
    400.0
    >>> grams_co2eq(3.6e6, 400.0, pue=1.5)
    600.0
    """
    return energy_j / J_PER_KWH * intensity_g_per_kwh * pue


def checked_intensity(g_per_kwh: float) -> float:
    """A carbon intensity that a user gave. StudyError unless it is finite and positive.

    >>> checked_intensity(56.0)
    56.0
    """
    if not 0.0 < g_per_kwh < math.inf:
        raise StudyError(f"carbon intensity {g_per_kwh:g} is not above 0", "give grams per kWh, such as 56")
    return g_per_kwh


def kwh(energy_j: float) -> float:
    """Kilowatt-hours in `energy_j` joules.

    >>> kwh(7.2e6)
    2.0
    """
    return energy_j / J_PER_KWH


def parsed_grams(text: str) -> float:
    """Grams in a text with or without a unit. StudyError unless they are finite and positive.

    >>> parsed_grams("5mg"), parsed_grams("0.2 g"), parsed_grams("3e-6")
    (0.005, 0.2, 3e-06)
    """
    match = re.fullmatch(r"\s*([0-9.eE+-]+)\s*(ng|ug|mg|g|kg)?\s*", text)
    try:
        grams = float(match[1]) * G_IN_UNIT[match[2] or "g"] if match else math.nan
    except ValueError:
        grams = math.nan
    if not 0.0 < grams < math.inf:
        raise StudyError(f"{text!r} is no mass", "give a number with ng, ug, mg, g or kg, such as 5mg")
    return grams


def parsed_worth(text: str) -> float:
    """Grams that one unit of score is worth, from "SCORE = GRAMS". StudyError if it cannot be read.

    >>> parsed_worth("0.01 = 5mg")
    0.5
    """
    score, equals, grams = text.partition("=")
    try:
        value = float(score)
    except ValueError:
        value = math.nan
    if not equals or not 0.0 < value < math.inf:
        raise StudyError(f"cannot read the worth {text!r}", "write what a gain in score is worth: '0.01 = 5mg'")
    return parsed_grams(grams) / value


def readable_grams(carbon_g: float) -> str:
    """Grams with a suitable SI prefix and three significant digits.

    >>> readable_grams(0.00000123), readable_grams(0.0456), readable_grams(12.3)
    ('1.23 ug', '45.6 mg', '12.3 g')
    >>> readable_grams(0.0)
    '0 g'
    """
    rounded_g = float(f"{carbon_g:.3g}")
    for factor, unit in ((1.0, "g"), (1e-3, "mg"), (1e-6, "ug")):
        if rounded_g >= factor:
            return f"{float(f'{carbon_g / factor:.3g}'):g} {unit}"
    return f"{carbon_g / 1e-9:.3g} ng" if carbon_g > 0 else "0 g"


def readable_bytes(n_bytes: float) -> str:
    """Bytes as MB or GB, with two significant digits.

    >>> readable_bytes(696e6), readable_bytes(1.23e9)
    ('700 MB', '1.2 GB')
    """
    factor, unit = (1e9, "GB") if n_bytes >= 1e9 else (1e6, "MB")
    return f"{float(f'{n_bytes / factor:.2g}'):g} {unit}"


def readable_seconds(seconds: float) -> str:
    """Seconds as s, min or h, with two significant digits.

    >>> readable_seconds(4.86), readable_seconds(150.0), readable_seconds(9000.0)
    ('4.9 s', '2.5 min', '2.5 h')
    """
    for factor, unit in ((3600.0, "h"), (60.0, "min")):
        if seconds >= 2.0 * factor:
            return f"{float(f'{seconds / factor:.2g}'):g} {unit}"
    return f"{float(f'{seconds:.2g}'):g} s"
