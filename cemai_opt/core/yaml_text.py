"""YAML that may come from anybody: bounded in size, depth and references, with one kind of error."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node

MAX_CHARACTERS, MAX_DEPTH, MAX_ALIASES = 1 << 22, 40, 100
"""A document of the product has some thousand characters, a depth of six, and no alias."""


class _Loader(yaml.SafeLoader):
    """SafeLoader without the means of a document that is small in a file and huge in memory."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = self._n_aliases = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        """A node; YAMLError if the nodes are nested too deeply, or refer to others too often."""
        self._n_aliases += self.check_event(AliasEvent)
        self._depth += 1
        if self._depth > MAX_DEPTH or self._n_aliases > MAX_ALIASES:
            raise yaml.YAMLError("it is nested too deeply, or refers to itself too often")
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def parsed_yaml(text: str) -> Any:
    """The document in a text. ValueError if it is not YAML, too large, or holds an impossible value."""
    if len(text) > MAX_CHARACTERS:
        raise ValueError(f"it has {len(text)} characters, more than {MAX_CHARACTERS}")
    try:
        return yaml.load(text, _Loader)  # a SafeLoader
    except (yaml.YAMLError, RecursionError, OverflowError, TypeError, ValueError) as error:
        raise ValueError(" ".join(str(error).split())[:200]) from error


def yaml_text(document: Mapping[str, Any]) -> str:
    """A document as YAML, keys in their order."""
    return yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True)
