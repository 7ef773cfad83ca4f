"""How much of the world is explored, and which parts of the protocol can be left out."""

from dataclasses import dataclass, replace

from tests.model.state import INVOICE, RECEIPT


@dataclass(frozen=True, slots=True)
class Scope:
    """A world: what the till does, whether there is a receipt, and what may go wrong.

    `lossy`: messages of the till vanish too, not only those of the sweep. `reconciles`: the reconciliation
    runs. `lands_late`: a call may land more than two minutes after it began. `without` names parts left out.
    """

    name: str
    about: str
    acts: tuple[str, ...]
    receipt: bool = False
    lossy: bool = False
    reconciles: bool = False
    crashes: bool = True
    timeouts: bool = True
    lands_late: bool = False
    without: frozenset[str] = frozenset()

    @property
    def endpoints(self) -> tuple[int, ...]:
        """The endpoints that have a task."""
        return (INVOICE, RECEIPT) if self.receipt else (INVOICE,)

    def leaving_out(self, *parts: str) -> "Scope":
        """Return the same world with parts of the protocol left out."""
        reconciles = self.reconciles and "reconciliation" not in parts
        return replace(self, without=frozenset(parts), reconciles=reconciles)
