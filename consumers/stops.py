"""What this process has just learnt: keys that are refused, and tenants that have called too often.

Only a hint: it saves the calls that are already on their way to the same refusal. It names the versions it
was learnt with, so a new key or new settings are never held back.
"""

from consumers.accounts import Account
from consumers.judge import Stop
from consumers.outcomes import Outcome, Treatment
from outbox.endpoints import Endpoint

_KEPT = 10_000


class Stops:
    """Remember refused keys by tenant and endpoint, and the ends of limits (monotonic) by tenant."""

    def __init__(self) -> None:
        self._limits: dict[int, float] = {}
        self._known: dict[tuple[int, str], tuple[int, int | None, Stop]] = {}

    def note(self, endpoint: Endpoint, account: Account, outcome: Outcome) -> None:
        """Remember that the account's key was refused, everywhere or at this endpoint."""
        if len(self._known) >= _KEPT:
            self._known.clear()
        where = "*" if outcome.treatment is Treatment.STOP_TENANT else endpoint
        stop = Stop(outcome.code, outcome.reason)
        self._known[account.tenant_id, where] = (account.settings_version, account.key_version, stop)

    def of(self, endpoint: Endpoint, account: Account) -> Stop | None:
        """Return why the account is not called at the endpoint, if that was learnt of these versions."""
        for where in ("*", endpoint):
            known = self._known.get((account.tenant_id, where))
            if known is not None and known[:2] == (account.settings_version, account.key_version):
                return known[2]
        return None

    def note_limit(self, tenant_id: int, until: float) -> None:
        """Remember that a tenant has called too often, and until when it is left alone."""
        if len(self._limits) >= _KEPT:
            self._limits.clear()
        self._limits[tenant_id] = until

    def limit(self, tenant_id: int) -> float | None:
        """Return the end of the limit learnt last of a tenant; it may be over."""
        return self._limits.get(tenant_id)
