"""A look at everything as people and machines read it: lines of at most 80 columns, or one JSON document."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from rich.text import Text

from console.figures import counted, moment, span
from console.pill import MOST_ROWS, WRONG, Failure, Kind
from console.pipeline import Pipeline
from console.standing import Lead, Look, Standing

WIDTH = 80
_NAME = 13
_UTC = ZoneInfo("UTC")
_STYLES = {
    Kind.PAUSED: "yellow",
    Kind.FAILED: "red",
    Kind.STALLED: "bold red",
    Kind.SYNCING: "cyan",
    Kind.LAST_SYNC: "green",
    Kind.NO_DATA: "dim",
}
_STATES = ("pushed", "waiting", "retrying", "in doubt", "blocked", "conflict", "parked", "skipped")
UNSEEN = "The pipeline is shown to logins with the role aiaccount_admin."


def board(look: Look, pipeline: Pipeline | None) -> Text:
    """Return what a person sees: the tenants, those first that need somebody to look, and the pipeline."""
    lines = [*_tenants(look), *(Text(UNSEEN, "dim"),)] if pipeline is None else [*_tenants(look)]
    if pipeline is not None:
        lines += [Text("Pipeline", "bold"), *_pipeline(look, pipeline)]
    return Text("\n").join(lines)


def wrong(look: Look, pipeline: Pipeline | None) -> bool:
    """Say whether somebody must look: a pill that says so, or Kafka does not answer."""
    unreached = pipeline is not None and pipeline.unreached is not None
    return unreached or any(map(_wrong, look.standings))


def as_json(look: Look, pipeline: Pipeline | None) -> dict[str, Any]:
    """Return the document that `--json` prints; its shape is in the command's help."""
    return {
        "at": _moment(look.at),
        "tenants": [
            {
                "tenant_id": own[0].tenant_id,
                "company_name": own[0].company_name,
                "timezone": own[0].facts.zone.key,
                "endpoints": [_endpoint_json(each) for each in own],
            }
            for own in _by_tenant(look.standings)
        ],
        "pipeline": None if pipeline is None else _pipeline_json(look, pipeline),
    }


def _wrong(standing: Standing) -> bool:
    return standing.pill.kind in WRONG and not standing.facts.meant


def _by_tenant(standings: Sequence[Standing]) -> Iterator[list[Standing]]:
    for _, own in groupby(standings, key=lambda each: each.tenant_id):
        yield list(own)


def _tenants(look: Look) -> Iterator[Text]:
    tenants = list(_by_tenant(look.standings))
    if not tenants:
        yield Text("No tenant is there, or none that this login may see.\n")
    for own in sorted(tenants, key=lambda own: not any(map(_wrong, own))):
        name = Text(f"{own[0].company_name} ({own[0].tenant_id})", "bold")
        name.truncate(WIDTH, overflow="ellipsis")
        yield name
        for each in own:
            yield _line(each.endpoint, each.pill.text, _STYLES[each.pill.kind])
        yield Text("")


def _line(name: str, text: str, style: str = "") -> Text:
    """Return a name and what is said of it, on as many lines as that takes."""
    wrapped = textwrap.wrap(text, WIDTH - _NAME - 2) or [""]
    line = Text(f"  {name:<{_NAME}}")
    line.append(("\n" + " " * (_NAME + 2)).join(wrapped), style)
    return line


def _pipeline(look: Look, pipeline: Pipeline) -> Iterator[Text]:
    before = pipeline.backlog
    age = f", the oldest for {span(timedelta(seconds=before.age))}" if before.rows else ""
    yield _line("outbox", f"{counted(before.rows, 'row')} not in Kafka yet{age}", "red" if age else "")
    yield _line("relay", _lead(look.lead, look.at), "" if look.lead.leads else "red")
    if not look.captures:
        yield _line("capture", "off: see `aiaccount-sync migrate --check`", "red")
    if pipeline.unreached is not None:
        yield _line("Kafka", pipeline.unreached, "red")
    for nth, lag in enumerate(pipeline.lags):
        behind = f"{counted(lag.records, 'record')} behind"
        oldest = "" if not lag.seconds else f", the oldest for {span(timedelta(seconds=lag.seconds))}"
        yield _line("" if nth else "Kafka", f"{lag.endpoint:<{_NAME}}{behind}{oldest}")
    overdue = f"{before.overdue:,} overdue"
    yield _line("tasks", f"{before.due:,} due, {overdue}", "red" if before.overdue else "")
    states = (f"{pipeline.ledger[state]:,} {state}" for state in _STATES if state in pipeline.ledger)
    yield _line("ledger", ", ".join(states) or "empty")
    if (unsent := _oldest_unsent(look)) is not None:
        one, at, number = unsent
        what = (
            f"{one.endpoint} of tenant {one.tenant_id}"
            if number is None
            else f"{number} of tenant {one.tenant_id}"
        )
        waits = f"{_utc(at, look.at)} ({span(look.at - at)})"
        yield _line("unsent", f"the oldest: {what}, since {waits}")


def _lead(lead: Lead, now: datetime) -> str:
    moved = f"its cursor moved {span(now - lead.moved_at)} ago"
    if not lead.leads:
        return f"nobody leads; the cursor moved last on {_utc(lead.moved_at, now)}"
    if lead.by is None or lead.since is None:
        return f"leads; {moved}"
    return f"{lead.by} leads since {_utc(lead.since, now)}; {moved}"


def _utc(at: datetime, now: datetime) -> str:
    return f"{moment(at, _UTC, now)} UTC"


def _oldest_unsent(look: Look) -> tuple[Standing, datetime, str | None] | None:
    """Return the oldest of what is not in the books, and the number where it is known."""
    found = [
        (at, each.tenant_id, each, number)
        for each in look.standings
        for at, number in (
            (each.facts.waiting.since, None),
            *((one.since, one.number) for one in each.facts.failures if one.state != "conflict"),
        )
        if at is not None
    ]
    at, _, one, number = min(found, key=lambda each: each[:2], default=(None, 0, None, None))
    return None if at is None or one is None else (one, at, number)


def _endpoint_json(standing: Standing) -> dict[str, Any]:
    facts, waiting = standing.facts, standing.facts.waiting
    return {
        "endpoint": standing.endpoint,
        "pill": {"kind": standing.pill.kind, "text": standing.pill.text},
        "last_sync_at": _moment(facts.last_at),
        "rows_that_day": min(facts.rows, MOST_ROWS),
        "waiting": waiting.count,
        "waiting_since": _moment(waiting.since),
        "paused_for": facts.pause,
        "failures": [_failure_json(each) for each in facts.failures],
    }


def _failure_json(failure: Failure) -> dict[str, Any]:
    return {**asdict(failure), "since": _moment(failure.since), "phrase": failure.phrase}


def _pipeline_json(look: Look, pipeline: Pipeline) -> dict[str, Any]:
    unsent = _oldest_unsent(look)
    return {
        "captures": look.captures,
        "outbox": {"rows": pipeline.backlog.rows, "age_seconds": pipeline.backlog.age},
        "relay": {
            "leads": look.lead.leads,
            "by": look.lead.by,
            "since": _moment(look.lead.since),
            "moved_at": _moment(look.lead.moved_at),
        },
        "kafka": {
            "error": pipeline.unreached,
            "groups": [
                {"endpoint": lag.endpoint, "records": lag.records, "seconds": lag.seconds}
                for lag in pipeline.lags
            ],
        },
        "tasks": {"due": pipeline.backlog.due, "overdue": pipeline.backlog.overdue},
        "ledger": {state: pipeline.ledger.get(state, 0) for state in _STATES},
        "oldest_unsent": None
        if unsent is None
        else {
            "tenant_id": unsent[0].tenant_id,
            "endpoint": unsent[0].endpoint,
            "number": unsent[2],
            "since": _moment(unsent[1]),
        },
    }


def _moment(at: datetime | None) -> str | None:
    """Return a moment as JSON has it, in UTC."""
    return None if at is None else at.astimezone(_UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
