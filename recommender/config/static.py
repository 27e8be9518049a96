"""Where static files are collected: hashed, and compressed once for all who ask."""

from typing import Any

from whitenoise.compress import Compressor
from whitenoise.storage import CompressedManifestStaticFilesStorage


class CollectedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]
    """WhiteNoise's storage without Brotli, which is there for the fonts.

    For every file it would take most of a minute of the first start, and win a few kilobytes.
    """

    def create_compressor(self, **kwargs: Any) -> Compressor:
        return Compressor(use_brotli=False, **kwargs)
