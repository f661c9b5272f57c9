"""
The fronts' stacks, synthesised once: every permission, every number that costs, every refusal.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator

import synthesis
from template_snapshots import check_snapshot
from tonnage.artefact import PackReport
from tonnage.deployment.fronts import FrontOptions, curl_line, runtime_url
from tonnage.domain import ConfigurationError
from tonnage.planning import Front

SHOP = "https://shop.example.com"
OTHER = "https://other.example.com"
ENDPOINT = "Real-Estate"

STACKS: dict[str, dict[str, Any]] = {
    "rest": {"front": "rest", "log_retention_days": 545},
    "keys": {
        "front": "rest",
        "auth": "api_key",
        "throttle_per_second": 1000,
        "throttle_burst": 200,
        "cors_origins": [SHOP, OTHER],
    },
    "open": {"front": "rest", "auth": "none", "cors_origins": [SHOP]},
    "http": {
        "front": "http",
        "throttle_per_second": 1000,
        "throttle_burst": 200,
        "cors_origins": [SHOP],
    },
    "free": {"front": "http", "auth": "none"},
}

Template = Mapping[str, Any]


@pytest.fixture(scope="module")
def assembly(
    packed: PackReport, cdk_process: ProcessPoolExecutor, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """Where the stacks are; cdk-nag has looked at them, and a finding would have been an error."""
    out = tmp_path_factory.mktemp("assembly")
    given = (STACKS, ENDPOINT, packed.directory, out)
    cdk_process.submit(synthesis.front_stacks, *given).result()
    return out


@pytest.fixture(scope="module")
def templates(assembly: Path) -> dict[str, Template]:
    return {name: json.loads((assembly / f"{name}.template.json").read_text()) for name in STACKS}


def of_type(template: Template, kind: str) -> list[dict[str, Any]]:
    return [
        each.get("Properties", {})
        for each in template["Resources"].values()
        if each["Type"] == kind
    ]


def only(template: Template, kind: str) -> dict[str, Any]:
    (found,) = of_type(template, kind)
    return found


def post_method(template: Template) -> dict[str, Any]:
    (method,) = [
        each
        for each in of_type(template, "AWS::ApiGateway::Method")
        if each["HttpMethod"] == "POST"
    ]
    return method


def test_cfn_lint_finds_nothing(assembly: Path, cdk_process: ProcessPoolExecutor):
    assert cdk_process.submit(synthesis.lint, assembly).result() == []


@pytest.mark.parametrize("name", STACKS)
def test_a_template_changes_only_on_purpose(templates: dict[str, Template], name: str):
    check_snapshot(f"front-{name}", templates[name])


@pytest.mark.parametrize("name", STACKS)
def test_no_role_may_do_more_than_its_statements_say(templates: dict[str, Template], name: str):
    """Nothing but what API Gateway's own account setting asks for is a managed policy."""
    for role in of_type(templates[name], "AWS::IAM::Role"):
        managed = json.dumps(role.get("ManagedPolicyArns", []))
        trusted = json.dumps(role["AssumeRolePolicyDocument"]["Statement"])
        assert managed == "[]" or (
            "AmazonAPIGatewayPushToCloudWatchLogs" in managed and "apigateway" in trusted
        )
        assert "*" not in trusted
        assert "Policies" not in role


def test_each_accepted_finding_of_cdk_nag_has_its_reason(assembly: Path):
    report = json.loads((assembly / "validation-report.json").read_text())
    assert "AwsSolutions" in json.dumps(report)
    assert '"conclusion": "failure"' not in json.dumps(report)


@pytest.mark.parametrize("name", STACKS)
def test_it_may_invoke_this_endpoint_and_write_its_log(templates: dict[str, Template], name: str):
    template = templates[name]
    statements = [
        statement
        for policy in of_type(template, "AWS::IAM::Policy")
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    invoke, *logs = statements
    assert invoke["Action"] == "sagemaker:InvokeEndpoint"
    parts = invoke["Resource"]["Fn::Join"][1]
    assert [part for part in parts if isinstance(part, str)] == [
        "arn:",
        ":sagemaker:eu-west-1:",
        ":endpoint/real-estate",
    ]
    for each in logs:
        assert each["Action"] == ["logs:CreateLogStream", "logs:PutLogEvents"]
        assert each["Resource"]["Fn::GetAtt"][1] == "Arn"
    assert len(logs) == (1 if STACKS[name]["front"] == "http" else 0)


def test_iam_is_the_default(templates: dict[str, Template]):
    assert post_method(templates["rest"])["AuthorizationType"] == "AWS_IAM"
    assert only(templates["http"], "AWS::ApiGatewayV2::Route")["AuthorizationType"] == "AWS_IAM"
    assert post_method(templates["rest"])["ApiKeyRequired"] is False


def test_another_choice_is_what_it_says(templates: dict[str, Template]):
    keys, anybody = post_method(templates["keys"]), post_method(templates["open"])
    assert (keys["AuthorizationType"], keys["ApiKeyRequired"]) == ("NONE", True)
    assert (anybody["AuthorizationType"], anybody["ApiKeyRequired"]) == ("NONE", False)
    route = only(templates["free"], "AWS::ApiGatewayV2::Route")
    assert route["AuthorizationType"] == "NONE"
    plan = only(templates["keys"], "AWS::ApiGateway::UsagePlan")
    assert len(plan["ApiStages"]) == 1
    assert only(templates["keys"], "AWS::ApiGateway::UsagePlanKey")["KeyType"] == "API_KEY"
    assert "ApiKeyId" in templates["keys"]["Outputs"]


def test_rest_calls_sagemaker_itself(templates: dict[str, Template]):
    template = templates["rest"]
    assert not of_type(template, "AWS::Lambda::Function")
    integration = post_method(template)["Integration"]
    assert (integration["Type"], integration["IntegrationHttpMethod"]) == ("AWS", "POST")
    assert integration["Uri"]["Fn::Join"][1][-1] == (
        ":apigateway:eu-west-1:runtime.sagemaker:path/endpoints/Real-Estate/invocations"
    )
    assert integration["RequestTemplates"] == {"application/json": "$input.body"}
    role = template["Resources"][integration["Credentials"]["Fn::GetAtt"][0]]["Properties"]
    (trusted,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trusted["Principal"] == {"Service": "apigateway.amazonaws.com"}


def test_rest_lets_nothing_through_that_it_has_not_checked(templates: dict[str, Template]):
    method = post_method(templates["rest"])
    assert method["Integration"]["PassthroughBehavior"] == "NEVER"
    assert set(method["RequestModels"]) == set(method["Integration"]["RequestTemplates"])
    validator = only(templates["rest"], "AWS::ApiGateway::RequestValidator")
    assert validator["ValidateRequestBody"] is True


def test_rest_checks_by_the_services_own_schema(templates: dict[str, Template]):
    schema = only(templates["rest"], "AWS::ApiGateway::Model")["Schema"]
    Draft4Validator.check_schema(schema)
    validator = Draft4Validator(schema)
    assert validator.is_valid({"distance": 150})
    for bad in ({}, {"distance": 0}, {"distance": "150"}, {"distance": 1, "age": 2}, []):
        assert not validator.is_valid(bad), bad


def test_another_schema_is_another_deployment(templates: dict[str, Template]):
    """API Gateway deploys a snapshot: one that is older than its model would check by no model."""
    resources = templates["rest"]["Resources"]
    (deployment,) = [
        each for each in resources.values() if each["Type"] == "AWS::ApiGateway::Deployment"
    ]
    kinds = {resources[name]["Type"] for name in deployment["DependsOn"]}
    assert {"AWS::ApiGateway::Model", "AWS::ApiGateway::GatewayResponse"} <= kinds


@pytest.mark.parametrize("name", ["rest", "keys", "open"])
def test_every_refusal_of_rest_has_the_envelope(templates: dict[str, Template], name: str):
    answers = of_type(templates[name], "AWS::ApiGateway::GatewayResponse")
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "BAD_REQUEST_BODY", "UNSUPPORTED_MEDIA_TYPE"} <= {
        each["ResponseType"] for each in answers
    }
    for each in answers:
        assert each["ResponseTemplates"]["application/json"].startswith('{"error":{"code":')
    missing = {each["ResponseType"]: each.get("StatusCode") for each in answers}
    signed = name == "rest"
    assert missing["MISSING_AUTHENTICATION_TOKEN"] == ("403" if signed else "404")
    assert missing["DEFAULT_4XX"] is None
    responses = post_method(templates[name])["Integration"]["IntegrationResponses"]
    assert {each["StatusCode"] for each in responses} == {
        *("200", "400", "424", "429", "500", "502", "503", "530")
    }


def test_throttling_is_what_was_asked_for(templates: dict[str, Template]):
    (setting,) = only(templates["keys"], "AWS::ApiGateway::Stage")["MethodSettings"]
    assert (setting["ThrottlingRateLimit"], setting["ThrottlingBurstLimit"]) == (1000, 200)
    routes = only(templates["http"], "AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    assert (routes["ThrottlingRateLimit"], routes["ThrottlingBurstLimit"]) == (1000, 200)
    assert "DefaultRouteSettings" not in only(templates["free"], "AWS::ApiGatewayV2::Stage")


def test_access_is_logged_without_bodies_and_for_a_time(templates: dict[str, Template]):
    rest = only(templates["rest"], "AWS::ApiGateway::Stage")["AccessLogSetting"]
    http = only(templates["http"], "AWS::ApiGatewayV2::Stage")["AccessLogSettings"]
    for setting in (rest, http):
        fields = json.loads(setting["Format"])
        assert fields["status"] == "$context.status"
        assert not any("body" in value or "input" in value for value in fields.values())
    assert only(templates["rest"], "AWS::Logs::LogGroup")["RetentionInDays"] == 545
    assert {
        each["RetentionInDays"] for each in of_type(templates["http"], "AWS::Logs::LogGroup")
    } == {30}


def test_pages_may_call_from_where_the_settings_say(templates: dict[str, Template]):
    cors = only(templates["http"], "AWS::ApiGatewayV2::Api")["CorsConfiguration"]
    assert cors["AllowOrigins"] == [SHOP]
    assert "CorsConfiguration" not in only(templates["free"], "AWS::ApiGatewayV2::Api")
    methods = {
        each["HttpMethod"]: each for each in of_type(templates["open"], "AWS::ApiGateway::Method")
    }
    assert methods["OPTIONS"]["AuthorizationType"] == "NONE"
    header = "method.response.header.Access-Control-Allow-Origin"
    for answer in methods["POST"]["Integration"]["IntegrationResponses"]:
        assert answer["ResponseParameters"][header] == f"'{SHOP}'"
    several = post_method(templates["keys"])["Integration"]["IntegrationResponses"]
    assert all(OTHER in each["ResponseTemplates"]["application/json"] for each in several)
    only_post = of_type(templates["rest"], "AWS::ApiGateway::Method")
    assert [each["HttpMethod"] for each in only_post] == ["POST"]


def test_the_function_is_small_and_asks_one_endpoint(
    templates: dict[str, Template], assembly: Path
):
    function = only(templates["http"], "AWS::Lambda::Function")
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    assert function["Runtime"] == f"python{version}"
    assert function["Handler"] == "tonnage_front.handler.handle"
    assert (function["MemorySize"], function["Timeout"]) == (512, 29)
    assert function["Environment"]["Variables"] == {"TONNAGE_ENDPOINT_NAME": ENDPOINT}
    key = function["Code"]["S3Key"].removesuffix(".zip")
    files = [path for path in (assembly / f"asset.{key}").rglob("*") if path.is_file()]
    assert 1_000_000 < sum(path.stat().st_size for path in files) <= 15_000_000


def made(artefact: Path, front: Front, **changed: Any) -> FrontOptions:  # noqa: ANN401
    return FrontOptions(front=front, name="x", route="/evaluate", artefact=artefact, **changed)


@pytest.mark.parametrize(
    ("front", "changed", "says"),
    [
        (Front.HTTP, {"auth": "api_key"}, "an HTTP API has no API keys"),
        (Front.NONE, {"auth": "none"}, "signed requests only"),
        (Front.REST, {"throttle_burst": 5}, "a rate and a burst"),
        (Front.REST, {"throttle_per_second": 5.0}, "a rate and a burst"),
        (Front.REST, {"cors_origins": ["shop.example.com"]}, "no origin"),
        (Front.REST, {"cors_origins": ["https://shop.example.com/"]}, "no origin"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tmp_path: Path, front: Front, changed: dict[str, Any], says: str
):
    with pytest.raises(ConfigurationError, match=says) as caught:
        made(tmp_path, front, **changed)
    assert caught.value.hint


def test_the_ready_line_signs_for_the_right_service_and_holds_no_secret(tmp_path: Path):
    url = "https://abc.execute-api.eu-west-1.amazonaws.com/prod/evaluate"
    body = '{"name": "O\'Neill"}'
    signed = curl_line(made(tmp_path, Front.REST, example_body=body), url=url, region="eu-west-1")
    assert "--aws-sigv4 'aws:amz:eu-west-1:execute-api'" in signed
    assert '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"' in signed
    direct = curl_line(
        made(tmp_path, Front.NONE), url=runtime_url("Real-Estate", "eu-west-1"), region="eu-west-1"
    )
    assert "aws:amz:eu-west-1:sagemaker" in direct
    keyed = curl_line(
        made(tmp_path, Front.REST, auth="api_key"), url=url, region="eu-west-1", api_key_id="k1"
    )
    assert "--api-key k1" in keyed
    assert "sigv4" not in keyed
    anybody = curl_line(made(tmp_path, Front.HTTP, auth="none"), url=url, region="eu-west-1")
    assert "sigv4" not in anybody
    for line in (signed, direct, keyed, anybody):
        parsed = subprocess.run(["bash", "-n", "-c", line], capture_output=True, check=False)
        assert parsed.returncode == 0, parsed.stderr
