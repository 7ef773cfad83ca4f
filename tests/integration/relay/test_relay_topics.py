"""A topic that was deleted and made anew has lost what it held: the relay finds out and says so."""

import psycopg
import pytest

from outbox.relay import Relay
from tests.integration.relay.conftest import MakeRelay
from tests.integration.relay.recorder import Recorder, change, drain

OLD = "11111111-1111-1111-1111-111111111111"
NEW = "22222222-2222-2222-2222-222222222222"
ALERTS = "select kind, detail from aiaccount.alerts"
TOPICS = "select topics from aiaccount.relay_cursor"


@pytest.fixture
def sent_once(relay: Relay, recorder: Recorder, writer: psycopg.Connection) -> Relay:
    """Give a relay that has sent something to the old topic."""
    recorder.ids_of_topics = {"sales": OLD}
    change(writer, 1)
    drain(relay)
    return relay


def test_the_topics_that_are_seen_first_are_noted_and_are_no_alert(
    sent_once: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    recorder.ids_of_topics = {"sales": OLD, "bills": OLD}
    sent_once.run_once()
    assert writer.execute(TOPICS).fetchone() == ({"sales": OLD, "bills": OLD},)
    assert writer.execute(ALERTS).fetchall() == []


def test_a_topic_made_anew_while_the_relay_runs_is_an_alert_once(
    sent_once: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    recorder.ids_of_topics = {"sales": NEW}
    for _ in range(3):
        sent_once.run_once()
    ((kind, detail),) = writer.execute(ALERTS).fetchall()
    assert kind == "topic_recreated"
    assert detail == f"the topic sales was {OLD} and is {NEW}: it was deleted and made anew"
    change(writer, 2)
    drain(sent_once)
    assert recorder.ids == [1, 2]


def test_a_topic_made_anew_while_no_relay_ran_is_an_alert_with_the_next_message(
    sent_once: Relay, make_relay: MakeRelay, writer: psycopg.Connection
) -> None:
    sent_once.close()
    following = make_relay(Recorder(ids_of_topics={"sales": NEW}))
    change(writer, 2)
    drain(following)
    assert [kind for kind, _ in writer.execute(ALERTS)] == ["topic_recreated"]


def test_a_relay_that_no_longer_leads_notes_no_topics(
    sent_once: Relay, recorder: Recorder, writer: psycopg.Connection
) -> None:
    writer.execute("update aiaccount.relay_cursor set epoch = epoch + 1")
    recorder.ids_of_topics = {"sales": NEW}
    sent_once.run_once()
    assert writer.execute(ALERTS).fetchall() == []
    assert writer.execute(TOPICS).fetchone() == ({"sales": OLD},)
