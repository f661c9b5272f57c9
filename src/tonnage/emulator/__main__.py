"""Run an endpoint for ``up_in_background``."""

import sys

from ._background import main

sys.exit(main())
