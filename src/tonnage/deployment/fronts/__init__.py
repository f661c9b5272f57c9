"""
One function, four fronts: what stands before an endpoint on AWS.

``rest`` is a REST API that calls SageMaker itself and checks the body by a JSON schema; ``http`` an
HTTP API with a Lambda function that runs ``api.Front``; ``chalice`` the same function as an AWS
Chalice app; ``none`` the endpoint, for signed requests. Whichever it is, a client sees the status
and the envelope that the local port answers with.

The constructs are not imported from here, because importing the CDK starts Node.js: they are
``fronts.rest_api.RestFront``, ``fronts.http_api.HttpFront`` and ``fronts.front_stack.FrontStack``.
A Lambda package costs a second to write and 11 MB.
"""

from .calling import curl_line, runtime_url
from .options import Auth, FrontOptions
from .package import FrontPackage, write_lambda_package

__all__ = [
    "Auth",
    "FrontOptions",
    "FrontPackage",
    "curl_line",
    "runtime_url",
    "write_lambda_package",
]
