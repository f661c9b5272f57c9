"""
The reference service's front.
"""

import pytest

from tonnage.api import Front
from tonnage.artefact import LoadedModel


@pytest.fixture(scope="session")
def front(loaded: LoadedModel) -> Front:
    return Front(loaded, name="real-estate-evaluation", route="/evaluate")
