"""Text for a terminal that is 80 columns wide: sentences, and facts with their label beside them."""

import textwrap
from collections.abc import Iterator

_WIDTH, _LABEL = 80, 12


def fact(label: str, text: str) -> Iterator[str]:
    """Lay out a label and its text beside it."""
    yield from textwrap.wrap(
        " ".join(text.split()) if not text.startswith("  ") else text,
        _WIDTH,
        initial_indent=f"  {label:<{_LABEL - 2}}",
        subsequent_indent=" " * _LABEL,
        break_on_hyphens=False,
    )


def wrapped(text: str, indent: str = "") -> Iterator[str]:
    """Wrap a sentence; what follows its first line is indented."""
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
    )
