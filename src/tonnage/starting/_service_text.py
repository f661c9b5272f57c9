"""
``service.py`` for a model, as text that its user edits.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from ._columns import Column
from ._trying import Tried

__all__ = ["Names", "service_text"]

_TYPES: Final = {"integer": "int", "number": "float", "boolean": "bool", "text": "str"}
_WIDTH: Final = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """
    What the service is called.

    Attributes:
        service: Its class.
        answer: The field of the answer that is predicted.
        sample: The file that ranges and choices come from; None without one.
    """

    service: str
    answer: str
    sample: str | None


def service_text(columns: Sequence[Column], tried: Tried, names: Names) -> str:
    """Return the module."""
    blocks = [
        _head(columns, tried, names),
        _row(columns, names),
        _result(tried, names),
        _service(columns, tried, names),
    ]
    return "\n\n\n".join(blocks) + "\n"


def _head(columns: Sequence[Column], tried: Tried, names: Names) -> str:
    is_table = tried.layout == "table"
    arrays = not (is_table and tried.has_probabilities)
    has_ranges = any(column.kind in {"integer", "number"} for column in columns)
    typing = _those(Any=arrays, Literal=any(column.choices for column in columns))
    ours = _those(
        TYPICAL_RANGE=has_ranges,
        Classified=tried.has_probabilities,
        Features=is_table,
        Service=True,
    )
    told = f"from {names.sample}" if names.sample else "placeholders: change them"
    lines = [
        '"""',
        f"{tried.estimator} as a service. `tonnage init` wrote it; it is yours to change.",
        "",
        f"Types, ranges and choices are {told}. A typical range is what load tests draw from;",
        "add `ge=` and `le=` to a field to refuse what lies beyond.",
        '"""',
        "",
        "from collections.abc import Sequence",
    ]
    lines += [f"from typing import {typing}"] if typing else []
    lines += [""]
    lines += [] if is_table else ["import numpy as np"]
    lines += ["from numpy.typing import NDArray"] if arrays else []
    lines += ["from pydantic import BaseModel, ConfigDict, Field"]
    return "\n".join([*lines, f"from tonnage.artefact import {ours}"])


def _those(**names: bool) -> str:
    return ", ".join(name for name, is_used in names.items() if is_used)


def _row(columns: Sequence[Column], names: Names) -> str:
    return "\n".join(
        [
            "class Row(BaseModel):",
            f'    """One request to {names.service}."""',
            "",
            '    model_config = ConfigDict(extra="forbid")',
            *(line for column in columns for line in ("", *_field(column))),
        ]
    )


def _field(column: Column) -> Iterator[str]:
    arguments = list(_arguments(column))
    named = f"    {column.field}: {_annotation(column)}"
    yield from [f"{named} = Field(", *arguments, "    )"] if arguments else [named]


def _arguments(column: Column) -> Iterator[str]:
    if column.is_optional:
        yield "        default=None,"
    if column.name != column.field:
        yield f"        alias={_quoted(column.name)},"
    if column.kind == "number":
        yield "        allow_inf_nan=False,"
    if column.examples and not column.choices:
        yield from _listed("examples", [_literal(value) for value in column.examples])
    if column.is_placeholder:
        yield "        # Nothing is known of it: write what is usual."
    if column.kind in {"integer", "number"}:
        low, high = (_number(column, end) for end in (column.low, column.high))
        yield f"        json_schema_extra={{TYPICAL_RANGE: [{low}, {high}]}},"


def _annotation(column: Column) -> str:
    kind = _TYPES[column.kind]
    if column.choices:
        words = [_quoted(choice) for choice in column.choices]
        kind = f"Literal[{', '.join(words)}]"
        if len(kind) + len(column.field) + 25 > _WIDTH:
            kind = "Literal[\n" + "".join(f"        {word},\n" for word in words) + "    ]"
    return f"{kind} | None" if column.is_optional else kind


def _listed(name: str, values: Sequence[str]) -> Iterator[str]:
    line = f"        {name}=[{', '.join(values)}],"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"        {name}=["
    yield from (f"            {value}," for value in values)
    yield "        ],"


def _result(tried: Tried, names: Names) -> str:
    lines = ["class Result(BaseModel):", f'    """What {names.service} answers."""', ""]
    if tried.outputs is not None and tried.outputs != 1:
        lines.append(f"    {names.answer}: list[{tried.answer}]")
    else:
        lines.append(f"    {names.answer}: {tried.answer}")
    if tried.has_probabilities:
        lines.append("    probabilities: dict[str, float]")
    return "\n".join(lines)


def _service(columns: Sequence[Column], tried: Tried, names: Names) -> str:
    told = "" if names.answer == "prediction" else f" {names.answer}"
    lines = [
        f"class {names.service}(Service[Row, Result]):",
        f'    """Predicts{told} with {tried.estimator}."""',
        "",
        *(['    outputs = "probabilities"', ""] if tried.has_probabilities else []),
        *_features(columns, tried),
        "",
        *_results(tried, names),
    ]
    return "\n".join(lines)


def _features(columns: Sequence[Column], tried: Tried) -> Iterator[str]:
    if tried.layout == "table":
        yield "    def features(self, rows: Sequence[Row]) -> Features:"
        yield '        """Return the columns by the names that the model was fitted on."""'
        yield "        return {"
        for column in columns:
            yield f"            {_quoted(column.name)}: [row.{column.field} for row in rows],"
        yield "        }"
        return
    yield "    def features(self, rows: Sequence[Row]) -> NDArray[Any]:"
    yield '        """Return one line a row, in the order that the model was fitted on."""'
    dtype = "np.float64" if tried.layout == "matrix" else "object"
    yield "        return np.array("
    yield "            ["
    yield "                ["
    for column in columns:
        yield f"                    row.{column.field},"
    yield "                ]"
    yield "                for row in rows"
    yield "            ],"
    yield f"            dtype={dtype},"
    yield "        )"


def _results(tried: Tried, names: Names) -> Iterator[str]:
    taken = "Classified" if tried.has_probabilities else "NDArray[Any]"
    yield f"    def results(self, predictions: {taken}) -> Sequence[Result]:"
    yield '        """Return one answer a prediction."""'
    if tried.has_probabilities:
        by_class = "each" if tried.answer == "str" else "{str(k): p for k, p in each.items()}"
        yield "        labels = predictions.labels.tolist()"
        yield "        return ["
        yield f"            Result({names.answer}=label, probabilities={by_class})"
        yield "            for label, each in zip(labels, predictions.by_class(), strict=True)"
        yield "        ]"
        return
    column = "[:, 0]" if tried.outputs == 1 else ""
    yield f"        values = predictions{column}.tolist()"
    yield f"        return [Result({names.answer}=value) for value in values]"


def _literal(value: object) -> str:
    return _quoted(value) if isinstance(value, str) else repr(value)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _number(column: Column, value: float) -> str:
    return str(int(value)) if column.kind == "integer" else repr(value)
