"""
What AWS would refuse, refused before anything is synthesised, with the reason.

Quotas, instance types, bounds, and serverless sizes are the planning room's own checks; what only a
deployment has (names, keys, guardrails, the image) is checked here. Sources: the patterns and
ranges of botocore's service models, and the Developer Guide's pages on serverless endpoints,
deployment guardrails and automatic scaling.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from tonnage.domain import ConfigurationError, format_bytes
from tonnage.planning import (
    CallShape,
    Limits,
    PriceBook,
    check_capacity,
    check_serverless,
    find_type,
)

from .scaling_checks import scaling_faults
from .settings import (
    CREATE_KEY,
    DeploymentOptions,
    Guardrails,
    InstanceVariant,
    ModelSource,
    ServerlessVariant,
)

__all__ = ["ECR_IMAGE", "check_deployment", "check_image_size", "check_log_retention"]

ECR_IMAGE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)(?::[\w.-]+|@sha256:[0-9a-f]{64})"
)
"""An image's name in Amazon ECR, with its tag or digest."""

_STACK: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_NAME: Final = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}")
_VARIABLE: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_KEY: Final = re.compile(
    r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|alias/[\w/-]+"
    r"|arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key/[\w-]+|alias/[\w/-]+)"
)
_TOPIC: Final = re.compile(r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]+")
_RETENTIONS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
_LONGEST: Final = 1024
_MOST_VARIABLES: Final = 100
_MOST_TAGS: Final = 50
_STARTUP_SECONDS: Final = (60, 3600)
_WAIT_SECONDS: Final = (0, 3600)
_STEP_FRACTIONS: Final = {"canary": (0.01, 0.5), "linear": (0.1, 0.5), "rolling": (0.05, 0.5)}
_STEPPED_FLEET: Final = 2
_SERVERLESS_IMAGE_BYTES: Final = 10 * 10**9


def check_deployment(options: DeploymentOptions, book: PriceBook, limits: Limits) -> None:
    """
    Refuse a deployment that AWS would refuse.

    Args:
        options: What is to be deployed.
        book: The instance types there are.
        limits: The account's quotas.

    Raises:
        ConfigurationError: If it would be; the message names the setting, the value and what is
            allowed. All that is wrong is named at once.
    """
    faults = list(_faults(options, book, limits))
    if faults:
        raise ConfigurationError(
            "; ".join(fault.message for fault in faults),
            hint=next((fault.hint for fault in faults if fault.hint), None),
        )


def check_image_size(options: DeploymentOptions, size_bytes: int) -> None:
    """
    Refuse an image that a serverless endpoint cannot take: 10 GB is the most.

    Raises:
        ConfigurationError: If it is larger.
    """
    if isinstance(options.variant, ServerlessVariant) and size_bytes > _SERVERLESS_IMAGE_BYTES:
        raise ConfigurationError(
            f"the image of {format_bytes(size_bytes)} is too large for a serverless endpoint,"
            " which takes 10 GB",
            hint="deploy it to instances ([deployment] kind), or make the image smaller",
        )


def check_log_retention(days: int) -> None:
    """
    Refuse a period for which CloudWatch Logs keeps nothing.

    Raises:
        ConfigurationError: If it is none of those that there are.
    """
    if days not in _RETENTIONS:
        raise ConfigurationError(
            f"[deployment] log_retention_days {days} is none that CloudWatch Logs has:"
            f" {', '.join(map(str, _RETENTIONS))}"
        )


def _faults(
    options: DeploymentOptions, book: PriceBook, limits: Limits
) -> Iterator[ConfigurationError]:
    yield from _names(options)
    yield from _encryption(options)
    yield from _model(options.model, options.region)
    variant = options.variant
    if isinstance(variant, ServerlessVariant):
        yield from _serverless(variant, limits)
    else:
        yield from _instances(variant, book, limits)
        yield from _guardrails(options.guardrails, variant)


def _names(options: DeploymentOptions) -> Iterator[ConfigurationError]:
    if not _STACK.fullmatch(options.stack):
        yield ConfigurationError(
            f"[aws] stack {options.stack!r} is no stack's name: letters, digits and hyphens, from a"
            " letter on, at most 128"
        )
    if not _REGION.fullmatch(options.region):
        yield ConfigurationError(f"[aws] region {options.region!r} is no region: write us-east-1")
    for what, name in (
        ("[service] name", options.endpoint_name),
        ("[endpoint] variant", options.variant.variant_name),
    ):
        if not _NAME.fullmatch(name):
            yield ConfigurationError(
                f"{what} {name!r} is no name that SageMaker takes: letters, digits and single"
                " hyphens between them, at most 63"
            )
    if len(options.tags) > _MOST_TAGS:
        yield ConfigurationError(f"[aws] tags: {len(options.tags)} are more than {_MOST_TAGS}")
    for key, value in options.tags.items():
        if not 1 <= len(key) <= 128 or len(value) > 256 or key.lower().startswith("aws:"):  # noqa: PLR2004 (of a tag)
            yield ConfigurationError(
                f"[aws] tags: {key!r} = {value!r} is refused: keys have 1 to 128 characters and do"
                " not begin with aws:, values have at most 256"
            )
    yield from _caught(lambda: check_log_retention(options.observability.log_retention_days))


def _encryption(options: DeploymentOptions) -> Iterator[ConfigurationError]:
    key, topic = options.kms_key, options.observability.alarm_topic
    if key not in {None, CREATE_KEY} and not _KEY.fullmatch(key or ""):
        yield ConfigurationError(
            f"[deployment] kms_key {key!r} is no key's ARN, id or alias, nor {CREATE_KEY!r}"
        )
    if key is not None and isinstance(options.variant, ServerlessVariant):
        yield ConfigurationError(
            "[deployment] kms_key encrypts the volumes of instances, and a serverless endpoint has"
            " none"
        )
    if topic is not None and not _TOPIC.fullmatch(topic):
        yield ConfigurationError(f"[deployment] alarm_topic {topic!r} is no SNS topic's ARN")


def _model(model: ModelSource, region: str) -> Iterator[ConfigurationError]:
    if model.image_uri is not None:
        image = ECR_IMAGE.fullmatch(model.image_uri)
        if image is None:
            yield ConfigurationError(
                f"[deployment] image_uri {model.image_uri!r} is no image in Amazon ECR, from which"
                " SageMaker pulls: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME:TAG"
            )
        elif image["region"] != region:
            yield ConfigurationError(
                f"[deployment] image_uri is in {image['region']}, the endpoint in {region}:"
                " SageMaker pulls from its own region",
                hint="push the image there, or turn on ECR's replication",
            )
    low, high = _STARTUP_SECONDS
    if not low <= model.startup_timeout_seconds <= high:
        yield ConfigurationError(
            f"[deployment] startup_timeout must be {low} s to {high} s, not"
            f" {model.startup_timeout_seconds:g} s"
        )
    if len(model.environment) > _MOST_VARIABLES:
        yield ConfigurationError(
            f"[deployment] environment: {len(model.environment)} variables are more than 100"
        )
    for name, value in model.environment.items():
        if not _VARIABLE.fullmatch(name) or max(len(name), len(value.encode())) > _LONGEST:
            yield ConfigurationError(
                f"[deployment] environment: {name!r} is refused: letters, digits and underscores,"
                " and name and value of at most 1,024 bytes"
            )


def _serverless(variant: ServerlessVariant, limits: Limits) -> Iterator[ConfigurationError]:
    yield from _caught(
        lambda: check_serverless(
            variant.memory_size_mb, variant.max_concurrency, CallShape(), limits
        )
    )
    provisioned = variant.provisioned_concurrency
    if provisioned is not None and not 1 <= provisioned <= variant.max_concurrency:
        yield ConfigurationError(
            f"ProvisionedConcurrency must be between 1 and MaxConcurrency"
            f" {variant.max_concurrency}, not {provisioned}"
        )


def _instances(
    variant: InstanceVariant, book: PriceBook, limits: Limits
) -> Iterator[ConfigurationError]:
    scaling, count = variant.scaling, variant.initial_instance_count
    yield from _caught(
        lambda: check_capacity(
            find_type(variant.instance_type, book),
            min_capacity=scaling.min_capacity if scaling else count,
            max_capacity=scaling.max_capacity if scaling else count,
            scales=scaling is not None,
            limits=limits,
        )
    )
    if scaling is None:
        return
    if not scaling.min_capacity <= count <= scaling.max_capacity:
        yield ConfigurationError(
            f"[endpoint] initial_instance_count {count} is outside [scaling]"
            f" min_capacity {scaling.min_capacity} and max_capacity {scaling.max_capacity}"
        )
    yield from scaling_faults(scaling)


def _guardrails(rails: Guardrails, variant: InstanceVariant) -> Iterator[ConfigurationError]:
    low, high = _WAIT_SECONDS
    for name, seconds in (
        ("update_wait", rails.wait_seconds),
        ("keep_old", rails.keep_old_seconds),
    ):
        if not low <= seconds <= high:
            yield ConfigurationError(
                f"[deployment] {name} must be {low} s to {high} s, not {seconds:g} s"
            )
    if rails.update == "all_at_once":
        return
    smallest, largest = _STEP_FRACTIONS[rails.update]
    if not smallest <= rails.step_fraction <= largest:
        yield ConfigurationError(
            f"[deployment] update_step of a {rails.update} update must be {smallest:.0%} to"
            f" {largest:.0%} of the fleet, not {rails.step_fraction:.0%}"
        )
    fewest = variant.scaling.min_capacity if variant.scaling else variant.initial_instance_count
    if fewest < _STEPPED_FLEET:
        yield ConfigurationError(
            f"[deployment] update = {rails.update!r} moves at most half of the fleet at a time, and"
            f" the fleet may be {fewest} instance",
            hint="raise min_capacity to 2, or update all_at_once: the old fleet stays for keep_old",
        )


def _caught(check: Callable[[], None]) -> Iterator[ConfigurationError]:
    try:
        check()
    except ConfigurationError as error:
        yield error
