"""A story in words, from what is known alone: what holds a document, what comes next, how it is laid out."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from console.figures import span
from console.finding import Numbered, Sight, row_number
from console.prospects import holding, prospect
from console.raw import raw
from console.story import Attempt, Breaker, Document, Outage, Owner, Stop, Story, Task
from console.telling import tell
from mappers import Block, Outcome, Push, Skip, Wait
from outbox.endpoints import Aggregate, Endpoint
from outbox.errors import UsageError

NOW = datetime(2026, 5, 1, 6, 0, tzinfo=UTC)
INVOICE, RECEIPT = Endpoint.POS_INVOICE, Endpoint.POS_RECEIPT
ROW = Numbered(Aggregate.POS_TRANSACTION, 1, 7, "N1", "paid", owned=True)
ALL = Sight(rows=True, decisions=True, record=True, paces=True, outbox=True)
OWNER = Owner("Mei Live Sdn Bhd", "Asia/Kuala_Lumpur", active=True, company_id="C7", settings_version=3)
SENT = {
    "number": "N1",
    "document_type": "invoice",
    "date": "2026-05-01",
    "currency": "MYR",
    "lines": [{"tax_code": "SR"}],
    "totals": {"total": "99.00"},
}
LEDGER = Document("C7", INVOICE, "N1", "retrying", SENT, None, None, None, "TIMEOUT", "no answer", None)
STORY = Story(NOW, ROW, ALL, OWNER, outcomes={INVOICE: [Push(SENT)], RECEIPT: [Wait("N1-R1")]})


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


def task(due_in: float | None, busy_in: float | None = None, handled: datetime | None = NOW) -> Task:
    due = None if due_in is None else later(due_in)
    return Task(INVOICE, "live", due, None if busy_in is None else later(busy_in), None, None, handled)


def text(story: Story, number: str = "N1") -> str:
    return " ".join(" ".join(tell(story, number)).split())


@pytest.mark.parametrize(
    ("number", "row"),
    [
        ("POS2026050100001", "POS2026050100001"),
        ("POS2026050100001-R12", "POS2026050100001"),
        ("POS2026050100001-V1", "POS2026050100001"),
        ("POS2026050100001-S1X", "POS2026050100001"),
        ("POS2026050100001-A1X", "POS2026050100001"),
        ("KS202605-00001", "KS202605-00001"),
        ("KS202605-00001-P2BX", "KS202605-00001"),
    ],
)
def test_a_documents_number_leads_to_its_row(number: str, row: str) -> None:
    assert row_number(number) == row


@pytest.mark.parametrize(
    ("story", "document", "outcome", "said"),
    [
        (STORY, None, Push(SENT), "when reconciliation finds it"),
        (replace(STORY, on_its_way=NOW), None, Push(SENT), "in a moment: a change of the row is on its way"),
        (replace(STORY, tasks={INVOICE: task(-5)}), None, Push(SENT), "now: it is due"),
        (
            replace(STORY, tasks={INVOICE: task(-300)}),
            None,
            Push(SENT),
            "overdue by 5 min. Does the relay run?",
        ),
        (replace(STORY, tasks={INVOICE: task(9, 9)}), LEDGER, Push(SENT), "a consumer is at it now"),
        (
            replace(STORY, tasks={INVOICE: task(600)}),
            replace(LEDGER, next_at=later(600)),
            Push(SENT),
            "it is tried again at 2026-05-01 14:10:00, in 10 min",
        ),
        (
            replace(STORY, tasks={INVOICE: task(3600)}),
            None,
            Wait("N1"),
            "looked at again at 2026-05-01 15:00:00",
        ),
        (replace(STORY, tasks={INVOICE: task(3600)}), None, Block("NO_LINES", "N1"), "when that is mended"),
        (STORY, None, Skip("ZERO_TOTAL", "N1"), "nothing: it is asked about again when its row"),
        (STORY, replace(LEDGER, state="conflict"), None, "nothing until a person decides"),
        (STORY, replace(LEDGER, state="pushed"), None, "nothing: it is done, until its row changes"),
        (replace(STORY, tasks={INVOICE: task(None)}), None, Wait("N1"), "when its row changes"),
        (
            replace(STORY, tasks={INVOICE: task(600)}, stops=[Stop("*", "API_KEY_INVALID", "no", NOW)]),
            LEDGER,
            Push(SENT),
            "not called for while the tenant is stopped",
        ),
    ],
)
def test_what_happens_next_is_said_with_its_time(
    story: Story, document: Document | None, outcome: Outcome | None, said: str
) -> None:
    assert said in prospect(story, INVOICE, document, outcome)


def test_all_that_holds_a_document_is_said_and_nothing_that_holds_another() -> None:
    breaker = Breaker(INVOICE, "TAX_CODE_MISSING", "SR", "no SR", NOW, later(900))
    story = replace(
        STORY,
        owner=replace(OWNER, active=False),
        stops=[Stop(RECEIPT, "SCOPE_MISSING", "no", NOW)],
        outages=[Outage(INVOICE, "silent", NOW, later(30))],
        closed_until=later(60),
        breakers=[breaker, replace(breaker, value="ST"), replace(breaker, endpoint=RECEIPT)],
    )
    said = list(holding(story, INVOICE, LEDGER, Push(SENT)))
    assert [line.split()[0] for line in said] == ["the", "AiAccount", "AiAccount", "TAX_CODE_MISSING"]
    assert "2026-05-01 14:15:00" in said[3]
    doubtful = replace(LEDGER, doubt_at=NOW)
    assert len(list(holding(story, INVOICE, doubtful, Push(SENT)))) == 3


@pytest.mark.parametrize(
    ("seconds", "said"), [(40, "40 s"), (119, "119 s"), (720, "12 min"), (10_800, "3 h"), (200_000, "2 days")]
)
def test_a_span_is_one_number_and_its_unit(seconds: float, said: str) -> None:
    assert span(timedelta(seconds=seconds)) == said


def test_a_story_has_a_section_for_each_document_or_for_the_one_that_is_asked_about() -> None:
    story = replace(STORY, documents=[LEDGER])
    assert "N1, sales invoice: retrying should be invoice of MYR 99.00, dated 2026-05-01" in text(story)
    assert "N1-R1, sales receipt: not sent" in text(story)
    assert "sales invoice:" not in text(story, "N1-R1")
    assert "The row calls for no document N1-R2" in text(story, "N1-R2")


def test_no_line_is_wider_than_80_columns() -> None:
    reason = "word " * 60
    attempts = [
        Attempt("C7", INVOICE, "N1", later(at), 0.2, 1, "block", "TAX_CODE_MISSING", reason)
        for at in range(40)
    ]
    story = replace(STORY, documents=[replace(LEDGER, reason=reason)], attempts=attempts)
    lines = list(tell(story, "N1"))
    assert max(map(len, lines)) <= 80
    assert any("30 more attempts" in line for line in lines)
    assert sum("TAX_CODE_MISSING" in line for line in lines) == 10


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (replace(ROW, status="open"), "Open: nothing is posted until it is completed."),
        (replace(ROW, status="draft"), "Draft: nothing is posted until it is approved."),
        (replace(ROW, owned=False), "NOT_OWNED: the money is not the tenant's own"),
        (ROW, "The row calls for no document, and none was ever noted."),
    ],
)
def test_a_row_without_documents_says_why(row: Numbered, said: str) -> None:
    assert said in text(replace(STORY, row=row, outcomes={INVOICE: [], RECEIPT: []}))


def test_a_row_that_cannot_be_read_or_mapped_or_handled_says_so() -> None:
    assert "READ_FAILED: the row cannot be read" in text(replace(STORY, unread="bad date", outcomes=None))
    unmapped = replace(STORY, outcomes={INVOICE: "tenders are no list", RECEIPT: []})
    assert "MAPPING_FAILED: the row cannot be mapped" in text(unmapped)
    troubled = replace(task(3600), trouble_code="NOT_CONNECTED", trouble="no company yet")
    assert "NOT_CONNECTED: the tenant has no company yet" in text(replace(STORY, tasks={INVOICE: troubled}))


def test_who_may_not_see_rows_is_told_so_and_what_the_ledger_holds() -> None:
    nothing = Sight(rows=False, decisions=False, record=False, paces=False, outbox=False)
    said = text(
        replace(STORY, sight=nothing, row=replace(ROW, status=None), outcomes=None, documents=[LEDGER])
    )
    assert "row 1 of pos_transactions Told from the ledger alone" in said
    assert "N1, sales invoice: retrying reason TIMEOUT" in said
    assert "shown to the role aiaccount_admin" in said


def test_the_day_of_a_sale_before_the_cut_over_is_in_the_advice() -> None:
    skipped = replace(LEDGER, state="skipped", code="BEFORE_CUTOVER", reason=None, document=None)
    story = replace(STORY, business_date="2025-12-31", documents=[skipped])
    story = replace(story, outcomes={INVOICE: [Skip("BEFORE_CUTOVER", "N1")], RECEIPT: []})
    assert "--endpoint pos_invoice --from 2025-12-31 --to 2025-12-31" in text(story)


def test_raw_prefers_what_was_sent_and_refuses_what_never_would_be() -> None:
    was = replace(LEDGER, document={**SENT, "memo": "then"})
    assert raw([replace(STORY, documents=[was])], "N1", None) == ({**SENT, "memo": "then"}, "as it was sent")
    assert raw([STORY], "N1", INVOICE) == (SENT, "as it would be sent now")
    with pytest.raises(UsageError, match="`aiaccount-sync explain N1-R1` says why"):
        raw([STORY], "N1-R1", None)
    with pytest.raises(UsageError):
        raw([STORY], "N1", RECEIPT)


def test_money_of_a_row_is_its_own_by_kind() -> None:
    source = type("Row", (), {"snapshot": {"pos_transaction": {"status": "paid", "currency": "MYR",
        "total_amount": Decimal("1234.50"), "amount_paid": Decimal(1000)}}})()  # fmt: skip
    assert "MYR 1,234.50 as sales invoices" in text(replace(STORY, source=source))
