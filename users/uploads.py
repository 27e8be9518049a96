"""Files that people send: no more of them is kept than any of our pages takes."""

from typing import Any

from django.core.files.uploadhandler import FileUploadHandler, StopUpload

from users.importers.history.documents import LARGEST_BYTES

TOO_LARGE = "upload_too_large"
"""The key in `request.META` by which a page knows that it was not given a file, and why."""


class Bounded(FileUploadHandler):
    """Lets no file pass that is larger than `LARGEST_BYTES`: the rest is not even written down."""

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self._size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self._size += len(raw_data)
        if self._size > LARGEST_BYTES:
            if self.request is not None:
                self.request.META[TOO_LARGE] = True
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """Leave the file to the handlers that follow."""
