"""The data of a study."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from cemai_opt.core.data_spec import MAX_NAME, DataSpec


@pytest.mark.parametrize("path", ["a\0b", "x" * (MAX_NAME + 1), "folder/" + "ü" * MAX_NAME])
def test_a_path_that_no_file_can_have_is_refused(path: str) -> None:
    """Before anything looks for it."""
    for key in ("path", "test"):
        with pytest.raises(ValidationError, match="no path of a file"):
            DataSpec.model_validate({key: path})
    assert DataSpec(path="folder/" + "x" * MAX_NAME).path is not None
