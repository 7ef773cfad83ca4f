"""A mutation: one place of the code that matters, made wrong on purpose, and the tests that must say so."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Edit:
    """Text of a file replaced by other text: the first such text after `after`, which stands there once."""

    file: str
    after: str
    old: str
    new: str

    def place(self, text: str) -> int:
        """Return where the old text begins.

        Raises:
            LookupError: The file has no such text any more, or more than one such beginning.
        """
        if text.count(self.after) != 1:
            raise LookupError(
                f"{self.file}: {self.after!r} stands there {text.count(self.after)} times, not once"
            )
        found = text.find(self.old, text.index(self.after))
        if found < 0:
            raise LookupError(f"{self.file}: {self.old!r} does not stand after {self.after!r}")
        return found

    def applied(self, text: str) -> str:
        """Return the text with the replacement made."""
        at = self.place(text)
        return text[:at] + self.new + text[at + len(self.old) :]


@dataclass(frozen=True, slots=True)
class Mutation:
    """What is made wrong, the promise that it would break, and the tests that must fail with it."""

    name: str
    promise: str
    edits: tuple[Edit, ...]
    tests: tuple[str, ...]

    def apply(self, root: Path) -> dict[Path, str]:
        """Make the edits in a tree; return what stood in each file before."""
        before: dict[Path, str] = {}
        for edit in self.edits:
            path = root / edit.file
            text = path.read_text("utf-8")
            before.setdefault(path, text)
            path.write_text(edit.applied(text), "utf-8")
        return before
