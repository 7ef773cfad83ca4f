"""Read the checker's own SQL: `-- name:` lines divide a file into statements."""

import re
from functools import cache
from importlib.resources import files
from typing import LiteralString, cast

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def statement(file: str, name: str) -> LiteralString:
    """Return the statement, or the script of several, that stands under ``name`` in ``file``.

    Raises:
        KeyError: the file has no such name.
    """
    _, *parts = _NAME.split(files("deploy.checker").joinpath(file).read_text("utf-8"))
    named = dict(zip(parts[::2], parts[1::2], strict=True))
    return cast("LiteralString", named[name])
