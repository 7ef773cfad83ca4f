"""A blogger's settlements with KOLs, written as NS16 does."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from psycopg.types.json import Jsonb

from deploy.till.commission import Commission
from deploy.till.money import ZERO, unit_of
from deploy.till.numbers import Numbers
from deploy.till.rows import Clock, Connection, insert, now, run

_PLATFORM = 900


@dataclass(frozen=True)
class Settlement:
    """A settlement as it was last written; `committed_at` is the wall clock right after that commit."""

    id: int
    settlement_no: str
    commission: Commission
    payments: tuple[Decimal, ...]
    committed_at: datetime


class Payroll:
    """A blogger's settlements on a connection of its own; arguments as `Till`'s."""

    def __init__(
        self,
        connection: Connection,
        blogger_id: int,
        numbers: Numbers | None = None,
        *,
        clock: Clock = now,
    ) -> None:
        self._connection = connection
        self._blogger_id = blogger_id
        self._numbers = numbers or Numbers()
        self._clock = clock

    def draft(self, commission: Commission) -> Settlement:
        """Draft a settlement."""
        number = self._numbers.settlement(commission.period_end)
        values = {
            "blogger_id": self._blogger_id,
            "settlement_no": number,
            "payer_type": "platform" if commission.platform else "blogger",
            "payer_id": _PLATFORM if commission.platform else self._blogger_id,
            "payee_kol_id": commission.payee_kol_id,
            "payee_name": commission.payee_name,
            "payee_tin": commission.payee_tin,
            "period_start": commission.period_start,
            "period_end": commission.period_end,
            "gross_sales": commission.gross_sales,
            "commission_rate": commission.rate,
            "commission_amount": commission.amount,
            "adjustments": Jsonb(
                [{"label": it.label, "amount": str(it.amount)} for it in commission.adjustments]
            ),
            "net_payable": commission.net_payable,
            "currency": commission.currency,
            "now": self._clock(),
        }
        with self._connection.transaction():
            made = insert(self._connection, "draft_settlement", values)
        return Settlement(made, number, commission, (), now())

    def approve(self, settlement: Settlement) -> Settlement:
        """Approve a drafted one, or one whose payments were taken back."""
        withheld = settlement.commission.withheld
        return self._commit(settlement, lambda it: self._run("approve_settlement", it, wht_amount=withheld))

    def settle(self, commission: Commission) -> Settlement:
        """Draft and approve."""
        return self.approve(self.draft(commission))

    def pay(self, settlement: Settlement, parts: int = 1, of: int | None = None) -> Settlement:
        """Pay an approved one: in one sum, or `parts` of `of` equal sums; it is paid when all have gone."""
        whole, count = settlement.commission.to_pay, of or parts
        unit = unit_of(settlement.commission.currency)
        each = (whole / count) // unit * unit
        sums = [each] * (count - 1)
        sums.append(whole - sum(sums, ZERO))
        return self._commit(replace(settlement, payments=tuple(sums[:parts])), self._pay)

    def take_back(self, settlement: Settlement) -> Settlement:
        """Take all payments back: it is approved again."""
        return self._commit(replace(settlement, payments=()), self._pay)

    def cancel(self, settlement: Settlement) -> Settlement:
        """Cancel it, in whatever state it is."""
        return self._commit(settlement, lambda it: self._run("cancel_settlement", it))

    def _commit(self, settlement: Settlement, step: Callable[[Settlement], None]) -> Settlement:
        with self._connection.transaction():
            step(settlement)
        return replace(settlement, committed_at=now())

    def _pay(self, settlement: Settlement) -> None:
        sums, paid_at = settlement.payments, self._clock()
        in_full = bool(sums) and sum(sums, ZERO) == settlement.commission.to_pay
        listed = [
            {
                "seq": seq,
                "method": "bank_transfer",
                "amount": str(amount),
                "ref": f"FT-{settlement.id}-{seq}",
                "paid_at": paid_at.isoformat(),
            }
            for seq, amount in enumerate(sums, 1)
        ]
        single = in_full and len(sums) == 1
        self._run(
            "pay_settlement",
            settlement,
            status="paid" if in_full else "approved",
            payment_method="bank_transfer" if single else None,
            payment_reference=f"FT-{settlement.id}" if single else None,
            payments=Jsonb(listed) if listed and not single else None,
            paid_at=paid_at if in_full else None,
        )

    def _run(self, name: str, settlement: Settlement, **values: object) -> None:
        run(self._connection, name, {"id": settlement.id, "now": self._clock(), **values})
