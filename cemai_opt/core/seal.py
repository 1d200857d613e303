"""A checksum at the end of what is written, by which a damaged file is told from a whole one."""

from __future__ import annotations

import re
import zlib

KEY = "crc32"
JSON_SEAL = re.compile(rf',\s*"{KEY}": (\d+)\s*}}\s*\Z')
YAML_SEAL = re.compile(rf"# {KEY}: (\d+)\n?\Z")


def sealed_json(text: str) -> str:
    """A JSON object, not empty, with the checksum of everything before it as its last key.

    >>> sealed_json('{"a": 1}')
    '{"a": 1, "crc32": 2057863684}'
    """
    body = text.rstrip().removesuffix("}").rstrip()
    end = "\n" if text.endswith("\n") else ""
    return f'{body}, "{KEY}": {_sum(body)}}}{end}'


def sealed_yaml(text: str) -> str:
    """A YAML document with a last line that holds its checksum."""
    return f"{text}# {KEY}: {_sum(text)}\n"


def opened_json(text: str) -> str:
    """The JSON without its checksum. ValueError if it does not fit; a text of version 0.1.0 has none.

    >>> opened_json(sealed_json('{"a": 1}'))
    '{"a": 1}'
    """
    found = JSON_SEAL.search(text)
    if found is None:
        if f'"{KEY}"' in text[-200:]:
            raise ValueError("its end is damaged")
        return text
    body = text[: found.start()]
    _check(body, found[1])
    return f"{body}}}"


def opened_yaml(text: str) -> str:
    """The YAML without its checksum. ValueError if it does not fit; a text of version 0.1.0 has none."""
    found = YAML_SEAL.search(text)
    if found is None:
        return text
    body = text[: found.start()]
    _check(body, found[1])
    return body


def _check(body: str, wanted: str) -> None:
    if _sum(body) != int(wanted):
        raise ValueError("it is not what was written: its checksum differs")


def _sum(text: str) -> int:
    return zlib.crc32(text.encode())
