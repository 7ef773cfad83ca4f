"""The parts of the protocol, each with what breaks without it: the table of the ablation."""

from dataclasses import dataclass
from types import MappingProxyType

from tests.model.scope import Scope
from tests.model.steps import FINAL, ORDER, SINGLE, SLEEP
from tests.model.worlds import WORLDS


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the protocol.

    `says` is its sentence (docs/architecture.md, "Delivery"), `code` where it stands, `breaks` what does not
    hold without it, by the world in which that shows first.
    """

    name: str
    says: str
    code: str
    world: str
    breaks: str

    @property
    def scope(self) -> Scope:
        """The world without this part."""
        return WORLDS[self.world].leaving_out(self.name)


PARTS = MappingProxyType(
    {
        part.name: part
        for part in (
            Part(
                "due at claim",
                "the claim sets due_at to busy_until, so that the sweep finds a claim whose holder died",
                "steps.sql: claim",
                "amended",
                SLEEP,
            ),
            Part(
                "look again",
                "somebody is at it: `again` is noted, and the release makes it due",
                "steps.sql: release",
                "voided",
                SLEEP,
            ),
            Part(
                "acceptance without token",
                "an acceptance is a fact: it is recorded whatever the token says",
                "steps.sql: record_accepted",
                "late",
                SLEEP,
            ),
            Part(
                "own look",
                "an acceptance under a lost token makes its own task look again",
                "steps.sql: record_look",
                "late",
                SLEEP,
            ),
            Part(
                "token at intend",
                "an intent is written under the token",
                "steps.sql: intend",
                "amended",
                SINGLE,
            ),
            Part(
                "token at outcome",
                "every outcome but an acceptance needs the token",
                "steps.sql: record_noted",
                "amended",
                SINGLE,
            ),
            Part(
                "token at release",
                "the release needs the token",
                "steps.sql: release",
                "amended",
                SLEEP,
            ),
            Part(
                "read after claim",
                "row and ledger are read after the claim",
                "delivery.py: deliver",
                "amended",
                SLEEP,
            ),
            Part(
                "intent before call",
                "a document is written to the ledger before it is sent",
                "delivery.py: _push",
                "amended",
                SINGLE,
            ),
            Part(
                "doubt kept",
                "a refusal after an attempt of unknown outcome does not end the doubt",
                "calling.py: call",
                "amended",
                SINGLE,
            ),
            Part(
                "same again",
                "what is in doubt is sent again exactly as it was, its contact too",
                "mappers/plan.py: _resend",
                "amended",
                SINGLE,
            ),
            Part(
                "never over accepted",
                "an intent is never written over an accepted row",
                "steps.sql: intend",
                "amended",
                FINAL,
            ),
            Part(
                "clock",
                "no call begins after the claim's end, by the worker's own clock",
                "pushing.py: push",
                "amended",
                SINGLE,
            ),
            Part(
                "wake with acceptance",
                "what hangs on an acceptance becomes due in the same transaction",
                "steps.py: _record",
                "receipt-dies-early",
                SLEEP,
            ),
            Part(
                "wait",
                "a receipt waits until its invoice was accepted",
                "mappers/part.py: due_outcome",
                "receipt",
                ORDER,
            ),
            Part(
                "two minutes",
                "a look-up ends a doubt only two minutes after the last such attempt began",
                "entry.py: confirmable",
                "amended",
                SINGLE,
            ),
            Part(
                "reconciliation",
                "what the capture or Kafka lost is found by comparing digests",
                "reconcile",
                "lossy",
                SLEEP,
            ),
            Part(
                "busy though expired",
                "busy means claimed and not released, whether the claim has ended or not",
                "steps.sql: wake",
                "receipt",
                SLEEP,
            ),
            Part(
                "retry deadline",
                "what was not accepted has a deadline",
                "entry.py: settled",
                "amended",
                SLEEP,
            ),
            Part(
                "lease",
                "what the sweep took is due again when nobody claimed it",
                "due.sql: take_due",
                "amended",
                SLEEP,
            ),
            Part(
                "claim before commit",
                "an offset is committed after the claim",
                "intake.py: _handle",
                "amended",
                SLEEP,
            ),
        )
    }
)
