"""The columns by which new rows are read."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.core.serialization import from_json, to_json
from cemai_opt.datasets import Schema
from cemai_opt.datasets._schema import Column, format_of

names = st.text(min_size=1, max_size=5)
columns = st.builds(Column, name=names, levels=st.none() | st.lists(names, max_size=3).map(tuple))
schemas = st.builds(
    Schema,
    columns=st.lists(columns, max_size=4).map(tuple),
    target=names,
    group=st.none() | names,
    time=st.none() | names,
    left_out=st.lists(names, max_size=2).map(tuple),
    missing=st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


@given(schemas)
def test_a_schema_travels_with_its_model(schema: Schema) -> None:
    """What was read from text is equal, a column of numbers and one without levels told apart."""
    assert from_json(Schema, json.loads(json.dumps(to_json(schema)))) == schema


def test_inputs_come_in_the_order_of_columns_and_levels() -> None:
    """Numbers are one input, texts one for each level."""
    schema = Schema(
        columns=(
            Column(name="z"),
            Column(name="steel", levels=("soft", "hard")),
            Column(name="a"),
            Column(name="empty", levels=()),
        )
    )
    assert schema.inputs == ("z", "steel=soft", "steel=hard", "a")


def test_a_quoted_empty_cell_has_a_name_of_its_own() -> None:
    """As it stands in the file."""
    assert format_of(DataSpec(na=('""', "NA"))).na == ("", "NA")
