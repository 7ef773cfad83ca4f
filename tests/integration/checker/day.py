"""Play a day by hand that is handled without a fault: every kind of document once or more."""

from tests.integration.checker.documents import (
    NAMES,
    Document,
    bill,
    invoice,
    line,
    negated,
    payment,
    receipt,
)
from tests.integration.checker.world import NOON, World, tenant


def fill(world: World) -> None:
    """Play a day that is handled without a fault: every kind of document once or more."""
    tenant(world, 1, "c1")
    tenant(world, 2, "c2")
    tenant(world, 3, "c3", active=False)
    world.write("admin", what="company", detail={"company_id": "c1"})
    _sales(world)
    _settlements(world)


def _sales(world: World) -> None:
    plain = invoice("POS2026050100001", world.sale("POS2026050100001", "50.00"), [line("50.00")], "50.00")
    world.push("pos_invoice", plain)
    world.push("pos_receipt", receipt(plain, "POS2026050100001-R1", "50.00"))
    # Tax on top, a discount shared, a service charge, a tip, rounding, two tenders, a member.
    tenders = [
        {"seq": 1, "method": "cash", "amount": "40.00", "ref": None, "paid_at": NOON},
        {"seq": 2, "method": "duitnow", "amount": "68.80", "ref": "DN-1", "paid_at": "2026-05-01T16:30:00Z"},
    ]
    rich = world.sale(
        "POS2026050100002",
        "100.00",
        [{"line_total": "40.00", "unit_price": 40}, {"line_total": "60.00", "unit_price": 60}],
        tax_type="sales",
        tax_rate=10,
        tax_amount="9.00",
        order_discount="10.00",
        service_charge="4.50",
        tip_amount="5.33",
        rounding_adjustment="-0.03",
        total_amount="108.80",
        tenders=tenders,
        payment_method=None,
        customer_id=7,
        customer_name="Lim",
    )
    lines = [
        line("36.00", "3.60", "MY-SALES10", unit_price="40.0000", discount="4.00"),
        line("54.00", "5.40", "MY-SALES10", unit_price="60.0000", discount="6.00"),
        line("4.50", account_code="40100", sku=None, description="Service charge"),
        line("5.33", account_code="21500", sku=None, description="Tip"),
    ]
    member = {"code": "C7", "name": "Lim", "type": "customer", "tin": None}
    taxed = invoice("POS2026050100002", rich, lines, "108.80", contact=member)
    world.push("pos_invoice", taxed)
    world.push("pos_receipt", receipt(taxed, "POS2026050100002-R1", "40.00"))
    second = receipt(taxed, "POS2026050100002-R2", "68.80", "12200", date="2026-05-02", reference="DN-1")
    world.push("pos_receipt", second)
    # Included tax, three equal lines; just before midnight in Kuala Lumpur.
    late = "2026-05-01T15:59:59Z"
    three = [{"line_total": "3.33", "unit_price": "3.33"}] * 3
    inclusive = world.sale(
        "POS2026050100003",
        "9.99",
        three,
        tax_inclusive=True,
        tax_type="service",
        tax_rate=8,
        tax_amount="0.74",
        completed_at=late,
        paid_at=late,
    )
    shares = [line("3.08", "0.25"), line("3.08", "0.25"), line("3.09", "0.24")]
    included = invoice(
        "POS2026050100003",
        inclusive,
        [part | {"tax_code": "SV8", "unit_price": "3.3300"} for part in shares],
        "9.99",
        tax_inclusive=True,
    )
    world.push("pos_invoice", included)
    world.push("pos_receipt", receipt(included, "POS2026050100003-R1", "9.99"))
    _refund(world, plain)
    _void(world)
    _held_back(world)


def _refund(world: World, plain: Document) -> None:
    day = "2026-05-02T04:00:00Z"
    refund = world.sale(
        "POS2026050200001",
        "20.00",
        txn_type="refund",
        original_txn_id=int(plain["source"]["id"]),
        completed_at=day,
        paid_at=day,
    )
    taken = line("-20.00", quantity="-1", unit_price="20.0000")
    note = invoice(
        "POS2026050200001",
        refund,
        [taken],
        "-20.00",
        document_type="credit_note",
        original_number="POS2026050100001",
        date="2026-05-02",
        due_date="2026-05-02",
    )
    world.push("pos_invoice", note)
    back = receipt(note, "POS2026050200001-R1", "-20.00", document_type="refund", date="2026-05-02")
    world.push("pos_receipt", back)


def _void(world: World) -> None:
    voided = world.sale("POS2026050100004", "30.00")
    sold = invoice("POS2026050100004", voided, [line("30.00")], "30.00")
    world.push("pos_invoice", sold)
    paid = receipt(sold, "POS2026050100004-R1", "30.00")
    world.push("pos_receipt", paid)
    world.run(
        "update pos_transactions set status = 'voided', voided_at = '2026-05-03T04:00:00Z' where id = %s",
        voided,
    )
    world.push("pos_invoice", negated(sold, "POS2026050100004-V1", "credit_note", "2026-05-03"))
    allocations = [{"invoice_number": "POS2026050100004-V1", "amount": "-30.00"}]
    back = negated(paid, "POS2026050100004-R1X", "refund", "2026-05-03", allocations=allocations)
    world.push("pos_receipt", back)


def _held_back(world: World) -> None:
    """Rows that give nothing, each with a true reason: not owned, open, of before, unmapped, another's."""
    world.sale("POS2026050100005", "70.00", source="ecommerce_pickup", platform_order_id=5)
    world.sale("POS2026050100006", "70.00", status="open", completed_at=None)
    world.sale("POS2026050100007", "70.00", blogger_id=3)
    world.sale("POS2026050100008", "70.00", blogger_id=99)
    before = world.sale(
        "POS2025123100001", "70.00", completed_at="2025-12-31T04:00:00Z", paid_at="2025-12-31T04:00:00Z"
    )
    world.know("pos_invoice", "POS2025123100001", before, verdict="skip", code="BEFORE_CUTOVER")
    world.know("pos_receipt", "POS2025123100001-R1", before, verdict="skip", code="BEFORE_CUTOVER")
    unmapped = world.sale("POS2026050100009", "70.00", payment_method="cheque")
    world.push("pos_invoice", invoice("POS2026050100009", unmapped, [line("70.00")], "70.00"))
    world.know(
        "pos_receipt", "POS2026050100009-R1", unmapped, verdict="block", code="PAYMENT_METHOD_UNMAPPED"
    )
    other = world.sale("POS2026050100001", "80.00", blogger_id=2)
    theirs = invoice("POS2026050100001", other, [line("80.00")], "80.00", company_name=NAMES["c2"])
    for endpoint, document in (
        ("pos_invoice", theirs),
        ("pos_receipt", receipt(theirs, "POS2026050100001-R1", "80.00")),
    ):
        world.store(endpoint, document, "c2")
        world.know(endpoint, document["number"], other, document=document, company_id="c2", tenant_id=2)


def _settlements(world: World) -> None:
    adjusted = world.settlement(
        "KS202604-00001",
        "1000.00",
        adjustments=[{"label": "Bonus", "amount": "200.00"}, {"label": "Damage", "amount": "-50.00"}],
        net_payable="1150.00",
        wht_amount="23.00",
    )
    lines = [
        ("KOL commission 2026-04-01 to 2026-04-30", "61001", "1000.00"),
        ("Bonus", "61001", "200.00"),
        ("Damage", "61001", "-50.00"),
        ("Withholding tax", "21700", "-23.00"),
    ]
    billed = bill("KS202604-00001", adjusted, lines, "1127.00")
    world.push("kol_bill", billed)
    world.push("kol_payment", payment(billed, "KS202604-00001-P1", "1127.00"))
    cancelled = world.settlement("KS202604-00002", "300.00")
    first = bill(
        "KS202604-00002",
        cancelled,
        [("KOL commission 2026-04-01 to 2026-04-30", "61001", "300.00")],
        "300.00",
    )
    world.push("kol_bill", first)
    paid = payment(first, "KS202604-00002-P1", "300.00")
    world.push("kol_payment", paid)
    world.run(
        """update kol_settlements set status = 'cancelled', cancelled_at = '2026-05-09T04:00:00Z'
           where id = %s""",
        cancelled,
    )
    world.push("kol_payment", negated(paid, "KS202604-00002-P1X", "payment_reversal", "2026-05-09"))
    world.push("kol_bill", negated(first, "KS202604-00002-V1", "debit_note", "2026-05-09"))
    world.settlement("KS202604-00003", "500.00", payer_type="platform", payer_id=900)
