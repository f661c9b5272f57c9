"""Run an endpoint for ``up_in_background``."""

import sys

from ._up import main

sys.exit(main())
