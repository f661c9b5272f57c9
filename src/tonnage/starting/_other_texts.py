"""
``tonnage.toml`` and ``locustfile.py``, as text that its user edits.
"""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from ._columns import Column

__all__ = ["class_name", "locustfile_text", "service_name", "settings_text"]

ROUTE: Final = "/evaluate"
_RESERVED: Final = frozenset({"Row", "Result", "Service", "Classified", "Features", "Field"})
_LONGEST_NAME: Final = 63

_SERVICE: Final = """\
# Written by `tonnage init`; it is yours to change. Every key: the settings reference.

[service]
name = {name}
handler = "service:{handler}"
model = {model}
artefact = "artefact"            # packed from the model when it is missing or stale
route = "{route}"
"""

_REST: Final = """
[objective]                      # what "carries the load" means
latency = "p99 < 250ms"
errors = "< 0.1%"

[endpoint]
instance_type = "ml.c5.large"    # `tonnage plan` finds the cheapest that holds the load
initial_instance_count = 1

[scaling]
enabled = false                  # `tonnage line`, then `tonnage plan`: it finds the target value
min_capacity = 1
max_capacity = 10

[load]
users = 100
spawn_rate = "20/s"
pacing = "1s"                    # each user asks once a second
{locustfile}
[local]
provisioning_delay = "5m"        # from a decision to a new instance, as on AWS
time_scale = 20                  # a CloudWatch minute lasts three seconds; rates are not compressed

[aws]
region = "us-east-1"
stack = {name}
"""

_HANDLER: Final = """\
# Written by `tonnage init`; it is yours to change. Every key: the settings reference.

[service]
name = {name}
model = {model}                  # served as it is: tonnage serve {shown}
route = "/invocations"
"""


def settings_text(
    name: str, *, handler: str | None, model: str, data: str | None, locustfile: str | None
) -> str:
    """
    Return ``tonnage.toml``.

    Args:
        name: Of service and stack.
        handler: The service's class in ``service.py``; None for a handler that runs as it is.
        model: The model, seen from the settings.
        data: The rows to compare predictions on, likewise; None draws them from the schema.
        locustfile: The users, likewise.
    """
    quoted = {"name": _quoted(name), "model": _quoted(model)}
    if handler is None:
        head = _HANDLER.format(**quoted, shown=model)
    else:
        head = _SERVICE.format(**quoted, handler=handler, route=ROUTE)
        head += f"data = {_quoted(data)}  # rows to compare predictions on\n" if data else ""
    told = f"locustfile = {_quoted(locustfile)}\n" if locustfile else ""
    return head + _REST.format(name=quoted["name"], locustfile=told)


def locustfile_text(columns: Sequence[Column], service: str) -> str:
    """Return a locustfile whose users ask for rows as the sample has them."""
    return "\n".join(
        [
            '"""',
            f"The load on {service}. `tonnage init` wrote it; it is yours to change.",
            "",
            "    locust -f locustfile.py --host http://127.0.0.1:8000",
            "",
            "`tonnage load` runs the same file.",
            '"""',
            "",
            "import random",
            "",
            "from locust import task",
            "from tonnage.loadtest.in_locust.users import PacedUser",
            "",
            "",
            "class Caller(PacedUser):",
            '    """Somebody who asks for a prediction once a second."""',
            "",
            "    @task",
            "    def ask(self) -> None:",
            '        """Ask for one row."""',
            "        row = {",
            *(f"            {line}" for column in columns for line in _drawn(column)),
            "        }",
            f'        self.client.post("{ROUTE}", json=row)',
            "",
        ]
    )


def _drawn(column: Column) -> Iterator[str]:
    name = _quoted(column.name)
    if column.kind == "integer":
        yield f"{name}: random.randint({int(column.low)}, {int(column.high)}),"
    elif column.kind == "number":
        yield f"{name}: random.uniform({column.low!r}, {column.high!r}),"
    elif column.kind == "boolean":
        yield f"{name}: random.random() < 0.5,"
    else:
        words = [_quoted(str(one)) for one in column.choices or column.examples]
        yield f"{name}: random.choice("
        yield "    ["
        yield from (f"        {word}," for word in words)
        yield "    ]"
        yield "),"


def service_name(directory: Path) -> str:
    """Return a directory's name as SageMaker takes names of endpoints."""
    words = re.findall(r"[A-Za-z0-9]+", directory.resolve().name)
    return "-".join(words)[:_LONGEST_NAME].strip("-") or "service"


def class_name(name: str) -> str:
    """Return a service's name as the name of its class."""
    chosen = "".join(word[:1].upper() + word[1:] for word in name.split("-"))
    if not chosen[:1].isalpha() or chosen in _RESERVED:
        return "Model"
    return chosen


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
