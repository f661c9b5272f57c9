"""
What still bills after the stacks are gone.

Deleting a stack does not delete what was uploaded for it, logs that were written after their group
had gone, keys (deleted after a month), or anything that another stack, Chalice or a person made.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from tonnage.planning import Front

from .account import Account
from .settings import DeploymentOptions

__all__ = ["Leftover", "find_leftovers"]

_MOST: Final = 20
_BOOTSTRAP: Final = "cdk-hnb659fds"


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """
    Something that is there.

    Attributes:
        what: Its kind.
        name: Its name.
        why: What it costs, or why it is there.
        command: What removes it; empty where that is not for a service to say.
    """

    what: str
    name: str
    why: str
    command: str = ""


def find_leftovers(account: Account, options: DeploymentOptions) -> list[Leftover]:
    """
    Return what could still bill: log groups, images, model files, keys, endpoints, Chalice's API.

    What the credentials may not list is named as such, not left out.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    found: list[Leftover] = []
    for what, look in _LOOKS.items():
        try:
            found.extend(look(account, options))
        except (BotoCoreError, ClientError) as error:
            found.append(Leftover(what=what, name="?", why=f"they could not be listed: {error}"))
    return found


def _log_groups(account: Account, options: DeploymentOptions) -> Iterator[Leftover]:
    prefixes = (
        f"/aws/sagemaker/Endpoints/{options.endpoint_name}",
        f"/aws/lambda/{options.stack}-",
        f"{options.stack}-",
    )
    logs = account.client("logs")
    for prefix in prefixes:
        for group in logs.describe_log_groups(logGroupNamePrefix=prefix)["logGroups"]:
            name = group["logGroupName"]
            yield Leftover(
                what="log group",
                name=name,
                why=f"{group.get('storedBytes', 0)} bytes are stored",
                command=f"aws logs delete-log-group --log-group-name {name}",
            )


def _images(account: Account, _options: DeploymentOptions) -> Iterator[Leftover]:
    ecr = account.client("ecr")
    name = f"{_BOOTSTRAP}-container-assets-{account.number}-{account.region}"
    for repository in ecr.describe_repositories()["repositories"]:
        if repository["repositoryName"] != name:
            continue
        images = ecr.describe_images(repositoryName=name)["imageDetails"]
        if images:
            size = sum(image.get("imageSizeInBytes", 0) for image in images)
            yield Leftover(
                what="ECR images",
                name=name,
                why=f"{len(images)} images of {size} bytes, of all CDK apps of this account",
                command="cdk gc --unstable=gc --type ecr",
            )


def _files(account: Account, _options: DeploymentOptions) -> Iterator[Leftover]:
    s3 = account.client("s3")
    name = f"{_BOOTSTRAP}-assets-{account.number}-{account.region}"
    if name in {bucket["Name"] for bucket in s3.list_buckets()["Buckets"]}:
        held = s3.list_objects_v2(Bucket=name)
        if held["KeyCount"]:
            more = " or more" if held.get("IsTruncated") else ""
            yield Leftover(
                what="S3 files",
                name=name,
                why=f"{held['KeyCount']}{more} templates and model files, of all CDK apps",
                command="cdk gc --unstable=gc --type s3",
            )


def _keys(account: Account, options: DeploymentOptions) -> Iterator[Leftover]:
    kms = account.client("kms")
    for page in kms.get_paginator("list_keys").paginate():
        for key in page["Keys"]:
            described = kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]
            if described.get("Description") != key_description(options.stack):
                continue
            state = described["KeyState"]
            if state == "PendingDeletion":
                continue  # it bills no more
            yield Leftover(
                what="KMS key",
                name=key["KeyId"],
                why=f"it is {state}, and bills by the month",
                command=f"aws kms schedule-key-deletion --key-id {key['KeyId']}",
            )


def _endpoints(account: Account, options: DeploymentOptions) -> Iterator[Leftover]:
    listed: dict[str, Any] = account.client("sagemaker").list_endpoints(MaxResults=_MOST)
    for endpoint in listed["Endpoints"]:
        name = endpoint["EndpointName"]
        own = name == options.endpoint_name
        yield Leftover(
            what="endpoint",
            name=name,
            why="it is still there" if own else "another one of this region: its instances bill",
            command=f"aws sagemaker delete-endpoint --endpoint-name {name}" if own else "",
        )


def _chalice_apis(account: Account, options: DeploymentOptions) -> Iterator[Leftover]:
    front = options.front
    if front is None or front.front is not Front.CHALICE:
        return
    for page in account.client("apigateway").get_paginator("get_rest_apis").paginate():
        for api in page["items"]:
            if api.get("name") == front.name:
                yield Leftover(
                    what="REST API",
                    name=api["id"],
                    why="Chalice made it and its function: both bill by the request",
                    command="chalice delete  # in the app's directory",
                )


def key_description(stack: str) -> str:
    """Return how a stack's key is described, by which it is known again."""
    return f"Volumes of the instances of {stack}"


_LOOKS: Final[dict[str, Callable[[Account, DeploymentOptions], Iterator[Leftover]]]] = {
    "log groups": _log_groups,
    "ECR images": _images,
    "S3 files": _files,
    "KMS keys": _keys,
    "endpoints": _endpoints,
    "REST APIs": _chalice_apis,
}
