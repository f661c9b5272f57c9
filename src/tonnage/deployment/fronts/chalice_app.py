"""
The ``chalice`` front: an AWS Chalice app whose one view is ``api.Front``.

::

    APP/
      app.py                    the app: a dozen lines
      requirements.txt          pydantic and what it needs, with hashes
      vendor/                   tonnage's front and the service, without the model
      .chalice/config.json      stages, memory, the endpoint's name
      .chalice/policy.json      what the function may do: its log, and this one endpoint
      .chalice/resources.json   throttling, keys, refusals: merged in when it is packaged

``chalice local`` runs it against the local endpoint; ``chalice package --merge-template
.chalice/resources.json OUT`` writes a template that CloudFormation deploys. ``chalice deploy``
works too, but knows nothing of ``resources.json``.
"""

import json
import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from tonnage.domain import ConfigurationError
from tonnage.planning import Front

from ._distributions import locked
from ._front_files import write_front_files
from ._mapping import gateway_answers
from .in_lambda import ENDPOINT_VARIABLE
from .options import FrontOptions
from .package import own_requirements

__all__ = ["write_chalice_app"]

_TEMPLATE: Final = files("tonnage.deployment.fronts") / "chalice_files" / "app.py.txt"
_ACCOUNT: Final = re.compile(r"\d{12}|\*")
_MEMORY_MB: Final = 512
_TIMEOUT_SECONDS: Final = 29
_JSON: Final = "application/json"


def write_chalice_app(
    directory: Path,
    options: FrontOptions,
    *,
    endpoint_name: str,
    region: str,
    account: str = "*",
) -> Path:
    """
    Write a Chalice app.

    Args:
        directory: A new or empty directory; Chalice takes its name for nothing.
        options: What the front is like; its ``front`` is ``chalice``.
        endpoint_name: The endpoint that it invokes.
        region: Where that is.
        account: The account's number, for the policy; ``*`` is whichever it is deployed to, which
            is no wider: a role reaches no other account's endpoint.

    Returns:
        The directory.

    Raises:
        ArtefactError: If the artefact is not what its manifest says.
        ConfigurationError: If the directory is not empty, or the options are another front's.
    """
    if options.front is not Front.CHALICE:
        raise ConfigurationError(
            f'these are the options of front = "{options.front}", not of "chalice"'
        )
    if not _ACCOUNT.fullmatch(account):
        raise ConfigurationError(
            f"{account!r} is no AWS account", hint="it is a number of twelve digits"
        )
    requirements = locked(["pydantic", *own_requirements(options.artefact)])
    if directory.exists() and (not directory.is_dir() or any(directory.iterdir())):
        raise ConfigurationError(
            f"{directory} is not empty", hint="choose a new directory for the app"
        )
    write_front_files(
        directory / "vendor",
        artefact=options.artefact,
        name=options.name,
        route=options.route,
        cors_origins=options.cors_origins,
        given=["pydantic"],
    )
    # Chalice packages the app with its own adapter; the other entry point is Lambda's alone.
    (directory / "vendor" / "tonnage_front" / "handler.py").unlink()
    settings = directory / ".chalice"
    settings.mkdir()
    (directory / "app.py").write_text(_app(options), encoding="utf-8")
    (directory / "requirements.txt").write_text(requirements, encoding="utf-8")
    for name, value in {
        "config.json": _config(options, endpoint_name),
        "policy.json": _policy(options, endpoint_name, region, account),
        "resources.json": _resources(options),
    }.items():
        (settings / name).write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
    return directory


def _app(options: FrontOptions) -> str:
    text = _TEMPLATE.read_text(encoding="utf-8")
    values = {
        "CROSS_ORIGIN": str(bool(options.cors_origins)),
        "AUTH": options.auth,
        "NAME": options.name,
    }
    for word, value in values.items():
        text = text.replace(word, value)
    return text


def _config(options: FrontOptions, endpoint_name: str) -> dict[str, Any]:
    stage = {
        "api_gateway_stage": options.stage,
        "api_gateway_endpoint_type": "REGIONAL",
        "autogen_policy": False,
        "iam_policy_file": "policy.json",
        "lambda_memory_size": _MEMORY_MB,
        "lambda_timeout": _TIMEOUT_SECONDS,
        "environment_variables": {ENDPOINT_VARIABLE: endpoint_name},
    }
    # `chalice local` and `chalice package` take Chalice's stage `dev` unless they are told another.
    return {"version": "2.0", "app_name": options.name, "stages": {"dev": stage}}


def _policy(options: FrontOptions, endpoint_name: str, region: str, account: str) -> dict[str, Any]:
    log_group = f"/aws/lambda/{options.name}-*"
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "InvokeThisEndpoint",
                "Effect": "Allow",
                "Action": ["sagemaker:InvokeEndpoint"],
                # SageMaker writes names in ARNs in lower case, whatever the endpoint's own is.
                "Resource": [
                    f"arn:aws:sagemaker:{region}:{account}:endpoint/{endpoint_name.lower()}"
                ],
            },
            {
                "Sid": "WriteItsLog",
                "Effect": "Allow",
                "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                "Resource": [f"arn:aws:logs:{region}:{account}:log-group:{log_group}"],
            },
        ],
    }


def _resources(options: FrontOptions) -> dict[str, Any]:
    """Return what Chalice has no words for, in the names that its template gives things."""
    api: dict[str, Any] = {
        "GatewayResponses": {
            answer.kind: {
                **({} if answer.status is None else {"StatusCode": answer.status}),
                "ResponseTemplates": {_JSON: answer.template},
                "ResponseParameters": {"Headers": _refusal_headers(options, answer.headers)},
            }
            for answer in gateway_answers(signed=options.auth == "iam")
        }
    }
    if options.throttle_per_second is not None:
        api["MethodSettings"] = [
            {
                "HttpMethod": "*",
                "ResourcePath": "/*",
                "ThrottlingRateLimit": options.throttle_per_second,
                "ThrottlingBurstLimit": options.throttle_burst,
            }
        ]
    keys = _keys(options) if options.auth == "api_key" else {}
    # Chalice's own log_retention_in_days names a function that its template has not (1.34).
    logs = {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {
            "LogGroupName": {"Fn::Sub": "/aws/lambda/${APIHandler}"},
            "RetentionInDays": options.log_retention_days,
        },
    }
    return {"Resources": {"RestAPI": {"Properties": api}, "APIHandlerLogs": logs, **keys}}


def _refusal_headers(options: FrontOptions, own: Mapping[str, str]) -> dict[str, str]:
    origin = {"Access-Control-Allow-Origin": "method.request.header.Origin"}
    return {
        **(origin if options.cors_origins else {}),
        **{name: f"'{value}'" for name, value in own.items()},
    }


def _keys(options: FrontOptions) -> dict[str, Any]:
    stage = {"ApiId": {"Ref": "RestAPI"}, "Stage": {"Ref": "RestAPI.Stage"}}
    return {
        "ApiKey": {
            "Type": "AWS::ApiGateway::ApiKey",
            "DependsOn": ["UsagePlan"],
            "Properties": {"Enabled": True, "Description": f"Callers of {options.name}"},
        },
        "UsagePlan": {
            "Type": "AWS::ApiGateway::UsagePlan",
            "Properties": {"ApiStages": [stage], "UsagePlanName": options.name},
        },
        "UsagePlanKey": {
            "Type": "AWS::ApiGateway::UsagePlanKey",
            "Properties": {
                "KeyId": {"Ref": "ApiKey"},
                "KeyType": "API_KEY",
                "UsagePlanId": {"Ref": "UsagePlan"},
            },
        },
    }
