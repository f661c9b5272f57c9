"""
Application Auto Scaling as a service of the local port.
"""

from tonnage.emulator.aws import AwsService
from tonnage.emulator.cloudwatch import CloudWatch
from tonnage.emulator.variants import Variants

from ._action_operations import ActionOperations
from ._policy_operations import PolicyOperations
from ._target_operations import TargetOperations
from .book import ScalingBook

__all__ = ["AutoScaling"]


class AutoScaling:
    """
    Scalable targets, policies and scheduled actions of one local port.

    Args:
        book: What is registered.
        cloudwatch: The metrics and the alarms.
        variants: What can be registered.
    """

    def __init__(self, book: ScalingBook, cloudwatch: CloudWatch, variants: Variants) -> None:
        self._targets = TargetOperations(book, variants)
        self._policies = PolicyOperations(book, cloudwatch)
        self._actions = ActionOperations(book)

    def service(self) -> AwsService:
        """Return its operations."""
        targets, policies, actions = self._targets, self._policies, self._actions
        return AwsService(
            name="application-autoscaling",
            target_prefix="AnyScaleFrontendService",
            operations={
                "DeleteScalingPolicy": policies.delete_scaling_policy,
                "DeleteScheduledAction": actions.delete_scheduled_action,
                "DeregisterScalableTarget": targets.deregister_scalable_target,
                "DescribeScalableTargets": targets.describe_scalable_targets,
                "DescribeScalingActivities": targets.describe_scaling_activities,
                "DescribeScalingPolicies": policies.describe_scaling_policies,
                "DescribeScheduledActions": actions.describe_scheduled_actions,
                "ListTagsForResource": targets.list_tags_for_resource,
                "PutScalingPolicy": policies.put_scaling_policy,
                "PutScheduledAction": actions.put_scheduled_action,
                "RegisterScalableTarget": targets.register_scalable_target,
                "TagResource": targets.tag_resource,
                "UntagResource": targets.untag_resource,
            },
        )
