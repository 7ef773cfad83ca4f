"""The mutations: what is made wrong, what it would cost, and who must notice."""

from types import MappingProxyType

from tests.mutants.mutation import Edit, Mutation

_STEPS = "consumers/steps.sql"
_DELIVERY = "consumers/delivery.py"
_PROTOCOL = "tests/integration/delivery/test_protocol.py::"
_FAILURES = "tests/integration/delivery/test_failures.py::"
_LEAD = "tests/integration/relay/test_relay_lead.py::"
_DUE = "tests/integration/relay/test_relay_due.py::"
_RULES = "tests/unit/mappers/test_mapper_common_rules.py::"
_PUSHING = "tests/unit/consumers/test_pushing.py::"
_OUTCOMES = "tests/unit/consumers/test_outcomes.py::"

_ALL = (
    Mutation(
        "the call before the intent",
        "I2: what may exist stands in the ledger before it is sent",
        (
            Edit(
                _DELIVERY,
                "async def _push(",
                "        intended = await self._tools.steps.intents.ask(",
                "        early = Push(self._claim.endpoint, company_id, document, self._claim.ends)\n"
                "        await self._tools.pusher.push(early, lambda: self._tools.accounts.open(account))\n"
                "        intended = await self._tools.steps.intents.ask(",
            ),
        ),
        (_PROTOCOL + "test_the_intent_stands_in_the_ledger_before_the_call",),
    ),
    Mutation(
        "an intent without the token",
        "I2, I3: who lost its claim writes and sends nothing",
        (
            Edit(
                _STEPS,
                "-- name: intend",
                "select t.endpoint, t.aggregate_id, t.token",
                "select t.endpoint, t.aggregate_id, w.token",
            ),
            Edit(
                _STEPS,
                "-- name: intend",
                "where (t.endpoint, t.aggregate_id, t.token) in"
                " (select endpoint, aggregate_id, token from wanted)",
                "join wanted w on (t.endpoint, t.aggregate_id) = (w.endpoint, w.aggregate_id)",
            ),
        ),
        (_PROTOCOL + "test_an_expired_claim_is_taken_and_its_late_holder_intends_nothing",),
    ),
    Mutation(
        "a release without the token",
        "I1: who lost its claim releases nobody else's",
        (
            Edit(
                _STEPS,
                "-- name: release",
                " where (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)\n"
                "returning",
                " where (t.endpoint, t.aggregate_id) = (w.endpoint, w.aggregate_id)\nreturning",
            ),
        ),
        (_PROTOCOL + "test_an_acceptance_is_recorded_though_the_token_is_lost",),
    ),
    Mutation(
        "a claim that sets no due_at",  # null is refused by the table itself
        "I1: the sweep finds a claim whose holder died",
        (
            Edit(
                _STEPS,
                "-- name: claim",
                "w.lane, b.busy_until, w.token, b.busy_until",
                "w.lane, b.busy_until + interval '1 year', w.token, b.busy_until",
            ),
        ),
        (_PROTOCOL + "test_a_worker_that_dies_at_a_step_loses_nothing_and_doubles_nothing",),
    ),
    Mutation(
        "reading before the claim",
        "I1, I3: what is sent is what stands after the claim",
        (
            Edit(
                "consumers/steps.py",
                "async def _claim(",
                "        first = {",
                '        keys = [{"n": n, "endpoint": row["endpoint"], "aggregate_id": row["aggregate_id"]}\n'
                "                for n, row in enumerate(rows)]\n"
                '        early = await self._run("read", rows=keys)\n'
                '        self.early = {_key(keys[row["n"]]): row for row in early}\n'
                "        first = {",
            ),
            Edit(
                "consumers/steps.py",
                "async def _read(",
                '        return sorted(found, key=lambda row: int(row["n"]))',
                '        early = [self.early.get(_key(rows[row["n"]]), row) for row in found]\n'
                '        found = [{**was, "n": row["n"]} for was, row in zip(early, found, strict=True)]\n'
                '        return sorted(found, key=lambda row: int(row["n"]))',
            ),
        ),
        (_PROTOCOL + "test_what_changed_between_the_claim_and_the_read_of_a_known_task_is_seen",),
    ),
    Mutation(
        "a release without the look again",
        "I1: what changed during a delivery is looked at after it",
        (Edit(_STEPS, "-- name: release", "case when t.again or ", "case when "),),
        (
            _PROTOCOL + "test_a_claim_that_somebody_holds_is_asked_for_another_look",
            _PROTOCOL + "test_a_receipt_that_looks_while_its_invoice_is_under_way_is_not_forgotten",
        ),
    ),
    Mutation(
        "an acceptance that needs the token",
        "I1: what AiAccount said it has is never shown as unknown",
        (
            Edit(
                _STEPS,
                "-- name: record_accepted",
                "   and d.accepted_at is null;",
                "   and d.accepted_at is null\n"
                "   and exists (select from aiaccount.tasks t\n"
                "                 join json_to_recordset(%(accepted)s::json)\n"
                "                   as held (endpoint text, aggregate_id bigint, token uuid)\n"
                "                using (endpoint, aggregate_id, token)\n"
                "                where (t.endpoint, t.aggregate_id) = (d.endpoint, d.aggregate_id));",
            ),
        ),
        (_PROTOCOL + "test_an_acceptance_is_recorded_though_the_token_is_lost",),
    ),
    Mutation(
        "a late acceptance that asks nobody to look",
        "I1: who has the task now learns of it",
        (
            Edit(
                _STEPS,
                "-- name: record_look",
                "t.token is distinct from w.token",
                "false and t.token is distinct from w.token",
            ),
        ),
        (_PROTOCOL + "test_an_acceptance_is_recorded_though_the_token_is_lost",),
    ),
    Mutation(
        "a refusal that is recorded without the token",
        "I2: a late refusal ends no doubt of another's attempt",
        (
            Edit(
                _STEPS,
                "-- name: record_noted",
                "on (t.endpoint, t.aggregate_id, t.token) = (w.endpoint, w.aggregate_id, w.token)",
                "on (t.endpoint, t.aggregate_id) = (w.endpoint, w.aggregate_id)",
            ),
        ),
        (_PROTOCOL + "test_a_refusal_under_a_lost_token_changes_nothing",),
    ),
    Mutation(
        "an intent over an accepted row",
        "the ledger keeps what was accepted",
        (
            Edit(_STEPS, "-- name: intend", "   where d.accepted_at is null", "   where true"),
            Edit(  # in doubt and accepted at once is refused by the table itself
                _STEPS,
                "-- name: intend",
                "doubt_at = excluded.doubt_at",
                "doubt_at = case when d.accepted_at is null then excluded.doubt_at end",
            ),
        ),
        (_PROTOCOL + "test_an_accepted_document_is_never_overwritten",),
    ),
    Mutation(
        "a doubt forgotten at a refusal",
        "I2: what may exist stays in doubt until it is known",
        (
            Edit(
                "consumers/calling.py",
                "async def call(",
                "doubt_at=before.doubt_at if pushed.doubt_at is None else pushed.doubt_at",
                "doubt_at=pushed.doubt_at",
            ),
        ),
        (_FAILURES + "test_a_refusal_after_a_doubt_leaves_it_in_doubt_until_a_look_finds_nothing",),
    ),
    Mutation(
        "a doubt that a look-up ends at once",
        "I2: a call that is still under way is waited for",
        (
            Edit(
                "consumers/entry.py",
                "def confirmable(",
                "now - entry.doubt_at >= CONFIRM_AFTER",
                "now >= entry.doubt_at",
            ),
        ),
        (_FAILURES + "test_a_refusal_after_a_doubt_leaves_it_in_doubt_until_a_look_finds_nothing",),
    ),
    Mutation(
        "what is in doubt made anew",
        "I2, I3: it is sent again exactly as it was",
        (
            Edit(
                "consumers/view.py",
                "def sent_of(",
                "(entry.accepted or entry.doubt_at is not None)",
                "entry.accepted",
            ),
        ),
        (
            _PROTOCOL + "test_a_row_amended_while_in_doubt_is_resent_as_it_was_and_then_a_conflict",
            _PROTOCOL + "test_a_void_while_the_invoice_is_in_doubt_sends_the_invoice_first",
        ),
    ),
    Mutation(
        "a contact that is not the one sent",
        "I2: documents that belong together are in one customer's account",
        (
            Edit(
                "mappers/pos_invoice.py",
                "def _document(",
                'contact = history.original.field("contact")',
                "contact = customer_of(sale.row)",
            ),
        ),
        (_RULES + "test_receipt_reversal_refund_and_payment_take_the_contact_that_was_sent",),
    ),
    Mutation(
        "a call after the claim's end",
        "I2, I3: who lost its claim sends nothing",
        (Edit("consumers/pushing.py", "async def push(", "last = min(over, push.ends)", "last = over"),),
        (
            _PUSHING + "test_no_call_begins_when_the_claim_has_ended",
            _PROTOCOL + "test_no_call_begins_after_the_end_of_the_claim",
        ),
    ),
    Mutation(
        "a wake that takes an ended claim for none",
        "I1: no wake is lost, whatever the order of the two commits",
        (
            Edit(
                _STEPS,
                "-- name: wake",
                "set again  = t.token is not null",
                "set again  = t.busy_until > clock_timestamp()",
            ),
        ),
        (_PROTOCOL + "test_a_receipt_whose_claim_has_ended_is_woken_all_the_same",),
    ),
    Mutation(
        "a refund that does not look at its original on release",
        "I1: no wake is lost, whatever the order of the two commits",
        (Edit(_STEPS, "-- name: release", "o.accepted <> w.original_accepted", "false"),),
        (_PROTOCOL + "test_a_refund_released_while_its_original_is_recorded_looks_again",),
    ),
    Mutation(
        "a sweep that gives no lease",
        "I1: a due task whose message is lost is due again",
        (
            Edit(
                "outbox/due.sql",
                "-- name: take_due",
                "set due_at = clock_timestamp() + ",
                "set due_at = null::timestamptz + ",
            ),
        ),
        (_DUE + "test_a_lease_is_five_minutes_and_doubles_up_to_an_hour_while_nobody_claims",),
    ),
    Mutation(
        "a relay's cursor without its fence",
        "I1: who lost the lead moves the cursor no more",
        (
            Edit(
                "outbox/cursor.sql",
                "-- name: move",
                "where ctid = %(ctid)s::tid and epoch = %(epoch)s",
                "where ctid = %(ctid)s::tid",
            ),
        ),
        (_LEAD + "test_a_relay_that_lost_the_lead_is_fenced_though_the_cursor_stands_where_it_left_it",),
    ),
    Mutation(
        "a relay's cursor that is looked for without its fence",
        "I1: who lost the lead moves the cursor no more",
        (
            Edit(
                "outbox/cursor.sql",
                "-- name: move",
                "where ctid = %(ctid)s::tid and epoch = %(epoch)s",
                "where ctid = %(ctid)s::tid",
            ),
            Edit("outbox/cursor.sql", "-- name: find", " where epoch = %(epoch)s", ""),
        ),
        (_LEAD + "test_a_relay_that_lost_the_lead_without_knowing_moves_the_cursor_no_more",),
    ),
    Mutation(
        "a time-out taken for a refusal",
        "I2: what may have arrived is in doubt",
        (
            Edit(
                "consumers/outcomes.py",
                "def classify(",
                "return _unknown(reply.code, reply.reason)",
                "return Outcome(Treatment.RETRY, reply.code, fit(reply.reason), certain=True)",
            ),
        ),
        (
            _OUTCOMES + "test_no_reply_leaves_the_document_in_doubt_with_what_broke",
            _FAILURES
            + "test_what_may_have_arrived_is_sent_again_until_it_is_known[reset_after_storing-given1]",
        ),
    ),
)
MUTATIONS = MappingProxyType({mutation.name: mutation for mutation in _ALL})
