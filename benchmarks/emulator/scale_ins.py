"""
Two hundred scale-ins under load: how many requests are lost.

    python benchmarks/emulator/scale_ins.py [--output FILE] [--scale-ins 200]

An endpoint goes from four instances to one and back, again and again, by
``UpdateEndpointWeightsAndCapacities``, under constant arrivals. Lost is every request without
a 200.
"""

import argparse
import json
import threading
import time
from collections import Counter
from pathlib import Path

import fixtures

from tonnage.domain import PiecewiseRate
from tonnage.emulator import up_in_background
from tonnage.loadtest import OpenLoopSession, Payload

MOST = 4
RATE_PER_SECOND = 400.0
STRETCH_SECONDS = 10.0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).with_suffix(".json"))
    parser.add_argument("--scale-ins", type=int, default=200)
    arguments = parser.parse_args()
    at, statuses = fixtures.machine(), Counter[int]()
    began = time.monotonic()
    with (
        fixtures.packed_example() as artefact,
        up_in_background(fixtures.up_options(artefact, MOST)) as endpoint,
        OpenLoopSession.start(f"{endpoint.url}/evaluate", Payload(body={"distance": 150})) as load,
    ):
        client = fixtures.control_plane(endpoint.url)
        failed: list[BaseException] = []

        def ask_for(count: int) -> None:
            client.update_endpoint_weights_and_capacities(
                EndpointName=fixtures.NAME,
                DesiredWeightsAndCapacities=[
                    {"VariantName": fixtures.VARIANT, "DesiredInstanceCount": count}
                ],
            )
            described = client.describe_endpoint(EndpointName=fixtures.NAME)
            while described["EndpointStatus"] != "InService":
                time.sleep(0.01)
                described = client.describe_endpoint(EndpointName=fixtures.NAME)

        def scale() -> None:
            try:
                for _ in range(arguments.scale_ins):
                    ask_for(1)
                    ask_for(MOST)
            except BaseException as error:  # noqa: BLE001 (told below: a thread's end is silent)
                failed.append(error)

        scaling = threading.Thread(target=scale)
        scaling.start()
        while scaling.is_alive():
            trial = load.trial(
                PiecewiseRate.constant(RATE_PER_SECOND, STRETCH_SECONDS), drain_seconds=2.0
            )
            statuses.update(trial.samples.status.tolist())
        scaling.join()
        if failed:
            raise failed[0]
    record = {
        "what": "requests lost over scale-ins from four instances to one, under load",
        "machine": at,
        "settings": {"scale_ins": arguments.scale_ins, "rate_per_second": RATE_PER_SECOND},
        "seconds": round(time.monotonic() - began, 1),
        "requests": statuses.total(),
        "lost": statuses.total() - statuses[200],
        "by_status": {str(status): count for status, count in sorted(statuses.items())},
    }
    arguments.output.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
