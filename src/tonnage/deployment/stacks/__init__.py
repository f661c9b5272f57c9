"""
The CDK app: what is deployed, as constructs.

Only these modules import ``aws_cdk``, which starts Node.js; ``synthesis`` imports them when
something is synthesised.
"""
