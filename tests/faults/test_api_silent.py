"""AiAccount stores a document and never says so."""

from tests.faults.book import duplicates, played, repeated
from tests.faults.field import Field, ready

ACTS = 60
SILENT = 8


def test_what_was_stored_without_a_reply_stands_once_when_it_is_sent_again(field: Field) -> None:
    field.sandbox.add_fault("timeout_after_storing", match={"method": "POST"}, times=SILENT)
    field.trade.open()
    ready(field.relay(), field.consumers())
    field.trade.go_on(ACTS)
    field.drain()
    book = field.sandbox.book
    assert len(played(book, "timeout_after_storing")) == SILENT
    assert repeated(book)
    assert duplicates(book)
    field.clean()
