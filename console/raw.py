"""A document as JSON: as it was sent, or as it would be sent now. Pure."""

import json
from collections.abc import Sequence
from typing import Any

from console.story import Story
from mappers import Push, canonical
from outbox.endpoints import Endpoint
from outbox.errors import UsageError


def raw(stories: Sequence[Story], number: str, endpoint: Endpoint | None) -> tuple[dict[str, Any], str]:
    """Return the document of this number, and whether it was sent.

    Raises:
        UsageError: It was not sent and would not be; `explain` without --raw says why.
    """
    for story in stories:
        for entry in reversed(story.documents):
            if entry.number == number and endpoint in {None, entry.endpoint} and entry.document is not None:
                return dict(entry.document), "as it was sent"
    for story in stories:
        for kind, said in (story.outcomes or {}).items():
            for one in () if isinstance(said, str) or endpoint not in {None, kind} else said:
                if isinstance(one, Push) and one.number == number:
                    return dict(json.loads(canonical(one.document))), "as it would be sent now"
    raise UsageError(
        f"{number} was not sent, and now it would not be either: `aiaccount-sync explain {number}` says why"
    )
