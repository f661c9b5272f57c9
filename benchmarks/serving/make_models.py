"""
Fit the two models, pack them, and write the request bodies with the answers they must get.

Run by ``run.py`` in Tonnage's own environment; everything goes to the directory it is given.
"""

import dataclasses
import json
import sys
from pathlib import Path

import joblib
import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestRegressor
from sklearn.linear_model import LinearRegression
from skops.io import dumps

from tonnage.artefact import FileEntry, LoadedModel, Manifest, pack, predict_golden

HERE = Path(__file__).resolve().parent
EXAMPLE = HERE.parents[1] / "examples" / "real_estate"
TREES = 100
ROWS = 100


def main(directory: Path) -> None:
    """Write models, artefacts and bodies."""
    directory.mkdir(parents=True, exist_ok=True)
    with (EXAMPLE / "data" / "real_estate.csv").open() as lines:
        names = lines.readline().strip().split(",")
        sales = np.loadtxt(lines, delimiter=",")
    fields, prices = sales[:, :6], sales[:, names.index("unit_price")]
    distances = np.log(sales[:, [names.index("mrt_distance")]])
    linear = LinearRegression().fit(distances, prices)
    forest = RandomForestRegressor(TREES, random_state=0, n_jobs=1).fit(fields, prices)
    _write_bodies(directory, names[:6], fields, linear, forest)
    services = HERE / "servers" / "tonnage"
    for name, model, handler, code in (
        ("linear", linear, "service:RealEstate", EXAMPLE),
        ("forest", forest, "forest:Forest", services),
        ("slow", linear, "slow:Slow", services),
    ):
        source = directory / f"{name}.joblib"
        joblib.dump(model, source)
        compiled = directory / f"{name}-onnx"
        report = pack(source, service=handler, output=compiled, code=code)
        print(name, report.manifest.model.considered)
        _as_skops(model, compiled, directory / f"{name}-skops")


def _as_skops(model: BaseEstimator, compiled: Path, output: Path) -> None:
    """Write the same artefact with scikit-learn's own model in place of the compiled one."""
    content = dumps(model)
    manifest = Manifest.read(compiled)
    entry = dataclasses.replace(
        manifest.model,
        format="skops",
        file="model.skops",
        precision="float64",
        considered=["skops: chosen by the benchmark"],
    )
    files = {name: file for name, file in manifest.files.items() if name != manifest.model.file}
    fresh = dataclasses.replace(
        manifest, model=entry, files={**files, "model.skops": FileEntry.of(content)}
    )
    for name in files:
        (output / name).parent.mkdir(parents=True, exist_ok=True)
        (output / name).write_bytes((compiled / name).read_bytes())
    (output / "model.skops").write_bytes(content)
    (output / "manifest.json").write_bytes(fresh.to_bytes())
    predict_golden(LoadedModel.load(output))


def _write_bodies(
    directory: Path,
    columns: list[str],
    fields: NDArray[np.float64],
    linear: LinearRegression,
    forest: RandomForestRegressor,
) -> None:
    rows = [dict(zip(columns, row, strict=True)) for row in fields[:ROWS].tolist()]
    logarithm = float(np.log(150))
    one, many = fields[:1].tolist(), fields[:ROWS].tolist()
    bodies: dict[str, object] = {
        "linear.json": {"distance": 150},
        "linear.v2.json": _v2([[logarithm]]),
        "linear.records.json": {"dataframe_records": [{"distance": 150}]},
        "forest-1.json": rows[0],
        "forest-1.v2.json": _v2(one),
        "forest-1.records.json": {"dataframe_records": rows[:1]},
        "forest-100.json": rows,
        "forest-100.v2.json": _v2(many),
        "forest-100.records.json": {"dataframe_records": rows},
        "forest-100.rows.json": {"rows": rows},
    }
    for name, body in bodies.items():
        (directory / name).write_text(json.dumps(body, separators=(",", ":")))
    lines = "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    (directory / "forest-100.jsonl").write_text(lines)
    table = "".join(",".join(map(str, row.values())) + "\n" for row in rows)
    (directory / "forest-100.csv").write_text(table)
    expected = {
        "linear": linear.predict([[logarithm]]).tolist(),
        "forest-1": forest.predict(one).tolist(),
        "forest-100": forest.predict(many).tolist(),
    }
    (directory / "expected.json").write_text(json.dumps(expected))


def _v2(features: list[list[float]]) -> dict[str, object]:
    """Return a body of the Open Inference Protocol, version 2."""
    tensor = {
        "name": "features",
        "shape": [len(features), len(features[0])],
        "datatype": "FP64",
        "data": [value for row in features for value in row],
    }
    return {"inputs": [tensor]}


if __name__ == "__main__":
    main(Path(sys.argv[1]))
