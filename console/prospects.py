"""What holds a document and what happens to it next: pure, from a row's story."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from console.figures import exact, span
from console.reasons import meaning
from console.story import Document, Story, Task
from consumers.breakers import Breaker as OpenBreaker
from consumers.breakers import concerns
from consumers.entry import Entry, Verdict
from mappers import Block, Conflict, Outcome, Push, Skip, Wait
from outbox.endpoints import Endpoint


def holding(
    story: Story, endpoint: Endpoint, document: Document | None = None, outcome: Outcome | None = None
) -> Iterator[str]:
    """Say what keeps a document from being sent, whatever the mappers say of it."""
    owner = story.owner
    if owner is None:
        return
    if not owner.active:
        yield (
            f"the tenant is inactive: nothing of it is sent (`aiaccount-sync tenants set "
            f"{story.row.tenant_id} --active`)"
        )
    for stop in story.stops:
        if stop.endpoint in {"*", endpoint}:
            where = "everywhere" if stop.endpoint == "*" else f"at {stop.endpoint}"
            since = exact(stop.stopped_at, owner.timezone)
            yield f"the tenant is stopped {where} since {since}: {stop.code}, {meaning(stop.code)}"
    for outage in story.outages:
        if outage.endpoint == endpoint:
            since, probe = (exact(at, owner.timezone) for at in (outage.began_at, outage.probe_at))
            yield f"AiAccount does not answer at {endpoint} since {since}; one call tries it at {probe}"
    if story.closed_until is not None:
        until = exact(story.closed_until, owner.timezone)
        yield f"AiAccount takes no calls for the tenant until {until}: it was called too often"
    for breaker in story.breakers:
        if breaker.endpoint == endpoint and _concerned(breaker.code, breaker.value, document, outcome):
            since, probe = (exact(at, owner.timezone) for at in (breaker.opened_at, breaker.probe_at))
            yield (
                f"{breaker.code} {breaker.value}".rstrip() + f" since {since}: one document tries again at "
                f"{probe}, and when it passes all go that lack it"
            )


def prospect(story: Story, endpoint: Endpoint, document: Document | None, outcome: Outcome | None) -> str:
    """Say what happens to a document next, and when."""
    return next(_prospects(story, endpoint, document, outcome))


def _prospects(
    story: Story, endpoint: Endpoint, document: Document | None, outcome: Outcome | None
) -> Iterator[str]:
    """Give what may come, the first that applies first."""
    task = (story.tasks or {}).get(endpoint)
    if document is not None and document.state == "conflict":
        yield "nothing until a person decides"
    if outcome is None and (document is None or document.state in {"pushed", "skipped"}):
        yield "nothing: it is done, until its row changes"
    if isinstance(outcome, Skip):
        yield "nothing: it is asked about again when its row or the settings change"
    if isinstance(outcome, Conflict):
        yield f"it goes into conflict at the next look, {_look(story, task)}"
    if task is not None and task.busy_until is not None and task.busy_until > story.now:
        yield f"a consumer is at it now; its claim ends {_when(story, task.busy_until)}"
    if isinstance(outcome, Wait):
        yield f"it goes once the document that it hangs on was accepted; looked at again {_look(story, task)}"
    if isinstance(outcome, Block):
        yield f"it goes when that is mended; looked at again {_look(story, task)}"
    if any(stop.endpoint in {"*", endpoint} for stop in story.stops):
        yield f"it is not called for while the tenant is stopped; looked at again {_look(story, task)}"
    if document is not None and document.next_at is not None and document.next_at > story.now:
        yield f"it is tried again {_when(story, document.next_at)}"
    yield f"it is tried {_look(story, task)}"


def _look(story: Story, task: Task | None) -> str:
    """Say when a delivery looks at the row again."""
    if task is None or task.due_at is None:
        if story.on_its_way is not None and (
            task is None or task.handled_at is None or story.on_its_way > task.handled_at
        ):
            return "in a moment: a change of the row is on its way"
        if task is None:
            return "when reconciliation finds it, within minutes (`aiaccount-sync reconcile --fix`: at once)"
        return "when its row changes"
    if task.due_at <= story.now:
        late = story.now - task.due_at
        if late > timedelta(minutes=1):
            return f"now: it is overdue by {span(late)}. Does the relay run?"
        return "now: it is due"
    return _when(story, task.due_at)


def _when(story: Story, at: datetime) -> str:
    zone = story.owner.timezone if story.owner else "UTC"
    ahead = at - story.now
    return f"at {exact(at, zone)}, in {span(ahead)}" if ahead > timedelta() else f"at {exact(at, zone)}"


def _concerned(code: str, value: str, document: Document | None, outcome: Outcome | None) -> bool:
    """Say whether an open breaker keeps a document, as a delivery would."""
    sent = outcome.document if isinstance(outcome, Push) else document.document if document else None
    if sent is None or (document is not None and document.doubt_at is not None):
        return False
    blocked = document is not None and document.state == "blocked"
    entry = Entry(
        str(sent["number"]),
        verdict=Verdict.BLOCK if blocked else None,
        code=document.code if document is not None else None,
    )
    return concerns(OpenBreaker(code, value, "", 0.0), sent, entry)
