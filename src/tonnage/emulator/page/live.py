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
from typing import Final

from tonnage.api import Front, Invocation, InvocationResult
from tonnage.artefact import LoadedService
from tonnage.emulator._local import LocalSageMaker
from tonnage.emulator._metrics import PERIOD_SECONDS
from tonnage.emulator._scaler import ScalingControl
from tonnage.emulator.options import LocalOptions
from tonnage.http import Request, Response

from .document import Asked, Document, Shown, told
from .facts import Facts, Watched
from .fields import example_row, fields_of, row_of
from .history import Histories, Sample
from .markup import with_unit
from .model import Answer, CurveMaker, ask
from .moving import fault_words, moving_parts, news
from .queries import entered_of, query_of, whole_of
from .static import HEADERS, ChartLibrary, StaticFile, fresh_or_unchanged

__all__ = ["LivePage"]

_HTML: Final = "text/html; charset=utf-8"
_FIRST_PAINT_SECONDS: Final = 1.0
_CURVE_SECONDS: Final = 30.0
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
        self._front = front
        self._invoke = invoke
        self._endpoint_name = endpoint_name
        self._fields = fields_of(front.row_schema(), golden[0] if golden else None)
        self._facts = Facts(sagemaker, scaling)
        self._curves = CurveMaker(
            front, self._fields, lambda: sagemaker.endpoints.get(endpoint_name)
        )
        self._library = ChartLibrary(charts)
        self._document = Document(
            service=service,
            endpoint_name=endpoint_name,
            route=route,
            fields=self._fields,
            local=local,
            has_charts=bool(charts),
        )
        self._wall = scaling.book.wall
        store, clock = scaling.cloudwatch.store, sagemaker.clock
        self._histories = Histories(
            sagemaker.all,
            clock,
            newest_period=lambda: store.newest_period(PERIOD_SECONDS, clock.now_seconds()),
            alarms=self._facts.alarm_states,
        )
        self._run = f"{self._wall.now_epoch_seconds():.3f}"

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
        own = self._front.accept(request.method, "/", request.headers, b"")
        assert not isinstance(own, Invocation)
        return Response(
            status=own.status,
            body=own.body,
            content_type=own.content_type,
            headers=(("Vary", "Accept"),),
        )

    def seconds(self, request: Request) -> Response:
        """Return the samples since one, and the parts that have changed."""
        query = query_of(request)
        names = self._facts.names()
        watched = self._facts.chosen(names, query.get("watch", ""), self._endpoint_name)
        if watched is None:
            return _as_json({"run": self._run, "names": names, "watch": None})
        variant = watched.variant
        samples = self._samples(watched)
        since = whole_of(query.get("since", ""))
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
                "faults": [
                    {
                        "at_seconds": fault.at_seconds - self._histories.origin_seconds,
                        "words": fault_words(fault),
                    }
                    for fault in watched.faults
                ],
                "parts": {
                    identity: {"version": version, "html": part}
                    for identity, (version, part) in parts.items()
                    if f"{identity}.{version}" not in held
                },
            }
        )

    async def answer(self, request: Request) -> Response:
        """Put the row that was entered to the REST API and return its answer, in HTML."""
        answer = await self._asked(query_of(request))
        return _as_json(
            {
                "html": self._document.answer(answer),
                "calls": self._document.calls(_url(request), answer.row),
                **told(answer),
            }
        )

    async def curve(self, _request: Request) -> Response:
        """Return the curve; without one, nothing."""
        curve = await self._curves.curve(patience_seconds=_CURVE_SECONDS)
        if curve is None or not curve.points:
            return _as_json(None)
        unit = self._document.unit_of(curve.result)
        return _as_json(
            {
                "field": curve.field.name,
                "fieldTitle": with_unit(curve.field.name, curve.field.unit),
                "result": curve.result,
                "resultTitle": with_unit(curve.result, unit),
                "points": curve.points,
                "html": self._document.curve(curve),
            }
        )

    async def _page(self, request: Request) -> Response:
        query = query_of(request)
        is_asked = "ask" in query
        example = {field.name: field.example for field in self._fields}
        row = row_of(self._fields, entered_of(query)) if is_asked else example_row(example)
        answer = await (self._asked(query) if is_asked else self._curves.peek(row))
        asked = Asked(
            url=_url(request),
            row=row,
            entered=row if isinstance(row, Mapping) and is_asked else example,
            answer=answer,
            curve=await self._curves.curve(patience_seconds=_FIRST_PAINT_SECONDS),
        )
        body = self._document.html(asked, self._shown(query))
        return fresh_or_unchanged(request, body.encode(), _HTML, ("Vary", "Accept"))

    def _shown(self, query: Mapping[str, str]) -> Shown:
        names = self._facts.names()
        watched = self._facts.chosen(names, query.get("watch", ""), self._endpoint_name)
        if watched is None:
            return Shown(chosen=None, names=names, parts={})
        return Shown(
            chosen=(watched.variant.endpoint_name, watched.variant.variant_name),
            names=names,
            parts=moving_parts(watched, self._samples(watched), self._wall),
        )

    def _samples(self, watched: Watched) -> list[Sample]:
        variant = watched.variant
        return self._histories.since(variant.endpoint_name, variant.variant_name, 0)

    async def _asked(self, query: Mapping[str, str]) -> Answer:
        return await ask(self._front, row_of(self._fields, entered_of(query)), self._invoke)


def _url(request: Request) -> str:
    """Return where the browser found the page: a host that could be markup is not given back."""
    host = request.headers.get("host", "")
    return f"http://{host if _HOST.fullmatch(host) else '127.0.0.1:8000'}"


def _version(part: str) -> str:
    return f"{zlib.crc32(part.encode()):08x}"


def _as_json(value: object) -> Response:
    headers = (*HEADERS, ("Cache-Control", "no-store"))
    return Response(status=200, body=json.dumps(value).encode(), headers=headers)
