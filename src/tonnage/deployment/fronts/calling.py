"""
A ready line for the shell: how to ask a deployed front, or the endpoint itself.
"""

import shlex

from tonnage.planning import Front

from .options import FrontOptions

__all__ = ["curl_line", "runtime_url"]

_SIGNED = (
    '--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY"'
    ' -H "x-amz-security-token: $AWS_SESSION_TOKEN"'
)


def runtime_url(endpoint_name: str, region: str) -> str:
    """Return where ``InvokeEndpoint`` is asked for, without any front."""
    return f"https://runtime.sagemaker.{region}.amazonaws.com/endpoints/{endpoint_name}/invocations"


def curl_line(
    options: FrontOptions, *, url: str, region: str, api_key_id: str | None = None
) -> str:
    """
    Return a command that asks the front for one prediction.

    Credentials are read by the shell, from the environment; none is written here. Without a session
    token (a user's own keys) the empty header does no harm.

    Args:
        options: The front.
        url: Its URL: a stack's output, or ``runtime_url`` where there is none.
        region: Where it is.
        api_key_id: The key's id, for a front that asks for one.
    """
    words = ["curl", "-sS", shlex.quote(url), "-H 'content-type: application/json'"]
    if options.auth == "iam":
        service = "sagemaker" if options.front is Front.NONE else "execute-api"
        words += [f"--aws-sigv4 'aws:amz:{region}:{service}'", _SIGNED]
    elif options.auth == "api_key":
        wanted = f"--api-key {api_key_id or 'ID'} --region {region} --include-value"
        ask = f"aws apigateway get-api-key {wanted} --query value --output text"
        words.append(f'-H "x-api-key: $({ask})"')
    return " ".join([*words, "-d", shlex.quote(options.example_body)])
