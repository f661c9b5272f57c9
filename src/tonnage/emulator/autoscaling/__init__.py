"""
A local Application Auto Scaling: scalable targets whose policies move real instances.

The operations write down what is registered, put and deleted; ``TargetLaw`` turns it into the
policies of ``tonnage.scaling`` and keeps their memory; ``ScalingLoop`` shows them each period's
datapoints; ``Executor`` carries out what they decide, and writes down what happened.
"""

from .book import ScalingBook
from .loop import ScalingLoop
from .service import AutoScaling

__all__ = ["AutoScaling", "ScalingBook", "ScalingLoop"]
