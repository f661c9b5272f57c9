"""
The page as one document, whole at its first paint: the browser's script only changes parts of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final

from tonnage.artefact import LoadedService
from tonnage.domain import format_rate
from tonnage.emulator.options import LocalOptions

from .fields import Field
from .form import answer_html, calls_html, curve_html, field_html
from .history import KEPT_SECONDS
from .model import Answer, Curve
from .moving import options_html

__all__ = ["Asked", "Document", "Shown", "told"]

_NO_CHARTS: Final = (
    '<p class="notice">Shown as numbers: this endpoint was started without charts. '
    "<code>tonnage up</code> draws them when the report extra is installed: "
    "<code>pip install 'tonnage[report]'</code>.</p>"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """
    What the model was asked, and what there is to tell of it.

    Attributes:
        url: Where the browser found the page.
        row: The row.
        entered: What the form's fields hold, by their names.
        answer: What the REST API answered.
        curve: The curve, None while there is none.
    """

    url: str
    row: Any
    entered: Mapping[str, Any]
    answer: Answer
    curve: Curve | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Shown:
    """
    The variant that is watched.

    Attributes:
        chosen: Its endpoint and its name; None while there is none.
        names: Those to choose from.
        parts: What moves, by the id of the element it goes into.
    """

    chosen: tuple[str, str] | None
    names: Sequence[tuple[str, str]]
    parts: Mapping[str, str]


class Document:
    """
    The template, filled with what stays the same.

    Args:
        service: The service behind the REST API.
        endpoint_name: Its endpoint.
        route: The REST API's path for predictions.
        fields: What a row is made of.
        local: How this machine stands in for AWS.
        has_charts: Whether there is a library that draws charts.
    """

    def __init__(
        self,
        *,
        service: LoadedService,
        endpoint_name: str,
        route: str,
        fields: Sequence[Field],
        local: LocalOptions,
        has_charts: bool,
    ) -> None:
        described = (service.service.__doc__ or "").strip().splitlines()
        self._endpoint_name = endpoint_name
        self._route = route
        self._fields = fields
        self._results = service.manifest.result_schema.get("properties", {})
        self._template = Template(
            resources.files(__package__).joinpath("assets", "page.html").read_text("utf-8")
        )
        self._same = {
            "name": escape(endpoint_name),
            "description": escape(described[0] if described else "A model's service."),
            "route": escape(route),
            "time": escape(_time_words(local)),
            "time_scale": f"{local.time_scale:g}",
            "kept": str(KEPT_SECONDS),
            "charts": "/_tonnage/vega.js" if has_charts else "",
            "charts_note": "" if has_charts else _NO_CHARTS,
            "open": "" if has_charts else " open",
        }

    def html(self, asked: Asked, shown: Shown) -> str:
        """Return the page."""
        return self._template.substitute(
            self._same,
            fields="".join(
                field_html(field, asked.entered.get(field.name) if field.name else asked.row)
                for field in self._fields
            ),
            answer=self.answer(asked.answer),
            told=escape(json.dumps(told(asked.answer))),
            calls=self.calls(asked.url, asked.row),
            curve=self.curve(asked.curve) if asked.curve and asked.curve.points else "",
            no_curve="" if asked.curve and asked.curve.points else " hidden",
            **_watched_parts(shown),
        )

    def answer(self, answer: Answer) -> str:
        """Return what the REST API answered."""
        return answer_html(answer, self._results)

    def calls(self, url: str, row: object) -> str:
        """Return the same request as command lines."""
        return calls_html(url=url, route=self._route, endpoint_name=self._endpoint_name, row=row)

    def curve(self, curve: Curve) -> str:
        """Return a curve as numbers."""
        return curve_html(curve, self.unit_of(curve.result))

    def unit_of(self, result: str) -> str:
        """Return what one of the service's results is measured in; empty if it does not say."""
        return str(self._results.get(result, {}).get("unit", ""))


def told(answer: Answer) -> dict[str, Any]:
    """Return what the curve's chart is told of an answer."""
    return {"row": answer.row, "value": answer.value if answer.is_prediction else None}


def _watched_parts(shown: Shown) -> dict[str, str]:
    if shown.chosen is None:
        nothing = '<p class="hint">There is no endpoint now.</p>'
        parts = dict.fromkeys(("alarms", "activities", "instances", "recent"), nothing)
        return {**parts, "summary": "", "options": "", "watch": ""}
    return {
        **shown.parts,
        "options": options_html(shown.names, shown.chosen),
        "watch": escape("/".join(shown.chosen)),
    }


def _time_words(local: LocalOptions) -> str:
    scale = local.time_scale
    words = "Time runs as on AWS."
    if scale != 1:
        minutes = KEPT_SECONDS / 60
        words = (
            f"Time is compressed: time_scale {scale:g}, so {minutes:g} minutes here are"
            f" {minutes * scale:g} of AWS's. Rates and latencies are not."
        )
    if local.capacity is not None:
        rate = format_rate(local.capacity.rate_per_second)
        words += f" Each instance carries {rate}: an emulated cap."
    return words
