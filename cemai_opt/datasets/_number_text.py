"""Numbers in text: which separators a file uses, and the conversion of its columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cemai_opt.core.errors import StudyError

if TYPE_CHECKING:
    import pyarrow as pa

MISSING = ("na", "n/a", "#n/a", "nan", "null", "none", "nil", "-", "--", "?", "")
"""Words that mean "no value" in a column of numbers; among text they are labels."""
EXPONENT = r"(?:[eE][+-]?\d+)?"
PLAIN = rf"^\s*([+-]?(\d+\.?\d*|\.\d+){EXPONENT}|[+-]?(?i:inf|infinity))\s*$"
COMMA = rf"^\s*[+-]?(\d+(,\d+)?|,\d+){EXPONENT}\s*$"
"""A number whose comma, if it has one, may be a decimal comma."""
GROUPED = r"^\s*[+-]?\d{1,3}(,\d{3})+(\.\d*)?\s*$"
"""A number whose commas may separate thousands."""
TRUTHS = ("true", "false")
SPACES, APOSTROPHES = " \u00a0\u202f\u2009", "'\u2019"
GROUP = rf"[{APOSTROPHES}{SPACES}]"
WRITTEN = rf"[+-]?[\d.,]*\d[.,]?{EXPONENT}"
"""A number with whatever separators."""
DISGUISES = (
    (rf"[+-]?\d{{1,3}}({GROUP}\d{{3}})+([.,]\d+)?", "digits in groups", "give --thousands"),
    (r"[+-]?\d{1,3}(\.\d{3}){2,}(,\d+)?", "points between thousands", "give --thousands ."),
    (r"[+-]?(\d+\.?\d*|\.\d+)[dD][+-]?\d+", "exponents with D", "write E"),
    (rf"[+-]?(\d+|\d{{1,3}}(\.\d{{3}})+),\d+{EXPONENT}", "decimal commas", "give --decimal ,"),
    (rf"{WRITTEN}[{SPACES}]*[%‰]", "percentages", "write plain numbers"),
    (rf"[+-]?\p{{Sc}}[{SPACES}]*{WRITTEN}|{WRITTEN}[{SPACES}]*\p{{Sc}}", "amounts of money", "write plain numbers"),
    ("[+-]?\\p{Nd}+([.,\u066b]\\p{Nd}+)?", "digits of another script", "write 0 to 9"),
)
"""How numbers that are not plain look: pattern, description, what to do."""
UNIT = rf"^\s*{WRITTEN}[{SPACES}]*([\p{{L}}°µ][\p{{L}}\d°µ/²³*^·]{{0,9}})\s*$"
FEW_ERRORS, NEARLY_NUMERIC, MANY_NUMBERS = 0.1, 0.5, 10
"""A column of text is one of numbers with errors if at most the first share of its values are no numbers, or the second
one and it has more different numbers than this; else its numbers are labels as well."""


@dataclass(frozen=True, kw_only=True)
class NumberStyle:
    """The decimal separator, and the separator of thousands (empty for none)."""

    decimal: str = "."
    thousands: str = ""

    @property
    def pattern(self) -> str:
        """A regular expression of numbers in this style, which never accepts another reading of them."""
        if self == NumberStyle():
            return PLAIN
        decimal = re.escape(self.decimal)
        whole = r"\d+" if not self.thousands else rf"(\d{{1,3}}({_any_of(self.thousands)}\d{{3}})+|\d+)"
        return rf"^\s*[+-]?({whole}({decimal}\d*)?|{decimal}\d+){EXPONENT}\s*$"


@dataclass(kw_only=True)
class _Evidence:
    """What one column says about the style of its numbers: an example of each kind."""

    decimal_comma: str = ""
    thousands_comma: str = ""
    either: str = ""
    decimal_point: str = ""
    is_text: bool = False
    is_plain: bool = True


class StyleSearch:
    """Finds the one style of the numbers in a file, or in all files of a folder, whatever the pieces it is read in."""

    def __init__(self, text: Collection[str]) -> None:
        """Columns in `text` are not numbers."""
        self._text, self._by_column = text, dict[str, _Evidence]()

    def add(self, table: pa.Table) -> None:
        """Looks at more rows."""
        for name in table.column_names:
            if name not in self._text:
                self._look_at(table.column(name), name, found=self._by_column.setdefault(name, _Evidence()))

    def _look_at(self, column: pa.ChunkedArray, name: str, *, found: _Evidence) -> None:
        import pyarrow.compute as pc

        if found.is_text:
            return
        values = pc.drop_null(column)
        if pc.all(pc.match_substring_regex(values, PLAIN), min_count=0).as_py():  # by far the most frequent case
            point = pc.index(pc.match_substring(values, "."), True).as_py() if not found.decimal_point else -1
            found.decimal_point = f"{values[point].as_py()!r} in column {name!r}" if point >= 0 else found.decimal_point
            return
        found.is_plain = False
        values = values.filter(pc.invert(_is_missing(values)))
        comma, grouped, plain = (pc.match_substring_regex(values, pattern) for pattern in (COMMA, GROUPED, PLAIN))
        if not pc.all(pc.or_(pc.or_(comma, grouped), plain)).as_py():
            found.is_text = True
            return
        has_comma = pc.match_substring(values, ",")
        for key, mask in (
            ("decimal_comma", pc.and_(has_comma, pc.and_not(comma, grouped))),
            ("thousands_comma", pc.and_(has_comma, pc.and_not(grouped, comma))),
            ("either", pc.and_(has_comma, pc.and_(comma, grouped))),
            ("decimal_point", pc.and_not(pc.match_substring(values, "."), has_comma)),
        ):
            examples = values.filter(mask) if not getattr(found, key) else values[:0]
            if len(examples):
                setattr(found, key, f"{examples[0].as_py().strip()!r} in column {name!r}")

    @property
    def plain(self) -> frozenset[str]:
        """Columns that hold plain numbers and empty cells only."""
        return frozenset(name for name, found in self._by_column.items() if found.is_plain)

    @property
    def has_commas(self) -> bool:
        """Whether a column that holds nothing but numbers has commas in them."""
        numbers = [found for found in self._by_column.values() if not found.is_text]
        return any(found.decimal_comma or found.thousands_comma or found.either for found in numbers)

    def style(self, where: str) -> NumberStyle:
        """The one style that all columns have. StudyError if there are two, or if it cannot be told."""
        columns = [found for found in self._by_column.values() if not found.is_text]

        def first(kind: str) -> str:
            return next((example for found in columns if (example := getattr(found, kind))), "")

        decimal, thousands, either, point = map(first, ("decimal_comma", "thousands_comma", "either", "decimal_point"))
        if decimal and (thousands or point):
            raise StudyError(
                f"{where}: the comma is decimal in {decimal}, but not in {thousands or point}",
                "write one way, give --decimal and --thousands, or name columns of text with --keep-text",
            )
        if either and not decimal and not thousands:
            raise StudyError(
                f"{where}: {either} may have a decimal comma or a separator of thousands",
                "give --decimal , or --thousands ,",
            )
        return NumberStyle(decimal=",") if decimal else NumberStyle(thousands="," if thousands else "")


def numbers_of_text(
    column: pa.ChunkedArray, style: NumberStyle, *, is_plain: bool = False
) -> tuple[pa.ChunkedArray | None, Mapping[str, int]]:
    """The numbers in a column of text, None if it holds none; and how often words were taken for missing values.

    `is_plain`: the column is known to hold plain numbers only.

    Whole numbers that fit are 64-bit integers, so that none of their digits is lost.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count == len(column):
        return pc.cast(column, pa.float64()), {}
    words: dict[str, int] = {}
    is_number = None if is_plain else pc.match_substring_regex(column, style.pattern)
    if is_number is not None and not pc.all(is_number).as_py():  # null counts as neither
        odd = pc.fill_null(pc.invert(is_number), False)
        if not pc.all(_is_missing(column.filter(odd))).as_py() or not pc.any(is_number).as_py():
            return None, {}
        counts = pc.value_counts(column.filter(odd))
        words = {row["values"].as_py(): row["counts"].as_py() for row in counts}
        column = pc.if_else(odd, pa.scalar(None, pa.string()), column)
    if style != NumberStyle():
        if style.thousands:
            column = pc.replace_substring_regex(column, _any_of(style.thousands), "")
        column = pc.replace_substring(column, style.decimal, ".")
    for prepared in (column, pc.utf8_trim_whitespace(column)):
        for kind in (pa.int64(), pa.float64()):
            try:
                return pc.cast(prepared, kind), words
            except pa.ArrowInvalid:
                continue
    raise AssertionError("what matches the pattern is a number")


def refuse_disguised(name: str, column: pa.ChunkedArray, *, style: NumberStyle) -> None:
    """StudyError if a column of text holds numbers in another style, or numbers and a few words."""
    import pyarrow.compute as pc

    present = pc.drop_null(column)
    values = present.filter(pc.invert(_is_missing(present)))
    if not len(values):
        return
    keep = f"or keep it as text with --keep-text {name}"
    is_plain = pc.match_substring_regex(values, PLAIN)
    for pattern, what, hint in DISGUISES:
        matches = pc.match_substring_regex(values, rf"^\s*({pattern})\s*$")
        if pc.any(pc.and_not(matches, is_plain)).as_py() and pc.all(pc.or_(matches, is_plain)).as_py():
            example = values.filter(pc.and_not(matches, is_plain))[0].as_py()
            raise StudyError(f"column {name!r} holds numbers with {what} ({example!r})", f"{hint}, {keep}")
    if pc.all(pc.match_substring_regex(values, UNIT)).as_py():
        units = pc.unique(pc.replace_substring_regex(values, UNIT, r"\1")).to_pylist()
        if len(units) == 1:
            raise StudyError(
                f"column {name!r} holds numbers with the unit {units[0]!r} ({values[0].as_py()!r})",
                f"write plain numbers, {keep}",
            )
    odd = pc.invert(pc.match_substring_regex(values, style.pattern))
    n_odd, n_numbers = pc.sum(odd).as_py(), len(pc.unique(values.filter(pc.invert(odd))))
    if is_numeric_with_errors(n_odd, len(values), n_numbers=n_numbers):
        raise StudyError(
            f"column {name!r} is numeric except for {n_odd} of {len(values)} values, the first "
            f"{(first := values.filter(odd)[0].as_py())!r} in row {pc.index(column, first).as_py()}",
            f"empty those cells, name them with --na, {keep}",
        )


def is_numeric_with_errors(n_odd: int, n_values: int, *, n_numbers: int) -> bool:
    """Whether a column is one of numbers with errors, rather than text: `n_numbers` is the number of different ones."""
    allowed = NEARLY_NUMERIC if n_numbers > MANY_NUMBERS else FEW_ERRORS
    return 0 < n_odd <= allowed * n_values


def truths_of_text(column: pa.ChunkedArray) -> pa.ChunkedArray | None:
    """Booleans, if all cells are true or false."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.null_count or not len(column):
        return None
    lower = pc.utf8_lower(column)
    if not pc.all(pc.is_in(lower, pa.array(TRUTHS))).as_py():
        return None
    return pc.equal(lower, "true")


def _is_missing(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    return pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(column)), pa.array(MISSING))


def _any_of(characters: str) -> str:
    """A character class: all kinds of space for a space, all kinds of apostrophe for one."""
    kinds = next((kinds for kinds in (SPACES, APOSTROPHES) if characters in kinds), characters)
    return f"[{re.escape(kinds)}]"
