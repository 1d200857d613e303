"""Tables with known contents, written as machines, spreadsheets and people write them, some of them damaged."""

from __future__ import annotations

import csv
import gzip
import io
import itertools
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from cemai_opt.core.data_spec import DataSpec
from cemai_opt.datasets import Dataset
from cemai_opt.datasets.tabular import Tabular
from tests.fuzz.outcome import WrongError

GROUPS = ("001", "1", "01", "1.10", "1.1", "1e1", "10", "+1", "NA", "None", "b", "B", "ü")
LABELS = ("NA", "None", "null", "nan", "n/a", "ok", "worn", "1,5", "OK ", "true", "0")
DATES = {"iso": "%Y-%m-%d", "dots": "%d.%m.%Y", "slashes": "%d/%m/%Y", "american": "%m/%d/%Y", "mdots": "%m.%d.%Y"}
DAMAGES = ("none",) * 8 + ("cut", "short row", "long row", "nul", "quote", "doubled", "word", "unit", "percent", "date")


@dataclass(kw_only=True)
class Table:
    """What a file says: values by column (None where a cell is empty), and how they are written."""

    numbers: dict[str, list[float | None]]
    labels: list[str | None]
    group: list[str]
    time: list[np.datetime64]
    target: list[float]
    spec: dict[str, Any] = field(default_factory=dict)
    damage: str = "none"

    @property
    def n_rows(self) -> int:
        """Number of rows."""
        return len(self.group)


def random_table(rng: np.random.Generator) -> Table:
    """Some groups with numbers of all sizes, labels, moments, and a target."""
    n = int(rng.integers(12, 40))
    groups = list(rng.choice(GROUPS, size=int(rng.integers(2, 6)), replace=False))
    scale = float(rng.choice([1e-6, 1.0, 1e4, 1e12]))
    numbers: dict[str, list[float | None]] = {
        "force": [round(float(v) * scale, int(rng.integers(1, 12))) for v in rng.normal(size=n)],
        "count": [int(v) for v in rng.integers(-(10 ** int(rng.integers(1, 12))), 10 ** int(rng.integers(1, 12)), n)],
    }
    if rng.random() < 0.5:
        for i in rng.choice(n, size=n // 6, replace=False):
            numbers["force"][int(i)] = None
    steps = rng.permutation(n)
    unit = str(rng.choice(["D", "m", "ns"]))
    start = np.datetime64("2026-01-01T00:00:00.000000000")
    time = [start + np.timedelta64(int(step), unit) for step in steps]
    labels: list[str | None] = [str(label) for label in rng.choice(rng.choice(LABELS, 3, replace=False), n)]
    return Table(
        numbers=numbers,
        labels=labels,
        group=[str(group) for group in rng.choice(groups, n)],
        time=time,
        target=[round(i + float(v), 6) for i, v in enumerate(rng.uniform(size=n))],  # all different
        damage=str(rng.choice(DAMAGES)),
    )


def written(table: Table, folder: Path, rng: np.random.Generator) -> Path:
    """Writes the table in a random format, and sets the options that it needs in `table.spec`."""
    return _written_parquet(table, folder, rng) if rng.random() < 0.2 else _written_text(table, folder, rng)


def _written_parquet(table: Table, folder: Path, rng: np.random.Generator) -> Path:
    """One Parquet file or several; columns have one of the types that programs give them."""
    import pyarrow as pa
    import pyarrow.parquet

    if table.damage not in ("none", "word", "unit", "percent"):
        table.damage = "none"
    force: Any = table.numbers["force"]
    if table.damage != "none":
        ends = {"word": "", "unit": " mm", "percent": "%"}
        force = [None if v is None else f"{v!r}{ends[table.damage]}" for v in force]
        force[len(force) // 2] = "about 3" if table.damage == "word" else force[len(force) // 2]
    elif rng.random() < 0.3:
        force = [None if v is None else repr(v) for v in force]  # numbers as text
    labels = pa.array(table.labels, pa.string())
    time = pa.array([int(t.astype(np.int64)) for t in table.time], pa.int64())
    columns = {
        "force": pa.array(force),
        "count": pa.array(table.numbers["count"], pa.int64()),
        "state": labels.dictionary_encode() if rng.random() < 0.3 else labels,
        "tool": pa.array(table.group, pa.large_string() if rng.random() < 0.3 else pa.string()),
        "at": time.cast(pa.timestamp("ns")) if rng.random() < 0.7 else time,
        "wear": pa.array(table.target),
    }
    if rng.random() < 0.3:
        whole = max(len(str(abs(v))) for v in table.numbers["count"])
        columns["count"] = columns["count"].cast(pa.decimal128(max(whole, 19) + 2, 2))
    names = list(columns)
    rng.shuffle(names)
    whole_table = pa.table({name: columns[name] for name in names})
    table.spec = {"target": "wear", "group": "tool", "time": "at"}
    path = folder / "data" if rng.random() < 0.5 else folder / "a.parquet"
    table.spec["path"] = str(path)
    if path.suffix:
        pyarrow.parquet.write_table(whole_table, path)
        return path
    path.mkdir()
    for i, rows in enumerate(_pieces(table.n_rows, rng)):
        pyarrow.parquet.write_table(whole_table.slice(rows.start, len(rows)), path / f"{i}.parquet")
    return path


def _pieces(n_rows: int, rng: np.random.Generator) -> list[range]:
    """The rows of each file of a folder."""
    edges = [0, *sorted(rng.choice(np.arange(1, n_rows), size=int(rng.integers(1, 3)), replace=False)), n_rows]
    return [range(int(first), int(end)) for first, end in itertools.pairwise(edges)]


def _written_text(table: Table, folder: Path, rng: np.random.Generator) -> Path:
    """A CSV file or a folder of them in a random dialect."""
    sep = str(rng.choice([",", ";", "\t", "|"]))
    decimal = str(rng.choice([".", ","])) if sep != "," or rng.random() < 0.5 else "."
    spec: dict[str, Any] = {"target": "wear", "group": "tool"}
    if rng.random() < 0.2:
        spec["sep"] = "tab" if sep == "\t" else sep
    if rng.random() < 0.3:
        spec["decimal"] = decimal

    def number(value: float | None) -> str:
        if value is None:
            return str(rng.choice(["", "", "NA", "nan", "-"]))
        return repr(value).replace(".", decimal)

    columns: dict[str, list[str]] = {name: [number(v) for v in values] for name, values in table.numbers.items()}
    columns["state"] = [label or "" for label in table.labels]
    columns["tool"] = table.group
    times, time_spec = _times(table, rng)
    columns |= times
    spec |= time_spec
    columns["wear"] = [number(v) for v in table.target]
    names = list(columns)
    rng.shuffle(names)
    rows = [[columns[name][i] for name in names] for i in range(table.n_rows)]
    _damage(table, names, rows)
    dialect = _Dialect(
        sep=sep,
        quoting=int(rng.choice([csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
        newline=str(rng.choice(["\n", "\r\n"])),
        index=bool(rng.random() < 0.15),
        trailing=bool(rng.random() < 0.1),
        encoding=str(rng.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "latin-1"])),
        zipped=bool(rng.random() < 0.15),
    )
    if dialect.encoding == "latin-1":
        spec["encoding"] = "latin-1"
    path = folder / f"a{dialect.extension}"
    if rng.random() < 0.25:
        path = folder / "data"
        path.mkdir()
        for i, part in enumerate(_pieces(table.n_rows, rng)):
            text = dialect.text(names, rows[part.start : part.stop], rng)
            file = path / f"{i}{dialect.extension}"
            file.write_bytes(dialect.bytes(_cut(text, table.damage, rng) if part.start == 0 else text))
    else:
        path.write_bytes(dialect.bytes(_cut(dialect.text(names, rows, rng), table.damage, rng)))
    table.spec = {**spec, "path": str(path)}
    return path


@dataclass(frozen=True, kw_only=True)
class _Dialect:
    """How a text file is written. `index`: a first column that numbers the rows; `trailing`: rows end with `sep`."""

    sep: str
    quoting: int
    newline: str
    index: bool
    trailing: bool
    encoding: str
    zipped: bool

    @property
    def extension(self) -> str:
        return ".csv.gz" if self.zipped else ".csv"

    def text(self, names: list[str], rows: list[list[str]], rng: np.random.Generator) -> str:
        stream = io.StringIO()
        writer = csv.writer(stream, delimiter=self.sep, quoting=self.quoting, lineterminator=self.newline)  # type: ignore[arg-type]  # one of csv's constants
        for i, row in enumerate([names, *rows]):
            number = ["" if i == 0 else str(i - 1)] if self.index else []
            writer.writerow([*number, *row, *([""] if self.trailing and not self.index else [])])
            if i and rng.random() < 0.02:
                stream.write("\n")
        return stream.getvalue()

    def bytes(self, text: str) -> bytes:
        content = text.encode(self.encoding)
        return gzip.compress(content) if self.zipped else content


def _cut(text: str, damage: str, rng: np.random.Generator) -> str:
    """The text without its end, or with a character that does not belong there."""
    if damage == "cut":
        return text[: -int(rng.integers(2, 30))]
    if damage == "quote":
        return text[:-1] + '"' + text[-1]
    return text[:-3] + "\0" + text[-3:] if damage == "nul" else text


def _times(table: Table, rng: np.random.Generator) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """The moments as text, in one column or two, and the option that names them."""
    kind = str(rng.choice(["integer", "none", *DATES]))
    stamps = [moment.astype("datetime64[ns]") for moment in table.time]
    if kind == "none":
        return {}, {}
    if kind == "integer":
        return {"at": [str(int(stamp.astype(np.int64))) for stamp in stamps]}, {"time": "at"}
    whole = [stamp.astype("datetime64[s]").item() for stamp in stamps]
    rests = [int((stamp - stamp.astype("datetime64[s]")).astype(np.int64)) for stamp in stamps]
    days = [moment.strftime(DATES[kind]) for moment in whole]
    clock = [f"{moment:%H:%M:%S}.{rest:09d}" for moment, rest in zip(whole, rests, strict=True)]
    given = {"date_format": DATES[kind]} if rng.random() < 0.1 and not any(rests) and _is_midnight(clock) else {}
    if rng.random() < 0.3 and not given:
        return {"day": days, "clock": clock}, {"time": "day,clock"}
    return {"at": days if given else [f"{d} {c}" for d, c in zip(days, clock, strict=True)]}, {"time": "at", **given}


def _is_midnight(clock: list[str]) -> bool:
    return all(moment.startswith("00:00:00") for moment in clock)


def _damage(table: Table, names: list[str], rows: list[list[str]]) -> None:
    """Changes cells as people and programs do."""
    middle = len(rows) // 2
    force, at = names.index("force"), next((names.index(n) for n in ("at", "day") if n in names), None)
    if table.damage == "short row":
        rows[middle].pop()
    elif table.damage == "long row":
        rows[middle].append("7")
    elif table.damage == "doubled":
        names[names.index("count")] = "force"
    elif table.damage == "word":
        rows[middle][force] = "about 3"
    elif table.damage == "unit":
        for row in rows:
            row[force] += " mm" if row[force][-1:].isdigit() else ""
    elif table.damage == "percent":
        for row in rows:
            row[force] += "%" if row[force][-1:].isdigit() else ""
    elif table.damage == "date" and at is not None:
        rows[middle][at] = "31.02.2026 00:00"


def check(table: Table) -> None:
    """Reads the file; `WrongError` if what was read is not what was written, and no note says so."""
    data = Tabular().read(DataSpec(**table.spec), "regression")
    said = " ".join(data.notes)
    if table.damage in ("short row", "long row", "nul", "quote", "doubled", "word", "unit", "percent"):
        raise WrongError(f"read in spite of a {table.damage}")
    if table.damage == "date" and "time" in table.spec and "31.02" in "".join(data.group_names):
        raise WrongError("an impossible date was read")
    if table.damage == "cut" and "cut off" not in said:
        raise WrongError("a file that was cut off was read in silence")
    if table.damage in ("cut", "date"):
        return
    rows = _rows_of(data, table)
    _check_groups(data, table, rows)
    _check_order(data, table, rows)
    _check_inputs(data, table, rows=rows, said=said)


def _rows_of(data: Dataset, table: Table) -> list[int]:
    """The written row of each row that was read, told by the target."""
    by_target = {value: i for i, value in enumerate(table.target)}
    if len(data.y) != table.n_rows or any(float(y) not in by_target for y in data.y):
        raise WrongError(f"{len(data.y)} rows for {table.n_rows}, or other targets")
    return [by_target[float(y)] for y in data.y]


def _check_groups(data: Dataset, table: Table, rows: list[int]) -> None:
    for code, i in zip(data.group, rows, strict=True):
        if data.group_names[code] != table.group[i]:
            raise WrongError(f"group {table.group[i]!r} was read as {data.group_names[code]!r}")


def _check_order(data: Dataset, table: Table, rows: list[int]) -> None:
    if "time" not in table.spec:
        return
    for a, b in itertools.pairwise(rows):
        if table.group[a] == table.group[b] and table.time[a] > table.time[b]:
            raise WrongError(f"{table.time[a]} stands before {table.time[b]}")


def _check_inputs(data: Dataset, table: Table, *, rows: list[int], said: str) -> None:
    for name, values in table.numbers.items():
        if name not in data.names:
            if f"'{name}'" in said:
                continue
            raise WrongError(f"input {name!r} was dropped")
        got = data.X[:, data.names.index(name)]
        for x, i in zip(got, rows, strict=True):
            wanted = values[i]
            if (wanted is None) != bool(np.isnan(x)) or (wanted is not None and float(x) != float(wanted)):
                raise WrongError(f"{name}: {wanted!r} was read as {x!r}")
    flags = {n.split("=", 1)[1]: data.names.index(n) for n in data.names if n.startswith("state=")}
    for k, i in enumerate(rows):
        label = table.labels[i]
        chosen = [level for level, place in flags.items() if data.X[k, place] == 1.0]
        if flags and chosen != [label]:
            raise WrongError(f"state {label!r} was read as {chosen}")
    if not flags and "state" not in data.names and "'state'" not in said:
        raise WrongError("labels were dropped")
