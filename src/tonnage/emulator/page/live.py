"""
The live page: what it is made of, and what answers its browser.
"""

import asyncio
import json
import re
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from html import escape
from importlib import resources
from string import Template
from typing import Any, Final
from urllib.parse import parse_qsl

from tonnage.api import Front, Invocation, InvocationResult
from tonnage.artefact import LoadedService
from tonnage.domain import format_rate
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator.options import LocalOptions
from tonnage.http import Request, Response

from .facts import Facts, Watched
from .fields import fields_of, row_of
from .history import KEPT_SECONDS, Histories, Sample
from .model import Answer, Curve, CurveMaker, ask
from .rendering import (
    answer_html,
    calls_html,
    curve_html,
    field_html,
    moving_parts,
    news,
    options_html,
)
from .static import HEADERS, ChartLibrary, StaticFile, fresh_or_unchanged

__all__ = ["LivePage"]

_HTML: Final = "text/html; charset=utf-8"
_PREFIX: Final = "row."
_FIRST_PAINT_SECONDS: Final = 1.0
_HOST: Final = re.compile(r"[A-Za-z0-9._~\[\]:-]+")
Answering = Response | Awaitable[Response]


class LivePage:
    """
    A page for people who would rather look than read.

    Args:
        service: The service behind the REST API.
        front: The REST API.
        invoke: Carries a valid request to the endpoint.
        sagemaker: What is watched.
        scaling: What scales it.
        endpoint_name: The endpoint behind the REST API.
        route: The REST API's path for predictions.
        local: How this machine stands in for AWS.
        charts: The command that prints the script that draws charts; empty without charts.
    """

    def __init__(
        self,
        *,
        service: LoadedService,
        front: Front,
        invoke: Callable[[Invocation], Awaitable[InvocationResult]],
        sagemaker: LocalSageMaker,
        scaling: ScalingControl,
        endpoint_name: str,
        route: str,
        local: LocalOptions,
        charts: Sequence[str] = (),
    ) -> None:
        golden = service.manifest.golden.rows
        self._service = service
        self._front = front
        self._invoke = invoke
        self._endpoint_name = endpoint_name
        self._route = route
        self._local = local
        self._results = service.manifest.result_schema.get("properties", {})
        self._fields = fields_of(front.row_schema(), golden[0] if golden else None)
        self._facts = Facts(sagemaker, scaling)
        self._curves = CurveMaker(
            front, self._fields, lambda: sagemaker.endpoints.get(endpoint_name)
        )
        self._library = ChartLibrary(charts)
        self._wall = scaling.book.wall
        store = scaling.cloudwatch.store
        self._histories = Histories(
            lambda: (
                variant
                for each in tuple(sagemaker.endpoints.values())
                for variant in tuple(each.variants.values())
            ),
            sagemaker.clock,
            newest_period=lambda: store.newest_period(60.0, sagemaker.clock.now_seconds()),
            alarms=self._facts.alarm_states,
        )
        self._run = f"{self._wall.now_epoch_seconds():.3f}"
        self._template = Template(
            resources.files(__package__).joinpath("assets", "page.html").read_text("utf-8")
        )

    def pages(self) -> Mapping[tuple[str, str], Callable[[Request], Answering]]:
        """Return what answers, by method and path."""
        return {
            ("GET", "/"): self.index,
            ("GET", "/_tonnage/page.json"): self.seconds,
            ("GET", "/_tonnage/answer.json"): self.answer,
            ("GET", "/_tonnage/curve.json"): self.curve,
            ("GET", "/_tonnage/page.js"): StaticFile("page.js", "text/javascript; charset=utf-8"),
            ("GET", "/_tonnage/page.css"): StaticFile("page.css", "text/css; charset=utf-8"),
            ("GET", "/_tonnage/icon.svg"): StaticFile("icon.svg", "image/svg+xml"),
            ("GET", "/_tonnage/vega.js"): self._library.answer,
        }

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take samples as long as the block lasts."""
        task = asyncio.create_task(self._histories.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await self._library.close()

    def index(self, request: Request) -> Answering:
        """Return the page; a program that does not ask for one gets the REST API's own index."""
        accept = request.headers.get("accept", "")
        if "text/html" in accept or ("*/*" in accept and "json" not in accept):
            return self._page(request)
        told = self._front.accept(request.method, "/", request.headers, b"")
        assert not isinstance(told, Invocation)
        return Response(
            status=told.status,
            body=told.body,
            content_type=told.content_type,
            headers=(("Vary", "Accept"),),
        )

    def seconds(self, request: Request) -> Response:
        """Return the samples since one, and the parts that have changed."""
        query = _query(request)
        names = self._facts.names()
        watched = self._chosen(query, names)
        if watched is None:
            return _as_json({"run": self._run, "names": names, "watch": None})
        variant = watched.variant
        samples = self._samples(watched)
        since = _whole(query.get("since", ""))
        parts = {
            identity: (_version(part), part)
            for identity, part in moving_parts(watched, samples, self._wall).items()
        }
        held = set(query.get("have", "").split(","))
        return _as_json(
            {
                "run": self._run,
                "names": names,
                "watch": [variant.endpoint_name, variant.variant_name],
                "target": watched.target_value,
                "news": news(watched),
                "samples": [asdict(sample) for sample in samples if sample.number > since],
                "parts": {
                    identity: {"version": version, "html": part}
                    for identity, (version, part) in parts.items()
                    if f"{identity}.{version}" not in held
                },
            }
        )

    async def answer(self, request: Request) -> Response:
        """Put the row that was entered to the REST API and return its answer, in HTML."""
        answer = await self._asked(_query(request))
        return _as_json(
            {
                "html": answer_html(answer, self._results),
                "calls": self._calls(request, answer.row),
                **_told(answer),
            }
        )

    async def curve(self, _request: Request) -> Response:
        """Return the curve; without one, nothing."""
        curve = await self._curves.curve(patience_seconds=30.0)
        if curve is None or not curve.points:
            return _as_json(None)
        return _as_json(
            {
                "field": curve.field.name,
                "fieldTitle": _titled(curve.field.name, curve.field.unit),
                "result": curve.result,
                "resultTitle": _titled(curve.result, self._unit(curve.result)),
                "points": curve.points,
                "html": curve_html(curve, self._unit(curve.result)),
            }
        )

    async def _page(self, request: Request) -> Response:
        query = _query(request)
        is_asked = "ask" in query
        example = {field.name: field.example for field in self._fields}
        row = row_of(self._fields, _entered(query)) if is_asked else _example_row(example)
        answer = await (self._asked(query) if is_asked else self._curves.peek(row))
        curve = await self._curves.curve(patience_seconds=_FIRST_PAINT_SECONDS)
        entered = row if isinstance(row, Mapping) and is_asked else example
        names = self._facts.names()
        watched = self._chosen(query, names)
        body = self._template.substitute(
            self._static_parts(request, row),
            fields="".join(
                field_html(field, entered.get(field.name) if field.name else row)
                for field in self._fields
            ),
            answer=answer_html(answer, self._results),
            told=escape(json.dumps(_told(answer))),
            curve=self._curve_part(curve),
            no_curve="" if curve and curve.points else " hidden",
            **self._watch_parts(watched, names),
        )
        vary = ("Vary", "Accept")
        return fresh_or_unchanged(request, body.encode(), _HTML, vary)

    def _static_parts(self, request: Request, row: object) -> dict[str, str]:
        described = (self._service.service.__doc__ or "").strip().splitlines()
        return {
            "name": escape(self._endpoint_name),
            "description": escape(described[0] if described else "A model's service."),
            "route": escape(self._route),
            "time": escape(self._time_words()),
            "time_scale": f"{self._local.time_scale:g}",
            "kept": str(KEPT_SECONDS),
            "charts": "/_tonnage/vega.js" if self._library.command else "",
            "charts_note": "" if self._library.command else _NO_CHARTS,
            "open": "" if self._library.command else " open",
            "calls": self._calls(request, row),
        }

    def _watch_parts(
        self, watched: Watched | None, names: Sequence[tuple[str, str]]
    ) -> dict[str, str]:
        if watched is None:
            nothing = '<p class="hint">There is no endpoint now.</p>'
            parts = dict.fromkeys(("alarms", "activities", "instances", "recent"), nothing)
            return {**parts, "summary": "", "options": "", "watch": ""}
        variant = watched.variant
        chosen = variant.endpoint_name, variant.variant_name
        return {
            **moving_parts(watched, self._samples(watched), self._wall),
            "options": options_html(names, chosen),
            "watch": escape("/".join(chosen)),
        }

    def _curve_part(self, curve: Curve | None) -> str:
        if curve is None or not curve.points:
            return ""
        return curve_html(curve, self._unit(curve.result))

    def _chosen(self, query: Mapping[str, str], names: Sequence[tuple[str, str]]) -> Watched | None:
        """Return the variant that was asked for, or that of the REST API, or any."""
        endpoint_name, _, variant_name = query.get("watch", "").partition("/")
        wanted = (endpoint_name, variant_name)
        own = [pair for pair in names if pair[0] == self._endpoint_name]
        for pair in (*(pair for pair in names if pair == wanted), *own, *names):
            return self._facts.watched(*pair)
        return None

    def _samples(self, watched: Watched) -> list[Sample]:
        variant = watched.variant
        return self._histories.since(variant.endpoint_name, variant.variant_name, 0)

    async def _asked(self, query: Mapping[str, str]) -> Answer:
        return await ask(self._front, row_of(self._fields, _entered(query)), self._invoke)

    def _calls(self, request: Request, row: object) -> str:
        host = request.headers.get("host", "")
        return calls_html(
            url=f"http://{host if _HOST.fullmatch(host) else '127.0.0.1:8000'}",
            route=self._route,
            endpoint_name=self._endpoint_name,
            row=row,
        )

    def _unit(self, result: str) -> str:
        return str(self._results.get(result, {}).get("unit", ""))

    def _time_words(self) -> str:
        scale = self._local.time_scale
        words = "Time runs as on AWS."
        if scale != 1:
            minutes = KEPT_SECONDS / 60
            words = (
                f"Time is compressed: time_scale {scale:g}, so {minutes:g} minutes here are"
                f" {minutes * scale:g} of AWS's. Rates and latencies are not."
            )
        if self._local.capacity is not None:
            rate = format_rate(self._local.capacity.rate_per_second)
            words += f" Each instance carries {rate}: an emulated cap."
        return words


_NO_CHARTS: Final = (
    '<p class="notice">Shown as numbers: this endpoint was started without charts. '
    "<code>tonnage up</code> draws them when the report extra is installed: "
    "<code>pip install 'tonnage[report]'</code>.</p>"
)


def _told(answer: Answer) -> dict[str, Any]:
    return {"row": answer.row, "value": answer.value if answer.is_prediction else None}


def _query(request: Request) -> dict[str, str]:
    try:
        return dict(parse_qsl(request.query, keep_blank_values=True, max_num_fields=1000))
    except ValueError:  # more fields than any form has
        return {}


def _entered(query: Mapping[str, str]) -> dict[str, str]:
    return {
        name.removeprefix(_PREFIX): text for name, text in query.items() if name.startswith(_PREFIX)
    }


def _example_row(example: Mapping[str, Any]) -> Any:  # noqa: ANN401 (any JSON)
    if example.keys() == {""}:
        return json.loads(example[""])
    return {name: value for name, value in example.items() if value is not None}


def _whole(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 18 else 0  # noqa: PLR2004 (digits)


def _titled(name: str, unit: str) -> str:
    return f"{name}, {unit}" if unit else name


def _version(part: str) -> str:
    return f"{zlib.crc32(part.encode()):08x}"


def _as_json(value: object) -> Response:
    headers = (*HEADERS, ("Cache-Control", "no-store"))
    return Response(status=200, body=json.dumps(value).encode(), headers=headers)
