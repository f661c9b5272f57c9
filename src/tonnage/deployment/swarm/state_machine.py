"""
What runs a swarm's tasks, waits for them and stops them, and the role that it takes for that.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_ecs, aws_iam

from .options import SwarmOptions
from .task import RUN_VARIABLE

__all__ = ["machine_definition", "running_role"]

_AT_A_TIME: Final = 10  # what one RunTask starts at most
_STARTUP_SECONDS: Final = 600


def running_role(
    stack: cdk.Stack, cluster: aws_ecs.Cluster, tasks: Mapping[str, aws_ecs.FargateTaskDefinition]
) -> aws_iam.Role:
    """Return a role that may start these task definitions here, and stop what runs here."""
    role = aws_iam.Role(
        stack,
        "Runner",
        assumed_by=aws_iam.ServicePrincipal("states.amazonaws.com"),
        description="Starts and stops the swarm's tasks",
    )
    any_task = stack.format_arn(
        service="ecs", resource="task", resource_name=f"{cluster.cluster_name}/*"
    )
    rule = stack.format_arn(
        service="events", resource="rule", resource_name="StepFunctionsGetEventsForECSTaskRule"
    )
    here = {"ArnEquals": {"ecs:cluster": cluster.cluster_arn}}
    roles = [
        each.role_arn
        for task in tasks.values()
        for each in (task.task_role, task.obtain_execution_role())
    ]
    for sid, actions, resources, conditions in (
        (
            "StartTasks",
            ["ecs:RunTask"],
            [task.task_definition_arn for task in tasks.values()],
            here,
        ),
        ("StopTasks", ["ecs:StopTask", "ecs:DescribeTasks"], [any_task], here),
        (
            "HearOfTheirEnd",
            ["events:PutTargets", "events:PutRule", "events:DescribeRule"],
            [rule],
            {},
        ),
        (
            "GiveThemTheirRoles",
            ["iam:PassRole"],
            roles,
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
    ):
        role.add_to_policy(
            aws_iam.PolicyStatement(
                sid=sid, actions=actions, resources=resources, conditions=conditions
            )
        )
    return role


def machine_definition(
    options: SwarmOptions,
    cluster_arn: str,
    tasks: Mapping[str, aws_ecs.FargateTaskDefinition],
    groups: Mapping[str, str],
    subnets: Sequence[str],
) -> dict[str, Any]:
    """
    Return the state machine: all tasks at once, and a time to live for the whole.

    Args:
        options: The test.
        cluster_arn: Where the tasks run.
        tasks: Role → its task definition.
        groups: Role → its security group's id.
        subnets: The ids of the subnets that the tasks are put into.
    """

    def running(role: str, count: int) -> dict[str, Any]:
        return {
            "Type": "Task",
            # .sync waits for their end, and stops them when the execution is stopped or times out.
            "Resource": f"arn:{cdk.Aws.PARTITION}:states:::ecs:runTask.sync",
            "Parameters": {
                "Cluster": cluster_arn,
                "TaskDefinition": tasks[role].task_definition_arn,
                "LaunchType": "FARGATE",
                "Count": count,
                "NetworkConfiguration": {
                    "AwsvpcConfiguration": {
                        "AssignPublicIp": "ENABLED",
                        "SecurityGroups": [groups[role]],
                        "Subnets": list(subnets),
                    }
                },
                "Overrides": {
                    "ContainerOverrides": [
                        {
                            "Name": "locust",
                            "Environment": [{"Name": RUN_VARIABLE, "Value.$": "$$.Execution.Name"}],
                        }
                    ]
                },
            },
            "TimeoutSeconds": round(options.life_seconds),
            "End": True,
        }

    counts = [
        min(_AT_A_TIME, options.workers - started)
        for started in range(0, options.workers, _AT_A_TIME)
    ]
    branches = [("Master", running("master", 1))]
    branches += [
        (f"Workers{number}", running("worker", count)) for number, count in enumerate(counts, 1)
    ]
    return {
        "Comment": "One load test: it ends when its tasks have, or at its time to live",
        "StartAt": "Swarm",
        "TimeoutSeconds": round(options.life_seconds) + _STARTUP_SECONDS,
        "States": {
            "Swarm": {
                "Type": "Parallel",
                "Branches": [
                    {"StartAt": name, "States": {name: state}} for name, state in branches
                ],
                "End": True,
            }
        },
    }
