"""Write a document as bytes, in one way only, so that the same content is always the same bytes."""

import json
from collections.abc import Mapping, Sequence

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical(document: Mapping[str, object] | Sequence[object]) -> bytes:
    """Serialise a document: UTF-8 JSON without spaces, keys in the order in which the mapper built them."""
    return _ENCODER.encode(document).encode()
