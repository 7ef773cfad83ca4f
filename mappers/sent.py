"""Hold what was sent, or may have been, for an aggregate and for the original of a refund."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from mappers.endpoints import ENDPOINTS

_FIELDS = frozenset({"endpoint", "number", "state", "document", "snapshot", "of_original"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A document as it was sent, with the snapshot that it was made from (None: the same as today's).

    `pushed` is accepted by AiAccount, `in_doubt` was attempted with unknown outcome. `of_original` marks a
    document of the sale that the aggregate refunds.
    """

    endpoint: str
    number: str
    state: Literal["pushed", "in_doubt"]
    document: Mapping[str, Any]
    snapshot: Mapping[str, Any] | None
    of_original: bool = False

    @property
    def in_doubt(self) -> bool:
        """Say whether the document's fate is unknown."""
        return self.state == "in_doubt"

    def field(self, name: str) -> Any:  # noqa: ANN401  # a document's JSON
        """Give a field of the document.

        Raises:
            ValueError: the document has none, so no mapper made it.
        """
        if name not in self.document:
            raise ValueError(f"the sent document {self.number} has no {name}")
        return self.document[name]

    @classmethod
    def from_json(cls, value: object) -> "Sent":
        """Read the form of the vectors.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind; the message names it.
        """
        if not isinstance(value, Mapping):
            raise ValueError("sent must be a list of objects")  # noqa: TRY004  # bad input is one kind of error
        if unknown := set(value) - _FIELDS:
            raise ValueError(f"sent.{min(unknown, key=str)} is not a known field")
        if value.get("endpoint") not in ENDPOINTS:
            raise ValueError(f"sent.endpoint must be one of {', '.join(ENDPOINTS)}")
        if value.get("state") not in {"pushed", "in_doubt"}:
            raise ValueError("sent.state must be pushed or in_doubt")
        kinds = {"number": str, "document": Mapping, "snapshot": Mapping | None, "of_original": bool}
        for field, kind in kinds.items():
            if not isinstance(value.get(field, False if field == "of_original" else None), kind):
                raise ValueError(f"sent.{field} is missing or of the wrong kind")  # noqa: TRY004  # the same
        return cls(
            endpoint=cast("str", value["endpoint"]),
            number=value["number"],
            state=value["state"],
            document=value["document"],
            snapshot=value.get("snapshot"),
            of_original=value.get("of_original", False),
        )
