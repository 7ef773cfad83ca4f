"""A desk where people also do what calls for a person: they amend and delete what may have been posted."""

from deploy.till import Till
from tests.faults.trade import Connection, Desk

ROUGH = 0.04
_GONE = (
    "delete from pos_transaction_items where transaction_id = %s",
    "delete from pos_transactions where id = %s",
)


class RoughDesk(Desk):
    """A desk that amends or deletes a paid sale now and then."""

    def act(self, connection: Connection) -> None:
        """Do one thing as any desk, or something rough."""
        if self._paid and self._random.random() < ROUGH:
            self._random.choice((self._amend, self._delete))(connection)
        else:
            super().act(connection)

    def _amend(self, connection: Connection) -> None:
        basket, tenders = self._shopper.purchase(self._shop)
        Till(connection, self._tenant, self._numbers[0]).amend(self._drawn(self._paid), basket, *tenders)

    def _delete(self, connection: Connection) -> None:
        sale = self._drawn(self._paid)
        with connection.transaction():
            for statement in _GONE:
                connection.execute(statement, [sale.id])
