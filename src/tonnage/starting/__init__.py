"""
A fitted model and a sample of its rows → a directory that packs, serves and is load-tested.

``init`` opens the model once, reads the sample with the standard library, tries how the model takes
its rows, and writes ``service.py``, ``tonnage.toml`` and ``locustfile.py``. Before anything is
written, the service is imported and predicts the sample. What is written belongs to the user: it is
never read back, and never overwritten unasked.

It costs the import of scikit-learn and one prediction of a few rows.
"""

from ._init import InitReport, init

__all__ = ["InitReport", "init"]
