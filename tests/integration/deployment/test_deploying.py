"""
The command line from settings to a stack, against a moto server.

moto's CloudFormation makes SageMaker's model, configuration and endpoint, the role and the log
group; it skips alarms, scaling and the dashboard (their numbers are held in the unit tests).
"""

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from support import TONNAGE, free_port, until
from tonnage.cli import _run
from tonnage.deployment.cdk_cli import CdkCli, find_cdk
from tonnage.deployment.leftovers import key_description
from tonnage.domain import DeploymentError

IMAGE = "123456789012.dkr.ecr.us-east-1.amazonaws.com/real-estate:1"
GIVEN = ("--set", f"deployment.image_uri='{IMAGE}'", "--set", "api.front=none")


@dataclass(frozen=True, kw_only=True)
class Ran:
    """What a command said, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Ran]


@pytest.fixture(scope="session")
def cdk() -> CdkCli:
    """The pinned command line, installed on first use."""
    if shutil.which("node") is None:
        unavailable("these tests drive the CDK: apt install nodejs npm")
    try:
        return find_cdk()
    except DeploymentError as error:
        unavailable(f"these tests drive the CDK, which npm could not install: {error}")
        raise


def unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """A moto server of this module's own; the CDK insists on the name localhost."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        url = f"http://localhost:{port}"
        sts = boto3.client("sts", **credentials(url))

        def answers() -> bool:
            try:
                return bool(sts.get_caller_identity())
            except sts.exceptions.ClientError:
                return True
            except Exception as error:
                if type(error).__name__ not in {"EndpointConnectionError", "ConnectionClosedError"}:
                    raise
                return False

        until(answers, "moto to answer", seconds=60)
        yield url
        server.terminate()


def credentials(url: str) -> dict[str, Any]:
    return {
        "endpoint_url": url,
        "region_name": "us-east-1",
        "aws_access_key_id": "a",
        "aws_secret_access_key": "b",
    }


@pytest.fixture(scope="module")
def project(example_project: Path, packed_artefact: Path) -> Path:
    assert packed_artefact.is_dir()
    return example_project


@pytest.fixture(scope="module")
def run(project: Path) -> Run:
    """Runs the command line in this process, so that Node.js starts once for all of them."""

    def ran(*arguments: str, moto: str | None = None) -> Ran:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(project)
            for name in [each for each in os.environ if each.startswith("AWS_")]:
                patch.delenv(name)
            patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
            patch.setenv("AWS_CONFIG_FILE", os.devnull)
            patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
            if moto is not None:
                patch.setenv("AWS_ENDPOINT_URL", moto)
                patch.setenv("AWS_ACCESS_KEY_ID", "a")
                patch.setenv("AWS_SECRET_ACCESS_KEY", "b")
            with redirect_stdout(out), redirect_stderr(err):
                code = _run(list(arguments))
        return Ran(returncode=code, stdout=out.getvalue(), stderr=err.getvalue())

    return ran


@pytest.fixture(scope="module")
def deployed(run: Run, moto: str, cdk: CdkCli) -> Ran:
    assert cdk.path
    return run("deploy", "--yes", "--method", "direct", *GIVEN, "--json", moto=moto)


def test_without_yes_it_says_the_cost_and_changes_nothing(run: Run):
    told = run("deploy", "--rate", "1000/s")
    assert told.returncode == 2
    assert "92.8 times one ml.c5.large" in told.stdout
    assert "$74.46 to $744.60" in told.stdout
    assert "nothing was deployed" in told.stderr


def test_without_credentials_one_line_says_what_to_do(run: Run):
    told = run("deploy", "--yes", *GIVEN)
    assert told.returncode == 2
    assert "there are no AWS credentials" in told.stderr
    assert "aws configure" in told.stderr


def test_a_key_before_an_http_api_is_refused(run: Run):
    told = run("synth", "--set", "api.front=http", "--set", "api.auth=api_key", "-o", "refused")
    assert told.returncode == 2
    assert "API keys" in told.stderr


def test_deploy_makes_the_endpoint_and_gives_a_curl_line(deployed: Ran, moto: str):
    assert deployed.returncode == 0, deployed.stderr
    assert deployed.stderr.index("A month at 1000/s: ") < deployed.stderr.index("real-estate")
    described = json.loads(deployed.stdout)["deployed"]
    assert described["stacks"] == ["real-estate"]
    assert described["curl"].startswith("curl -sS https://runtime.sagemaker.us-east-1")
    assert '{"distance": 150.0}' in described["curl"]
    sagemaker = boto3.client("sagemaker", **credentials(moto))
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    live = sagemaker.describe_endpoint(EndpointName=endpoint["EndpointName"])
    configuration = sagemaker.describe_endpoint_config(
        EndpointConfigName=live["EndpointConfigName"]
    )
    (variant,) = configuration["ProductionVariants"]
    assert (variant["VariantName"], variant["InstanceType"]) == ("linear-model", "ml.c5.large")
    assert variant["InitialInstanceCount"] == 1
    model = sagemaker.describe_model(ModelName=variant["ModelName"])
    assert model["PrimaryContainer"]["Image"] == IMAGE


def test_verify_reads_it_and_names_what_moto_left_out(deployed: Ran, run: Run, moto: str):
    assert deployed.returncode == 0
    sagemaker = boto3.client("sagemaker", **credentials(moto))
    (endpoint,) = sagemaker.list_endpoints()["Endpoints"]
    told = run("verify", endpoint["EndpointName"], "--line", "600/s", "--json", moto=moto)
    assert told.returncode == 3, told.stderr
    verdict = json.loads(told.stdout)
    assert verdict["drift"] == ["ScalableTarget"]
    assert "no invocation in the last" in told.stderr


def test_an_account_without_a_bootstrap_stack_is_told_how_to_make_one(
    moto: str, run: Run, cdk: CdkCli
):
    told = run(
        *("deploy", "--yes", "--method", "direct", "--set", "deployment.model_data=s3", *GIVEN),
        moto=moto,
    )
    assert told.returncode == 2
    assert "no CDK bootstrap stack in us-east-1" in told.stderr
    assert f"{cdk.path} bootstrap aws://123456789012/us-east-1" in told.stderr


def test_templates_are_written_and_compared_without_an_account(
    run: Run, project: Path, cdk: CdkCli, tmp_path: Path
):
    """The command as a user calls it, in a process of its own."""
    assert cdk.path
    before = tmp_path / "before"
    written = subprocess.run(
        [TONNAGE, "synth", "-o", str(before), *GIVEN, "--json"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert written.returncode == 0, written.stderr
    assert written.stderr == ""
    assert Path(json.loads(written.stdout)["templates"]["real-estate"]).is_file()
    told = run("diff", "--against", str(before), *GIVEN, "--set", "scaling.max_capacity=20")
    assert told.returncode == 0, told.stderr
    assert "MaxCapacity" in told.stdout
    assert "[+] 20" in told.stdout


def test_destroy_needs_a_yes_and_leaves_nothing_but_what_it_names(
    deployed: Ran, run: Run, moto: str
):
    assert deployed.returncode == 0
    hesitant = run("destroy", *GIVEN, moto=moto)
    assert hesitant.returncode == 2
    assert "nothing was deleted" in hesitant.stderr
    keep_what_no_stack_deletes(moto)
    gone = run("destroy", "--yes", *GIVEN, "--json", moto=moto)
    assert gone.returncode == 0, gone.stderr
    assert boto3.client("sagemaker", **credentials(moto)).list_endpoints()["Endpoints"] == []
    left = {each["what"]: each for each in json.loads(gone.stdout)["leftovers"]}
    assert set(left) == {"log group", "S3 files", "KMS key"}
    assert left["log group"]["command"].endswith("real-estate-evaluation-late")
    assert left["S3 files"]["name"] == "cdk-hnb659fds-assets-123456789012-us-east-1"
    assert left["KMS key"]["command"].startswith("aws kms schedule-key-deletion")


def keep_what_no_stack_deletes(moto: str) -> None:
    """Late logs, an uploaded model, a key, and keys that are another's or bill no more."""
    logs = boto3.client("logs", **credentials(moto))
    logs.create_log_group(logGroupName="/aws/sagemaker/Endpoints/real-estate-evaluation-late")
    s3 = boto3.client("s3", **credentials(moto))
    s3.create_bucket(Bucket="cdk-hnb659fds-assets-123456789012-us-east-1")
    s3.put_object(
        Bucket="cdk-hnb659fds-assets-123456789012-us-east-1", Key="model.tar.gz", Body=b"model"
    )
    kms = boto3.client("kms", **credentials(moto))
    own = key_description("real-estate")
    kms.create_key(Description=own)
    kms.create_key(Description="another's")
    deleted = kms.create_key(Description=own)["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=deleted)


def test_a_plans_numbers_reach_the_template(run: Run, project: Path, tmp_path: Path):
    """`tonnage plan -o FILE.toml` and then `tonnage synth --config FILE.toml`, to the digit."""
    file = project / "planned.toml"
    planned = run(
        *("plan", "--line", "600/s", "--profile", "ramp(100/s, 1000/s, 600s)"),
        *("--measured-only", "-o", str(file), "--json"),
    )
    assert planned.returncode == 0, planned.stderr
    best = json.loads(planned.stdout)["best"]["settings"]
    written = run("synth", "--config", str(file), *GIVEN[:2], "-o", str(tmp_path / "out"), "--json")
    assert written.returncode == 0, written.stderr
    templates = json.loads(written.stdout)["templates"]
    resources = json.loads(Path(templates["real-estate"]).read_text())["Resources"]
    (variant,) = resources["EndpointConfig"]["Properties"]["ProductionVariants"]
    assert variant["InstanceType"] == best["endpoint"]["instance_type"]
    assert variant["InitialInstanceCount"] == best["endpoint"]["initial_instance_count"]
    if best["scaling"]["enabled"]:
        target = resources["ScalableTarget"]["Properties"]
        assert target["MinCapacity"] == best["scaling"]["min_capacity"]
        assert target["MaxCapacity"] == best["scaling"]["max_capacity"]
        policy = resources["TargetTracking"]["Properties"]
        configuration = policy["TargetTrackingScalingPolicyConfiguration"]
        assert configuration["TargetValue"] == best["scaling"]["target_value"]
        for side in ("In", "Out"):
            seconds = best["scaling"][f"scale_{side.lower()}_cooldown"].removesuffix("s")
            assert configuration[f"Scale{side}Cooldown"] == float(seconds)


def test_a_serverless_plans_numbers_reach_the_template(run: Run, project: Path, tmp_path: Path):
    file = project / "serverless.toml"
    planned = run(
        *("plan", "--line", "600/s", "--profile", "constant(1/s, 3600s)", "--measured-only"),
        *("--simple", "--allow-serverless", "-o", str(file), "--json"),
    )
    assert planned.returncode == 0, planned.stderr
    best = json.loads(planned.stdout)["best"]
    assert best["serverless"] is not None
    written = run("synth", "--config", str(file), *GIVEN[:2], "-o", str(tmp_path / "out"), "--json")
    assert written.returncode == 0, written.stderr
    templates = json.loads(written.stdout)["templates"]
    resources = json.loads(Path(templates["real-estate"]).read_text())["Resources"]
    (variant,) = resources["EndpointConfig"]["Properties"]["ProductionVariants"]
    assert variant["ServerlessConfig"] == {
        "MemorySizeInMB": best["serverless"]["memory_mb"],
        "MaxConcurrency": best["serverless"]["max_concurrency"],
    }
    assert "InstanceType" not in variant
    assert "ScalableTarget" not in resources
