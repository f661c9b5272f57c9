"""
Taking a packed model to where it runs: the container image so far.

``build_image`` makes the image from an artefact with the Docker engine of this machine;
``write_image_context`` writes what it is built from, for any other builder. Building costs one
download of the pinned packages (about 60 MB for a compiled model), cached as a layer until the
pins change.
"""

from ._context import DEFAULT_BASE, dockerfile, write_image_context
from .image import ImageReport, build_image

__all__ = [
    "DEFAULT_BASE",
    "ImageReport",
    "build_image",
    "dockerfile",
    "write_image_context",
]
