"""Say what is to be done about one document, in one of six ways."""

from dataclasses import dataclass
from typing import Any, TypeAlias


@dataclass(frozen=True, slots=True)
class Push:
    """A document to send, in full."""

    document: dict[str, Any]

    @property
    def number(self) -> str:
        """Give the document's number."""
        number: str = self.document["number"]
        return number

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        return {"push": self.document}


@dataclass(frozen=True, slots=True)
class Skip:
    """A document that is not the tenant's to post, or that there is nothing to post of."""

    code: str
    number: str

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        return {"skip": self.code, "number": self.number}


@dataclass(frozen=True, slots=True)
class Block:
    """A document that a person must mend something for: the row or, with a key, the settings."""

    code: str
    number: str
    key: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        plain = {"block": self.code, "number": self.number}
        return plain if self.key is None else {**plain, "key": self.key}


@dataclass(frozen=True, slots=True)
class Wait:
    """A document that hangs on another that was not sent yet, or is in conflict."""

    number: str

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        return {"wait": self.number}


@dataclass(frozen=True, slots=True)
class Conflict:
    """A document that was sent and no longer says what its row says: a person decides."""

    code: str
    number: str

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        return {"conflict": self.code, "number": self.number}


@dataclass(frozen=True, slots=True)
class Accepted:
    """A document that no longer says what its row says, and a person accepted that as it stands."""

    code: str
    number: str

    def to_json(self) -> dict[str, Any]:
        """Give the form of the vectors."""
        return {"accepted": self.code, "number": self.number}


Outcome: TypeAlias = Push | Skip | Block | Wait | Conflict | Accepted


def in_conflict(code: str, number: str, *, accepted: bool) -> Conflict | Accepted:
    """Say that a document differs from its row: a person decides, or has accepted it."""
    return Accepted(code, number) if accepted else Conflict(code, number)
