"""What is wrong with a recording."""

from __future__ import annotations

CONVERT = "convert it anew, e.g. with sox or ffmpeg"
COPY = "copy or record it again"


class FormatError(Exception):
    """What is wrong with a file and how to mend it, without the name of the file."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
