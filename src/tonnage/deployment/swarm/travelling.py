"""
A plan on its way to the tasks: as JSON values, and back.

What only one machine can mean stays behind: ports, processes, and the moment of the start.
"""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError, parse_profile
from tonnage.loadtest import LoadPlan, OpenLoopPlan, Payload, SageMakerEndpoint

__all__ = ["plan_from", "plan_told"]

_OF_ONE_MACHINE: Final = frozenset(
    {"workers", "hosts", "master_port", "web_port", "start_at_monotonic_seconds"}
)
_AS_THEY_ARE: Final = (
    *("url", "arrivals", "timeout_seconds", "max_outstanding"),
    *("seed", "i_own", "name", "title"),
)
_ROUNDING: Final = 1e-9


def plan_told(plan: LoadPlan | OpenLoopPlan) -> dict[str, Any]:
    """
    Return a plan as JSON values.

    Raises:
        ConfigurationError: If its traffic, or what it sends, cannot be told to another machine.
    """
    if isinstance(plan, OpenLoopPlan):
        return {"open_loop": _open_loop_told(plan)}
    told = {name: value for name, value in asdict(plan).items() if name not in _OF_ONE_MACHINE}
    # The file itself is in the image.
    return {
        "closed_loop": {**told, "locustfile": plan.locustfile.name if plan.locustfile else None}
    }


def plan_from(told: Mapping[str, Any], files: Path) -> LoadPlan | OpenLoopPlan:
    """
    Return the plan that ``plan_told`` told.

    Args:
        told: The JSON values.
        files: Where a locustfile is now.
    """
    if "open_loop" in told:
        return _open_loop(told["open_loop"])
    values = told["closed_loop"]
    locustfile = values["locustfile"]
    return LoadPlan(
        **{
            **values,
            "locustfile": None if locustfile is None else files / locustfile,
            "ranges": {name: (low, high) for name, (low, high) in values["ranges"].items()},
            "bodies": tuple(values["bodies"]),
        }
    )


def _open_loop_told(plan: OpenLoopPlan) -> dict[str, Any]:
    _check_text(plan)
    if plan.payload.function is not None:
        raise ConfigurationError(
            f"{plan.payload.function} is on this machine, and not in the swarm's tasks",
            hint="give a --body; without one it is drawn from the service's schema",
        )
    return {
        **{name: getattr(plan, name) for name in _AS_THEY_ARE},
        "profile": plan.profile_text,
        "payload": {
            "body": plan.payload.body,
            "ranges": {name: list(pair) for name, pair in plan.payload.ranges.items()},
            "bodies": list(plan.payload.bodies),
        },
        "sagemaker": asdict(plan.sagemaker) if plan.sagemaker else None,
    }


def _check_text(plan: OpenLoopPlan) -> None:
    """Refuse a profile that its own text does not tell: the tasks have nothing but the text."""
    advice = "write its rates as a profile, e.g. 'ramp(0/s, 4000/s, 10m)'"
    try:
        said = parse_profile(plan.profile_text)
    except ConfigurationError as error:
        raise ConfigurationError(
            f"a swarm cannot be told this traffic: {error}", hint=advice
        ) from error
    ends = said.duration_seconds, plan.duration_seconds
    counts = [float(each.arrivals_by(ends[1])) for each in (said, plan.profile)]
    if abs(ends[0] - ends[1]) > _ROUNDING * ends[1] or abs(counts[0] - counts[1]) > (
        _ROUNDING * counts[1]
    ):
        raise ConfigurationError(
            f"{plan.profile_text!r} tells another traffic than the plan's", hint=advice
        )


def _open_loop(values: Mapping[str, Any]) -> OpenLoopPlan:
    payload, sagemaker = values["payload"], values["sagemaker"]
    return OpenLoopPlan(
        **{name: values[name] for name in _AS_THEY_ARE},
        profile=parse_profile(values["profile"]),
        profile_text=values["profile"],
        payload=Payload(
            body=payload["body"],
            ranges={name: (low, high) for name, (low, high) in payload["ranges"].items()},
            bodies=tuple(payload["bodies"]),
        ),
        sagemaker=SageMakerEndpoint(**sagemaker) if sagemaker else None,
    )
