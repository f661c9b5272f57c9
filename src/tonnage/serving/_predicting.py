"""
From the rows of several invocations to the answer of each: one call of the model for all of them.
"""

import logging
import re
from collections.abc import Sequence
from itertools import islice
from typing import Any, Final

from tonnage.artefact import LoadedModel
from tonnage.http import Response

from ._calls import CUSTOM_ATTRIBUTES, REQUEST_ID, Call, RequestIds, refusal
from ._formats import UnwritableError

__all__ = ["Answer", "Predicting"]

logger = logging.getLogger(__name__)

_ATTRIBUTES: Final = re.compile(r"[\x20-\x7e]{1,1024}")

Answer = Response | bytes
"""What an invocation is answered; bytes are the body of a 200 in JSON, as most answers are."""


class Predicting:
    """
    Predicts, writes the results, and finds out which invocation a failing model fails on.

    Args:
        model: What predicts.
        ids: The names of requests.

    Attributes:
        attributes: The service's say on custom attributes; None if it has none.
    """

    def __init__(self, model: LoadedModel, ids: RequestIds) -> None:
        self._model = model
        self._ids = ids
        self.attributes = getattr(model.service, "custom_attributes", None)

    def predict(self, calls: list[Call]) -> list[Answer]:
        """Return the answer of each call; one that the model fails on fails alone."""
        rows = [row for call in calls for row in call.rows]
        try:
            results = self._model.predict(rows)
        except Exception as error:  # noqa: BLE001 (the user's code raises what it likes)
            if len(calls) == 1:
                return [self._model_failed(calls[0], error)]
            half = len(calls) // 2
            return self.predict(calls[:half]) + self.predict(calls[half:])
        left = iter(results)
        return [
            next(left) if call.is_plain else self._written(call, tuple(islice(left, call.count)))
            for call in calls
        ]

    def _model_failed(self, call: Call, error: Exception) -> Response:
        request_id = self._ids.of(call)
        logger.error("prediction failed", exc_info=error, extra={"request_id": request_id})
        what = "this row" if call.count == 1 else f"one of these {call.count} rows"
        message = f"the model failed on {what}; the log has the trace"
        return refusal(request_id, 500, "model_error", message)

    def _written(self, call: Call, results: Sequence[bytes]) -> Response:
        try:
            body = call.conversion.target.encode(results, call.shape)
        except UnwritableError as error:
            return refusal(self._ids.of(call), 406, "unsupported_media_type", str(error))
        headers: tuple[tuple[str, str], ...] = ()
        if call.request_id is not None:
            headers = ((REQUEST_ID, call.request_id),)
        attributes = self._custom_attributes(call)
        if attributes is not None:
            headers += ((CUSTOM_ATTRIBUTES, attributes),)
        content_type = call.conversion.content_type
        return Response(status=200, body=body, content_type=content_type, headers=headers)

    def _custom_attributes(self, call: Call) -> str | None:
        """Return what the service has to say to the request's custom attributes."""
        received = call.exchange.request.headers.get(CUSTOM_ATTRIBUTES.lower())
        if received is None or self.attributes is None:
            return None
        extra = {"request_id": call.request_id}
        try:
            answer: Any = self.attributes(received)
        except Exception:
            logger.exception("custom_attributes failed", extra=extra)
            return None
        if answer is None:
            return None
        if not isinstance(answer, str) or not _ATTRIBUTES.fullmatch(answer):
            logger.error("custom_attributes returned no 1 to 1,024 visible characters", extra=extra)
            return None
        return answer
