"""
Draw the pictures of ``docs/explanation/how-sagemaker-scales.md`` from the simulator.

    .venv/bin/python benchmarks/planning/scaling_pictures.py
"""

from pathlib import Path

from tonnage.domain import RateProfile, parse_profile
from tonnage.reporting.plan_report import PlanFigure, write_picture
from tonnage.reporting.planning_figures import PlanTimeline, timeline_chart
from tonnage.simulation import FleetModel, ScalableTarget, TargetTrackingPolicy, simulate

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
LINE_PER_SECOND = 600.0
RAMP = parse_profile("ramp(0/s, 1000/s, 1000s)")
RISE_AND_FALL = parse_profile(
    "constant(200/s, 10m) then ramp(200/s, 1000/s, 10m) then constant(1000/s, 20m)"
    " then ramp(1000/s, 200/s, 10m) then constant(200/s, 70m)"
)


def draw(
    name: str,
    title: str,
    caption: str,
    *,
    traffic: RateProfile,
    target_value: float,
    max_capacity: int = 10,
    cooldown_seconds: float = 60.0,
    metric_delay_seconds: float = 0.0,
) -> None:
    """Simulate one policy on some traffic and write its picture."""
    result = simulate(
        traffic,
        TargetTrackingPolicy.of(
            target_value=target_value,
            scale_in_cooldown_seconds=cooldown_seconds,
            scale_out_cooldown_seconds=cooldown_seconds,
        ),
        ScalableTarget.of(min_capacity=1, max_capacity=max_capacity),
        FleetModel(
            line_per_second=LINE_PER_SECOND,
            provisioning_delay_seconds=300.0,
            metric_delay_seconds=metric_delay_seconds,
        ),
    )
    timeline = result.timeline
    assert timeline is not None
    spans = result.tick_spans
    chart = timeline_chart(
        PlanTimeline(
            title=title,
            seconds=timeline.seconds,
            offered_per_second=timeline.offered / spans,
            failed_per_second=timeline.failed[:, 0] / spans,
            capacity_per_second=timeline.in_service[:, 0] * LINE_PER_SECOND,
            desired=timeline.desired[:, 0].astype(float),
            in_service=timeline.in_service[:, 0].astype(float),
        )
    )
    figure = PlanFigure(name=name, title=title, caption=caption, chart=chart)
    write_picture(figure, PICTURES / f"{name}.png")
    print(
        f"{name}: {result.failed_fraction[0]:.2%} failed,"
        f" {result.instance_hours[0]:.3f} instance-hours, {result.instances()}"
    )
    for activity in result.activities_of():
        print("  ", activity.at_seconds, activity.from_count, "->", activity.to_count)


def main() -> None:
    """Draw them all."""
    draw(
        "scaling-target-60",
        "A target of 60: all nine at minute 3, there at minute 8",
        "One request per second and instance: the first alarm asks for 150 and gets ten.",
        traffic=RAMP,
        target_value=60,
    )
    draw(
        "scaling-target-18000",
        "A target of 18,000, AWS's recipe: asked for at minute 8, there at minute 13",
        "Half of what an instance carries: the ramp passes 600 per second three minutes earlier.",
        traffic=RAMP,
        target_value=18_000,
    )
    draw(
        "scaling-target-3000",
        "A target of 3,000 and at most two instances: enough, at a quarter of the hours",
        "Asked for at minute 4, there at minute 9, when 540 users are on.",
        traffic=RAMP,
        target_value=3000,
        max_capacity=2,
    )
    draw(
        "scaling-rise-and-fall",
        "Out within minutes, in after a quarter of an hour",
        "Cooldowns of 5 minutes, a datapoint 1 minute late. What goes in needs 15 low minutes.",
        traffic=RISE_AND_FALL,
        target_value=15_000,
        cooldown_seconds=300,
        metric_delay_seconds=60,
    )


if __name__ == "__main__":
    main()
