"""How far the groups are behind is asked from outside, in records and in seconds."""

from contextlib import closing

import pytest

from outbox.broker import GroupReader, Lag, Lags, Producer
from outbox.endpoints import Endpoint
from outbox.errors import BrokerError
from tests.integration.broker.talk import JOIN_SECONDS, SESSION, TOPIC, fresh_ids, ignore, sale
from tests.waiting import wait_for


def found(lags: Lags) -> dict[Endpoint, Lag]:
    """Return the lags by endpoint."""
    return {lag.endpoint: lag for lag in lags.look()}


def test_a_group_is_behind_until_it_has_committed_and_nobody_else_moves(bootstrap: str) -> None:
    with closing(Lags(bootstrap)) as lags, Producer(bootstrap, "test") as producer:
        before = found(lags)[Endpoint.POS_INVOICE].records
        producer.send_all([sale(aggregate_id) for aggregate_id in fresh_ids(20)])
        wait_for(
            lambda: found(lags)[Endpoint.POS_INVOICE].records >= before + 1,
            JOIN_SECONDS,
            "records to be behind",
        )
        behind = found(lags)
        assert behind[Endpoint.POS_RECEIPT].records
        assert behind[Endpoint.KOL_BILL] == Lag(Endpoint.KOL_BILL, 0, 0.0)
        assert (behind[Endpoint.POS_INVOICE].seconds or 0.0) > 0
        with GroupReader(
            bootstrap, Endpoint.POS_INVOICE.group, [TOPIC], "test", session_timeout=SESSION, on_lost=ignore
        ) as reader:
            ends: dict[tuple[str, int], int] = {}

            def passed() -> bool:
                for _ in range(10):  # a look takes a while, and a member that does not poll is taken for dead
                    for record in reader.poll(0.1):
                        ends[record.topic, record.partition] = record.offset + 1
                if ends:
                    reader.commit(ends)
                return found(lags)[Endpoint.POS_INVOICE] == Lag(Endpoint.POS_INVOICE, 0, 0.0)

            wait_for(passed, JOIN_SECONDS, "the group to have passed all")
        assert found(lags)[Endpoint.POS_RECEIPT].records


def test_where_no_broker_answers_it_says_so_each_time() -> None:
    with closing(Lags("127.0.0.1:1")) as lags:
        for _ in range(2):
            with pytest.raises(BrokerError, match="no broker answers"):
                lags.look()
