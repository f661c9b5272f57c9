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

from typing import TYPE_CHECKING

from tonnage.domain.lazy import lazily as _lazily

if TYPE_CHECKING:
    from ._archive import ArchiveLimits, extract
    from ._fitted_columns import begins_with_text, known_categories
    from ._golden import read_rows
    from ._handlers import import_service
    from ._loading import (
        ALLOW_PICKLE_VARIABLE,
        ARCHIVE_NAME,
        LoadedModel,
        LoadedService,
        predict_golden,
        verify,
        verify_archive,
    )
    from ._manifest import FORMAT, MANIFEST_NAME, FileEntry, Golden, Manifest, ModelEntry
    from ._opening import Opened, open_pickle
    from ._packing import PackReport, pack
    from ._predictors import FittedPredictor, load_pickle
    from ._staleness import is_stale
    from ._tables import BOOLEAN_WORDS, MISSING_WORDS, Line, Table, read_table
    from .classified import Classified
    from .service import TYPICAL_RANGE, Features, Outputs, Service

__all__ = [
    "ALLOW_PICKLE_VARIABLE",
    "ARCHIVE_NAME",
    "BOOLEAN_WORDS",
    "FORMAT",
    "MANIFEST_NAME",
    "MISSING_WORDS",
    "TYPICAL_RANGE",
    "ArchiveLimits",
    "Classified",
    "Features",
    "FileEntry",
    "FittedPredictor",
    "Golden",
    "Line",
    "LoadedModel",
    "LoadedService",
    "Manifest",
    "ModelEntry",
    "Opened",
    "Outputs",
    "PackReport",
    "Service",
    "Table",
    "begins_with_text",
    "extract",
    "import_service",
    "is_stale",
    "known_categories",
    "load_pickle",
    "open_pickle",
    "pack",
    "predict_golden",
    "read_rows",
    "read_table",
    "verify",
    "verify_archive",
]

_HOMES = {
    "ALLOW_PICKLE_VARIABLE": "._loading",
    "ARCHIVE_NAME": "._loading",
    "BOOLEAN_WORDS": "._tables",
    "FORMAT": "._manifest",
    "MANIFEST_NAME": "._manifest",
    "MISSING_WORDS": "._tables",
    "TYPICAL_RANGE": ".service",
    "ArchiveLimits": "._archive",
    "Classified": ".classified",
    "Features": ".service",
    "FileEntry": "._manifest",
    "FittedPredictor": "._predictors",
    "Golden": "._manifest",
    "Line": "._tables",
    "LoadedModel": "._loading",
    "LoadedService": "._loading",
    "Manifest": "._manifest",
    "ModelEntry": "._manifest",
    "Opened": "._opening",
    "Outputs": ".service",
    "PackReport": "._packing",
    "Service": ".service",
    "Table": "._tables",
    "begins_with_text": "._fitted_columns",
    "extract": "._archive",
    "import_service": "._handlers",
    "is_stale": "._staleness",
    "known_categories": "._fitted_columns",
    "load_pickle": "._predictors",
    "open_pickle": "._opening",
    "pack": "._packing",
    "predict_golden": "._loading",
    "read_rows": "._golden",
    "read_table": "._tables",
    "verify": "._loading",
    "verify_archive": "._loading",
}

if not TYPE_CHECKING:  # a type checker sees the names above, and no others
    __getattr__ = _lazily(__name__, _HOMES)


def __dir__() -> list[str]:
    return __all__
