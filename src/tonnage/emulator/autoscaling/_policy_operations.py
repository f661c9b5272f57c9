"""
Operations on scaling policies.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from tonnage.emulator.cloudwatch import CloudWatch

from ._target_operations import is_about, limited, paged
from .attaching import attached_tracking, step_policy
from .book import DIMENSION, NAMESPACE, ScalingBook, invalid
from .records import Policy, Target

__all__ = ["PolicyOperations"]

_MOST_POLICIES: Final = 50
_TRACKING: Final = "TargetTrackingScaling"
_STEP: Final = "StepScaling"
_MEMBERS: Final = {
    _TRACKING: "TargetTrackingScalingPolicyConfiguration",
    _STEP: "StepScalingPolicyConfiguration",
}


@dataclass(frozen=True, slots=True)
class PolicyOperations:
    """
    The operations.

    Attributes:
        book: What is registered.
        cloudwatch: The metrics and the alarms.
    """

    book: ScalingBook
    cloudwatch: CloudWatch

    async def put_scaling_policy(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Put a policy on a target, or change one."""
        target = self.book.target(given)
        policy = self._policy(target, given)
        if policy.name not in target.policies:
            limited(len(target.policies), _MOST_POLICIES, "scaling policies on this target")
        self._check(target, policy)
        target.policies[policy.name] = policy
        self.book.tell(target.resource_id)
        return {"PolicyARN": policy.arn, "Alarms": self._alarms(policy, own=True)}

    async def delete_scaling_policy(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Delete a policy and the alarms it owns."""
        target = self.book.target(given)
        if target.policies.pop(given["PolicyName"], None) is None:
            raise self.book.missing(f"scaling policy {given['PolicyName']}", given)
        self.book.tell(target.resource_id)
        return {}

    async def describe_scaling_policies(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the policies."""
        names, wanted = given.get("PolicyNames"), given.get("ResourceId")
        found = [
            self._described(target, policy)
            for resource_id, target in sorted(self.book.targets.items())
            for policy in target.policies.values()
            if is_about(given)
            and wanted in {None, resource_id}
            and (names is None or policy.name in names)
        ]
        return paged("ScalingPolicies", found, given)

    def _policy(self, target: Target, given: Mapping[str, Any]) -> Policy:
        name = given["PolicyName"]
        known = target.policies.get(name)
        kind = given.get("PolicyType", known.kind if known else _STEP)
        if kind not in _MEMBERS:
            raise invalid(f"The policy type {kind} is not emulated")
        if known is not None and known.kind != kind:
            raise invalid(f"The policy {name} is of the type {known.kind}, which cannot be changed")
        if _MEMBERS[kind] not in given:
            raise invalid(f"{_MEMBERS[kind]} is required for the policy type {kind}")
        if known is not None:
            return replace(known, configuration=given[_MEMBERS[kind]])
        book = self.book
        place = f"arn:aws:autoscaling:{book.region}:{book.account}:scalingPolicy"
        identity = uuid.uuid5(uuid.NAMESPACE_URL, f"{target.resource_id}/{name}")
        return Policy(
            name=name,
            arn=f"{place}:{identity}:resource/{NAMESPACE}/{target.resource_id}:policyName/{name}",
            kind=kind,
            configuration=given[_MEMBERS[kind]],
            created_seconds=book.wall.clock.now_seconds(),
        )

    def _check(self, target: Target, policy: Policy) -> None:
        if policy.kind == _STEP:
            step_policy(policy.configuration)
            return
        new = attached_tracking(policy, target, self.cloudwatch.store)
        for other in target.policies.values():
            if other.kind != _TRACKING or other.name == policy.name:
                continue
            if attached_tracking(other, target, self.cloudwatch.store).metric == new.metric:
                raise invalid(
                    "Only one TargetTrackingScaling policy for a given metric specification "
                    f"is allowed; {other.name} has it"
                )

    def _alarms(self, policy: Policy, *, own: bool = False) -> list[dict[str, str]]:
        return [
            {"AlarmName": alarm.name, "AlarmARN": alarm.arn}
            for alarm in self.cloudwatch.alarms.all()
            if policy.arn in alarm.members["AlarmActions"] and (alarm.owner or not own)
        ]

    def _described(self, target: Target, policy: Policy) -> dict[str, Any]:
        return {
            "PolicyARN": policy.arn,
            "PolicyName": policy.name,
            "ServiceNamespace": NAMESPACE,
            "ResourceId": target.resource_id,
            "ScalableDimension": DIMENSION,
            "PolicyType": policy.kind,
            _MEMBERS[policy.kind]: policy.configuration,
            "Alarms": self._alarms(policy),
            "CreationTime": self.book.wall.epoch_of(policy.created_seconds),
        }
