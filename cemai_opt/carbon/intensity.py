"""Grams of CO2 equivalent per kilowatt-hour, from CodeCarbon's tables of countries and cloud regions."""

from __future__ import annotations

import csv
import json
from functools import cache

from cemai_opt.core.codecarbon_package import data_file
from cemai_opt.core.errors import StudyError, nearest

WORLD_G_PER_KWH = 475.0
"""World mean that CodeCarbon uses by default (IEA, Global Energy & CO2 Status Report 2019)."""


def national_intensity(country: str) -> tuple[float, str]:
    """Yearly mean of a country by its three-letter ISO 3166 code, with its origin in words.

    >>> national_intensity("FRA")[0] < national_intensity("POL")[0]
    True
    """
    table = _table()
    row = table.get(country.upper())
    if row is None:
        by_name = {str(entry["country_name"]): code for code, entry in table.items()}
        if country.title() in by_name:
            raise StudyError(f"country {country!r} is not a code", f"did you mean {by_name[country.title()]!r}?")
        raise StudyError(f"there is no country {country!r}", nearest(country, table))
    return float(row["carbon_intensity"]), f"{row['country_name']}, mean of {row['year']} (CodeCarbon)"


@cache
def _table() -> dict[str, dict[str, float | str]]:
    path = data_file("private_infra", "global_energy_mix.json")
    table: dict[str, dict[str, float | str]] = json.loads(path.read_text(encoding="utf-8"))
    return table


def cloud_intensity(place: str) -> tuple[float, str]:
    """Intensity of a cloud region, "provider/region", with its origin in words. StudyError suggests a known region.

    >>> cloud_intensity("gcp/europe-north1")[0] < cloud_intensity("gcp/asia-east1")[0]
    True
    """
    table = _cloud_table()
    if place not in table:
        raise StudyError(f"there is no cloud region {place!r}", nearest(place, table))
    grams, country = table[place]
    return grams, f"cloud region {place}, {country} (CodeCarbon)"


@cache
def _cloud_table() -> dict[str, tuple[float, str]]:
    path = data_file("cloud", "impact.csv")
    with path.open(encoding="utf-8-sig") as stream:
        rows = list(csv.DictReader(stream))
    return {f"{r['provider']}/{r['region']}": (float(r["impact"]), r["country_name"]) for r in rows if r["impact"]}
