"""Carry a check that a row fails from where it is found to where it becomes a block or a conflict."""


class CheckFailedError(Exception):
    """A row fails a check; a person must mend the row or, with a key, the settings."""

    def __init__(self, code: str, key: str | None = None) -> None:
        super().__init__(code if key is None else f"{code} {key}")
        self.code = code
        self.key = key
