"""What is not in the books and rightly so: named, counted as pending or held, and clean."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from psycopg.types.json import Jsonb

from deploy.checker import Kind, render
from tests.integration.checker.documents import NAMES, invoice, line, receipt
from tests.integration.checker.world import CODES, KEYS, World, tenant

LAST_LINE = "0 lost, 0 doubled, 0 reordered, 0 misdirected, 0 wrong, 0 secrets"


def test_what_waits_or_is_retried_is_pending_and_not_lost(world: World) -> None:
    first = world.sale("POS2026050100020", "10.00")
    world.know("pos_invoice", "POS2026050100020", first, verdict="retry", code="TRANSPORT")
    world.know("pos_receipt", "POS2026050100020-R1", first, verdict="wait")
    verdict = world.verdict()
    assert verdict.clean
    assert (verdict.pending, verdict.held) == (2, 0)
    assert verdict.reasons["retrying TRANSPORT"] == 1


def test_in_doubt_is_pending_whether_it_landed_or_not(world: World) -> None:
    for number, landed in (("POS2026050100020", True), ("POS2026050100021", False)):
        made = world.sale(number, "10.00", amount_paid=0, status="completed", paid_at=None)
        sold = invoice(number, made, [line("10.00")], "10.00")
        if landed:
            world.store("pos_invoice", sold)
        doubt = {"accepted_at": None, "doubt_at": "2026-05-01T04:00:00Z"}
        world.know("pos_invoice", number, made, document=sold, **doubt)
    verdict = world.verdict()
    assert verdict.clean
    assert (verdict.pending, verdict.held) == (2, 0)
    assert verdict.documents["pos_invoice"]["in doubt"] == 2


def test_a_receipt_that_waits_for_a_blocked_invoice_is_held(world: World) -> None:
    made = world.sale(
        "POS2026050100020", "10.00", tax_type="sales", tax_rate=6, tax_amount="0.60", total_amount="10.60"
    )
    world.know("pos_invoice", "POS2026050100020", made, verdict="block", code="TAX_CODE_UNMAPPED")
    world.know("pos_receipt", "POS2026050100020-R1", made, verdict="wait")
    verdict = world.verdict()
    assert verdict.clean
    assert (verdict.pending, verdict.held) == (0, 1)


def test_the_rows_of_a_stopped_tenant_are_held(world: World) -> None:
    world.sale("POS2026050100020", "10.00", blogger_id=2)
    assert len(world.verdict().lost) == 2
    world.run("insert into aiaccount.stops values (2, '*', 'API_KEY_INVALID', 'refused', 1, 1)")
    verdict = world.verdict()
    assert verdict.clean
    assert (verdict.pending, verdict.held) == (0, 2)
    assert verdict.reasons["held API_KEY_INVALID"] == 2


def test_the_rows_of_a_tenant_without_a_company_are_held(world: World) -> None:
    tenant(world, 4, None)
    world.sale("POS2026050100020", "10.00", blogger_id=4)
    verdict = world.verdict()
    assert verdict.clean
    assert verdict.reasons["held NO_COMPANY"] == 2


def test_a_row_in_trouble_as_a_whole_is_held(world: World) -> None:
    made = world.sale("POS2026050100020", "10.00", amount_paid=0, status="completed", paid_at=None)
    world.run(
        """insert into aiaccount.tasks (endpoint, aggregate_id, trouble_code)
           values ('pos_invoice', %s, 'NO_KEY')""",
        made,
    )
    verdict = world.verdict()
    assert verdict.clean
    assert verdict.reasons["held NO_KEY"] == 1


def test_an_amended_row_is_clean_once_the_ledger_says_conflict(world: World) -> None:
    world.run(
        """update pos_transactions set subtotal = 80, total_amount = 80, amount_paid = 80
           where receipt_no = 'POS2026050100009'"""
    )
    world.run(
        "update pos_transaction_items set line_total = 80, unit_price = 80 where line_total = 70 and id in "
        "(select i.id from pos_transaction_items i join pos_transactions p on p.id = transaction_id "
        "where receipt_no = 'POS2026050100009')"
    )
    assert [finding.number for finding in world.verdict().wrong] == ["POS2026050100009"]
    world.run(
        """update aiaccount.documents set verdict = 'conflict', code = 'AMENDED_AFTER_PUSH'
           where number = 'POS2026050100009'"""
    )
    assert world.verdict().clean


def test_a_change_that_counts_for_nothing_needs_no_conflict(world: World) -> None:
    world.run(
        """update pos_transactions
           set customer_id = 9, customer_name = 'Tan', cashier_id = 3, updated_at = now()"""
    )
    world.run("update kol_settlements set payee_name = 'Aisyah binti Ali'")
    assert world.verdict().findings == ()


def test_codes_of_earlier_settings_are_noted_and_not_judged(world: World) -> None:
    codes = Jsonb(CODES | {"account:sales": "40001"})
    world.run("update aiaccount.tenants set codes = %s, settings_version = 2 where tenant_id = 1", codes)
    verdict = world.verdict()
    assert verdict.clean
    assert any("POS2026050100003" in note for note in verdict.notes)
    world.run("update aiaccount.documents set settings_version = 2")
    assert "POS2026050100003" in [finding.number for finding in world.verdict().wrong]


def test_an_older_content_is_fine_when_the_row_came_back_to_it(world: World) -> None:
    stored = world.stored("POS2026050100003")
    document = stored["document"]
    place = world.book.index(
        next(e for e in world.book if e["kind"] == "request" and e.get("body") == document)
    )
    start = len(world.book)
    for asked in (document, document | {"outlet": "S9"}):
        world.answer(world.ask("pos_invoice", asked), 422, "TAX_CODE_MISSING")
    moved, world.book[start:] = world.book[start:], []
    world.book[place:place] = moved
    assert world.verdict().findings == ()


def test_a_resend_of_the_same_content_is_fine(world: World) -> None:
    document = world.stored("POS2026050100003")["document"]
    world.answer(world.ask("pos_invoice", document | {"company_name": NAMES["c1"]}), 200, "duplicate")
    assert world.verdict().findings == ()


def test_a_deposit_and_its_balance_are_two_receipts(world: World) -> None:
    made = world.sale("POS2026050100020", "50.00", amount_paid=20, status="completed")
    sold = invoice("POS2026050100020", made, [line("50.00")], "50.00")
    world.push("pos_invoice", sold)
    world.push("pos_receipt", receipt(sold, "POS2026050100020-R1", "20.00"))
    world.run(
        """update pos_transactions set amount_paid = 50, status = 'paid', paid_at = '2026-05-03T04:00:00Z'
           where id = %s""",
        made,
    )
    assert [finding.number for finding in world.verdict().lost] == ["POS2026050100020-R2"]
    world.push("pos_receipt", receipt(sold, "POS2026050100020-R2", "30.00", date="2026-05-03"))
    assert world.verdict().findings == ()


def test_a_last_line_without_its_end_is_left_alone(world: World) -> None:
    world.verdict()
    with world.path.open("a", encoding="utf-8") as book:
        book.write('{"n": 999, "kind": "stor')
    ran = run(world)
    assert ran.returncode == 0, ran.stderr


def test_keys_are_found_in_texts_files_and_folders(world: World, tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    logs.mkdir()
    (logs / "relay.log").write_bytes(b"x" * (1 << 20) + KEYS["c1"].encode() + b"y")
    verdict = world.verdict(texts=(f"Bearer {KEYS['c2']}", logs, "nothing"))
    assert [(finding.kind, finding.number) for finding in verdict.findings] == [
        (Kind.SECRET, "text 1"),
        (Kind.SECRET, "relay.log"),
    ]


def test_an_empty_canary_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="empty canary"):
        world.verdict(canaries=("",))


def run(world: World, *options: str) -> subprocess.CompletedProcess[str]:
    """Run the checker as people do."""
    command = [
        sys.executable,
        "-m",
        "deploy.checker",
        "--database-url",
        world.url,
        "--book",
        str(world.path),
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_ends_with_the_counts_and_says_by_its_status_whether_all_is_clean(world: World) -> None:
    world.verdict()
    clean = run(world)
    assert (clean.returncode, clean.stdout.splitlines()[-1]) == (0, LAST_LINE)
    world.forget("POS2026050100002-R2", ledger=False)
    text = render(world.verdict())
    broken = run(world, "--json")
    assert broken.returncode == 1
    told = json.loads(broken.stdout)
    assert told["counts"]["lost"] == 1
    assert told["findings"][0]["number"] == "POS2026050100002-R2"
    assert text.splitlines()[-1] == LAST_LINE.replace("0 lost", "1 lost")
    assert max(len(shown) for shown in text.splitlines()) <= 80
