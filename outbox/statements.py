"""Named SQL statements from the `.sql` files that stand next to the Python that runs them.

SQL is written as SQL. In a file each statement follows a line `-- name: claim_tasks`, then a comment that
says what it is for. Statements take psycopg's named parameters, `%(name)s`.
"""

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType

_NAME = re.compile(r"^-- name: *(\w+) *$", re.MULTILINE)


@cache
def statements(package: str, file: str) -> Mapping[str, str]:
    """Read a file of named statements.

    Args:
        package: The package that the file stands in, such as `"outbox"`.
        file: The file's name, such as `"due.sql"`.

    Returns:
        The text of each statement by its name.

    Raises:
        ValueError: The file has text before its first name, or one name twice.
    """
    head, *parts = _NAME.split(files(package).joinpath(file).read_text("utf-8"))
    if any(line and not line.startswith("--") for line in head.splitlines()):
        raise ValueError(f"{package}/{file}: a statement without a name")
    named = {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}
    if len(named) * 2 != len(parts):
        raise ValueError(f"{package}/{file}: a name stands twice")
    return MappingProxyType(named)
