"""
Run records → one self-contained HTML page, PNG pictures and a Markdown summary.

Nothing is measured here. Raw samples are cut into whole seconds (``series``), put into words
(``facts``) and drawn on axes that all experiments share (``scales``, ``panels``, ``charts``,
``figures``). The page (``page``) carries its data, its charts and the library that draws them,
about a megabyte, so that it still opens years later, offline.
"""

from .sections import Section
from .writing import ReportFiles, report

__all__ = ["ReportFiles", "Section", "report"]
