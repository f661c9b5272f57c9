"""
The servers that are compared: how each is started and asked.

Each runs as its own quick start or documentation has it, from ``servers/``, in an environment of
its own. Access logs are off where a switch exists.
"""

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVERS = HERE / "servers"
ENVIRONMENTS = HERE / ".environments"
MODELS = ENVIRONMENTS / "models"
JSON = "application/json"


@dataclass(frozen=True, kw_only=True, slots=True)
class Start:
    """
    One start of one server.

    Attributes:
        model: ``linear``, ``forest`` or ``slow``.
        workers: How many worker processes.
        port: The port it must listen on; the next two are free for it as well.
        directory: A fresh directory, its working directory.
    """

    model: str
    workers: int
    port: int
    directory: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """What is posted, and where: the body is a file of ``MODELS``."""

    path: str = "/invocations"
    body: str
    content_type: str = JSON


@dataclass(frozen=True, kw_only=True, slots=True)
class Launch:
    """A command line, and what its environment has besides."""

    command: list[str]
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Server:
    """
    One server.

    Attributes:
        name: Its short name, on the command line and in the results.
        title: What the page calls it.
        environment: Its folder in ``servers/`` and ``.environments/``; None needs none.
        launch: How it is started.
        asks: Case (``linear``, ``forest-1``, ``forest-100``) → what to post, best first; the first
            that is answered rightly is measured.
        packages: What its versions are told of.
        warm_up_seconds: Load before the first sample of a start.
        note: What a reader must know of its row.
        answers: Whether it answers with the model's numbers.
    """

    name: str
    title: str
    environment: str | None
    launch: Callable[[Start], Launch]
    asks: Mapping[str, tuple[Ask, ...]]
    packages: tuple[str, ...] = ()
    warm_up_seconds: int = 3
    note: str = ""
    answers: bool = True

    @property
    def python(self) -> Path:
        """The interpreter of its environment."""
        assert self.environment is not None
        return ENVIRONMENTS / self.environment / "bin" / "python"


def same_body(
    linear: str = "/invocations", one: str = "/invocations", many: str = "/invocations"
) -> dict[str, tuple[Ask, ...]]:
    """Return what most are asked: the same bodies, under their own paths."""
    return {
        "linear": (Ask(path=linear, body="linear.json"),),
        "slow": (Ask(path=linear, body="linear.json"),),
        "forest-1": (Ask(path=one, body="forest-1.json"),),
        "forest-100": (Ask(path=many, body="forest-100.json"),),
    }


def _bin(name: str, program: str) -> str:
    return str(ENVIRONMENTS / name / "bin" / program)


def _problem(start: Start, environment: str) -> dict[str, str]:
    return {
        "BENCH_CASE": start.model,
        "BENCH_MODEL": str(MODELS / f"{start.model}.joblib"),
        "BENCH_WORKERS": str(start.workers),
        "PYTHONPATH": f"{SERVERS}:{SERVERS / environment}",
    }


def _nginx(start: Start) -> Launch:
    template = (SERVERS / "nginx" / "nginx.conf").read_text()
    values = {
        "PORT": str(start.port),
        "WORKERS": str(start.workers),
        "DIRECTORY": str(start.directory),
    }
    for name, value in values.items():
        template = template.replace(name, value)
    configuration = start.directory / "nginx.conf"
    configuration.write_text(template)
    return Launch(command=["nginx", "-p", str(start.directory), "-c", str(configuration)])


def _tonnage(form: str) -> Callable[[Start], Launch]:
    def launch(start: Start) -> Launch:
        return Launch(
            command=[
                *(_bin("tonnage", "tonnage"), "serve", str(MODELS / f"{start.model}-{form}")),
                *("--host", "127.0.0.1", "--port", str(start.port)),
                *("--workers", str(start.workers)),
            ]
        )

    return launch


def _flask(start: Start) -> Launch:
    return Launch(
        command=[
            *(_bin("flask", "gunicorn"), "app:app", "--workers", str(start.workers)),
            *("--bind", f"127.0.0.1:{start.port}", "--log-level", "warning"),
        ],
        variables=_problem(start, "flask"),
    )


def _fastapi(start: Start) -> Launch:
    return Launch(
        command=[
            *(_bin("fastapi", "uvicorn"), "app:app", "--workers", str(start.workers)),
            *("--port", str(start.port), "--no-access-log", "--log-level", "warning"),
        ],
        variables=_problem(start, "fastapi"),
    )


def _mlserver(start: Start) -> Launch:
    settings = {
        "http_port": start.port,
        "grpc_port": start.port + 1,
        "metrics_port": start.port + 2,
        "host": "127.0.0.1",
        # 0 serves in the one process; with more, each worker is a process beside it.
        "parallel_workers": 0 if start.workers == 1 else start.workers,
        "debug": False,
    }
    model = {
        "name": "model",
        "implementation": "mlserver_sklearn.SKLearnModel",
        "parameters": {"uri": str(MODELS / f"{start.model}.joblib")},
    }
    (start.directory / "settings.json").write_text(json.dumps(settings))
    (start.directory / "model-settings.json").write_text(json.dumps(model))
    return Launch(command=[_bin("mlserver", "mlserver"), "start", str(start.directory)])


def _litserve(start: Start) -> Launch:
    return Launch(
        command=[
            *(_bin("litserve", "python"), str(SERVERS / "litserve" / "server.py")),
            *("--port", str(start.port), "--workers", str(start.workers)),
        ],
        variables=_problem(start, "litserve"),
    )


def _bentoml(start: Start) -> Launch:
    return Launch(
        command=[
            *(_bin("bentoml", "bentoml"), "serve", "service:Evaluation"),
            *("--host", "127.0.0.1", "--port", str(start.port)),
            *("--working-dir", str(SERVERS / "bentoml")),
        ],
        variables={
            **_problem(start, "bentoml"),
            "BENTOML_HOME": str(start.directory),
            "BENTOML_DO_NOT_TRACK": "true",
            "PATH": f"{ENVIRONMENTS / 'bentoml' / 'bin'}:/usr/bin:/bin",
        },
    )


def _mlflow(start: Start) -> Launch:
    return Launch(
        command=[
            *(_bin("mlflow", "mlflow"), "models", "serve", "--env-manager", "local"),
            *("--model-uri", str(MODELS / "mlflow"), "--workers", str(start.workers)),
            *("--host", "127.0.0.1", "--port", str(start.port)),
        ],
        variables={
            **_problem(start, "mlflow"),
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "PATH": f"{ENVIRONMENTS / 'mlflow' / 'bin'}:/usr/bin:/bin",
        },
    )


def _toolkit(start: Start) -> Launch:
    code = start.directory / "model" / "code"
    code.mkdir(parents=True)
    shutil.copy(SERVERS / "toolkit" / "inference.py", code)
    return Launch(
        command=[_bin("toolkit", "python"), str(SERVERS / "toolkit" / "start.py")],
        variables={
            **_problem(start, "toolkit"),
            "PATH": f"{ENVIRONMENTS / 'toolkit' / 'bin'}:/usr/bin:/bin",
            "SAGEMAKER_BASE_DIR": str(start.directory),
            "SAGEMAKER_BIND_TO_PORT": str(start.port),
            "SAGEMAKER_MODEL_SERVER_WORKERS": str(start.workers),
            "LOG_LOCATION": str(start.directory / "logs"),
            "METRICS_LOCATION": str(start.directory / "logs"),
            "TEMP": str(start.directory),
        },
    )


def _bodies(path: str, kind: str) -> dict[str, tuple[Ask, ...]]:
    names = ("linear", "forest-1", "forest-100")
    return {name: (Ask(path=path, body=f"{name}.{kind}.json"),) for name in names}


_OWN_ASKS = {
    **same_body(),
    # What takes one row a JSON body takes many as lines or as a table.
    "forest-100": (
        Ask(body="forest-100.json"),
        Ask(body="forest-100.jsonl", content_type="application/jsonlines"),
        Ask(body="forest-100.csv", content_type="text/csv"),
    ),
}

_ALL = (
    Server(
        name="nginx",
        title="nginx `return 200` (the limit)",
        environment=None,
        launch=_nginx,
        asks=same_body(),
        warm_up_seconds=1,
        answers=False,
        note="answers a constant and reads no model",
    ),
    Server(
        name="tonnage",
        title="Tonnage, compiled (ONNX)",
        environment="tonnage",
        launch=_tonnage("onnx"),
        asks=_OWN_ASKS,
        packages=("numpy", "onnxruntime", "pydantic", "httptools", "uvloop"),
    ),
    Server(
        name="tonnage-sklearn",
        title="Tonnage, plain scikit-learn",
        environment="tonnage",
        launch=_tonnage("skops"),
        asks=_OWN_ASKS,
        packages=("scikit-learn", "skops"),
    ),
    Server(
        name="fastapi",
        title="FastAPI + uvicorn (`async def`)",
        environment="fastapi",
        launch=_fastapi,
        asks=same_body("/linear", "/forest", "/forest/rows"),
        packages=("fastapi", "uvicorn", "scikit-learn"),
    ),
    Server(
        name="flask",
        title="Flask + gunicorn",
        environment="flask",
        launch=_flask,
        asks=same_body(),
        packages=("flask", "gunicorn", "scikit-learn"),
        note="gunicorn's default worker closes every connection after its answer",
    ),
    Server(
        name="mlserver",
        title="MLServer",
        environment="mlserver",
        launch=_mlserver,
        asks=_bodies("/v2/models/model/infer", "v2"),
        packages=("mlserver", "mlserver-sklearn", "scikit-learn"),
        note=(
            "its protocol takes tensors: it is sent the logarithm and does less work; "
            "`parallel_workers` 0 for one worker"
        ),
    ),
    Server(
        name="litserve",
        title="LitServe",
        environment="litserve",
        launch=_litserve,
        asks=same_body(),
        packages=("litserve", "scikit-learn"),
        note="one process takes requests and one predicts, both on the one core",
    ),
    Server(
        name="bentoml",
        title="BentoML",
        environment="bentoml",
        launch=_bentoml,
        asks={
            **same_body("/linear", "/forest"),
            "forest-100": (Ask(path="/forest/rows", body="forest-100.rows.json"),),
        },
        packages=("bentoml", "scikit-learn"),
        note='the 100 rows come under a name, `{"rows": […]}`',
    ),
    Server(
        name="mlflow",
        title="MLflow",
        environment="mlflow",
        launch=_mlflow,
        asks=_bodies("/invocations", "records"),
        packages=("mlflow", "scikit-learn"),
        note='its scoring server takes `{"dataframe_records": […]}`',
    ),
    Server(
        name="toolkit",
        title="sagemaker-inference toolkit on Multi Model Server",
        environment="toolkit",
        launch=_toolkit,
        asks=same_body(),
        packages=("sagemaker-inference", "multi-model-server", "scikit-learn"),
        warm_up_seconds=25,
        note="logs every request to a file, as it does unless reconfigured",
    ),
)

CATALOGUE: Mapping[str, Server] = {server.name: server for server in _ALL}
