"""
Pack, verify, load: a model, its service and what they promise, as one directory without a pickle.

::

    ARTEFACT/
      manifest.json     hashes, versions, schemas, what the model became, golden predictions
      model.onnx        or model.skops; model.joblib only when its owner allowed it
      code/service.py   the service, and what it imports from beside it
      model.tar.gz      all of the above as one file, for SageMaker

A pickle is opened once, by its owner, in ``pack``. Whoever loads the artefact checks every hash
before anything in it is used. Packing costs seconds (it imports scikit-learn and the converters);
loading a compiled artefact imports neither.
"""

from ._archive import ArchiveLimits, extract
from ._golden import read_rows
from ._handlers import import_service
from ._loading import (
    ALLOW_PICKLE_VARIABLE,
    ARCHIVE_NAME,
    LoadedModel,
    LoadedService,
    predict_golden,
    verify,
)
from ._manifest import FORMAT, MANIFEST_NAME, FileEntry, Golden, Manifest, ModelEntry
from ._opening import Opened, open_pickle
from ._packing import PackReport, is_stale, pack
from ._predictors import FittedPredictor, load_pickle
from .classified import Classified
from .service import TYPICAL_RANGE, Features, Outputs, Service

__all__ = [
    "ALLOW_PICKLE_VARIABLE",
    "ARCHIVE_NAME",
    "FORMAT",
    "MANIFEST_NAME",
    "TYPICAL_RANGE",
    "ArchiveLimits",
    "Classified",
    "Features",
    "FileEntry",
    "FittedPredictor",
    "Golden",
    "LoadedModel",
    "LoadedService",
    "Manifest",
    "ModelEntry",
    "Opened",
    "Outputs",
    "PackReport",
    "Service",
    "extract",
    "import_service",
    "is_stale",
    "load_pickle",
    "open_pickle",
    "pack",
    "predict_golden",
    "read_rows",
    "verify",
]
