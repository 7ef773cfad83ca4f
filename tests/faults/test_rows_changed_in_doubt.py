"""A sale is amended, voided or deleted while its invoice may stand in AiAccount, and nobody knows."""

import psycopg
import pytest

from outbox.endpoints import Endpoint
from tests.faults.field import Field, killed

SALES = 40
CHANGES = {
    "amended": "update pos_transactions set customer_name = 'Somebody else' where id = any (%(ids)s)",
    "voided": """update pos_transactions set status = 'voided', void_reason = 'Wrong item', voided_at = now()
                  where id = any (%(ids)s)""",
    "deleted": "delete from pos_transactions where id = any (%(ids)s)",
}


@pytest.mark.parametrize("how", CHANGES)
@pytest.mark.parametrize("place", ["intended@5", "called@5"])
def test_what_is_in_doubt_of_a_row_that_changes_is_settled_and_named(
    field: Field, place: str, how: str
) -> None:
    field.trade.sell(SALES)
    field.relay()
    killed(field.consumers("doomed", Endpoint.POS_INVOICE, failpoints=place.replace("@", "=kill@")))
    with psycopg.connect(field.database_url, autocommit=True) as connection:
        found = connection.execute("select aggregate_id from aiaccount.documents where may_exist")
        ids = [row[0] for row in found]
        assert ids
        connection.execute(CHANGES[how], {"ids": ids})
    field.heal()
    field.drain()
    verdict = field.verdict()
    assert verdict.clean, verdict.findings
    assert not verdict.pending, verdict.reasons
