"""A run as a person reads it: what was asked, how each part stands, why what is blocked or failed is."""

from collections import Counter
from typing import Any

from console.exits import Exit
from console.figures import in_utc, lasting
from console.printing import print_columns, say
from console.reasons import meaning
from console.watching import Seen
from outbox.runs import Run, Standing

MEANINGS = (
    "Rows, by tenant and kind of document:",
    "  sent     accepted since the run was asked for",
    "  there    accepted before: nothing was sent twice",
    "  nothing  calls for no document (not paid, voided, not approved, zero)",
    "  waiting  hangs on a document that is not accepted, such as its invoice",
    "  blocked  the tenant must mend something, and it goes by itself when that is done;",
    "           or the tenant is inactive, or has another company by now",
    "  failed   a conflict, or it keeps failing: see `retry` and `resolve`",
    "  left     still to be looked at",
)
_ALWAYS = (
    Standing.SENT,
    Standing.THERE,
    Standing.NOTHING,
    Standing.WAITING,
    Standing.BLOCKED,
    Standing.FAILED,
)
_WELL = (Standing.SENT, Standing.THERE, Standing.NOTHING)


def exit_of_run(seen: Seen) -> Exit:
    """Say which exit status a run gives: all is well only where nothing is held up, left or cancelled."""
    total = seen.counts.total
    well = seen.run.cancelled_at is None and total.total() == sum(total[each] for each in _WELL)
    return Exit.OK if well else Exit.WRONG


def print_run(seen: Seen) -> None:
    """Print it in 80 columns."""
    run, total = seen.run, seen.counts.total
    say(f"Run {run.id}: {run.first} to {run.last}, asked by {run.asked_by}, {in_utc(run.asked_at)}")
    say(f"{_state(run)}. {total.total():,} rows found, {total.total() - total[Standing.FOUND]:,} queued.")
    shown = [*_ALWAYS, *(each for each in (Standing.LEFT, Standing.CANCELLED) if total[each])]
    if total[Standing.FOUND]:
        shown.append(Standing.FOUND)
    names = [str(each) if each is not Standing.FOUND else "unqueued" for each in shown]
    rows: list[tuple[object, ...]] = [
        (tenant, endpoint, *_told(states, shown)) for (tenant, endpoint), states in seen.counts.parts.items()
    ]
    if len(rows) > 1:
        rows.append(("total", None, *_told(total, shown)))
    say("")
    print_columns(("tenant", "kind", "found", *names), rows, right=("tenant", "found", *names))
    _print_reasons(seen)


def as_json(seen: Seen) -> dict[str, Any]:
    """Return it for a machine."""
    return {
        **summary(seen.run),
        "found": seen.counts.total.total(),
        "queued": seen.counts.total.total() - seen.counts.total[Standing.FOUND],
        "counts": _counts(seen.counts.total),
        "parts": [
            {
                "tenant_id": tenant,
                "endpoint": endpoint,
                "found": states.total(),
                "queued": states.total() - states[Standing.FOUND],
                "counts": _counts(states),
                "reasons": [
                    {"state": state, "code": code, "rows": rows}
                    for (state, code), rows in sorted(seen.counts.reasons[tenant, endpoint].items())
                ],
            }
            for (tenant, endpoint), states in seen.counts.parts.items()
        ],
    }


def summary(run: Run) -> dict[str, Any]:
    """Return what was asked and how far it is, for a machine."""
    return {
        "run": run.id,
        "state": run.state,
        "asked_by": run.asked_by,
        "asked_at": run.asked_at,
        "from": run.first,
        "to": run.last,
        "tenants": list(run.tenants),
        "endpoints": list(run.endpoints),
        "queued_at": run.queued_at,
        "finished_at": run.finished_at,
        "cancelled_at": run.cancelled_at,
        "cancelled_by": run.cancelled_by,
    }


def how_to_go_on(run: int) -> str:
    """Say how to look at a run again, and how to cancel it."""
    return (
        f"Run {run} goes on by itself. Look again: aiaccount-sync runs show {run} --watch\n"
        f"Cancel it: aiaccount-sync runs cancel {run}"
    )


def _state(run: Run) -> str:
    if run.cancelled_at is not None:
        done = "Cancelled" if run.over else "Being cancelled; what is under way goes on"
        return f"{done} (by {run.cancelled_by}, {in_utc(run.cancelled_at)})"
    if run.finished_at is not None:
        return f"Done after {lasting(run.finished_at - run.asked_at)}"
    return "Being queued" if run.queued_at is None else "Under way"


def _told(states: Counter[Standing], shown: list[Standing]) -> tuple[str, ...]:
    return tuple(f"{rows:,}" for rows in (states.total(), *(states[each] for each in shown)))


def _counts(states: Counter[Standing]) -> dict[str, int]:
    return {str(each): states[each] for each in Standing}


def _print_reasons(seen: Seen) -> None:
    lines: list[tuple[object, ...]] = [
        (tenant, endpoint, f"{rows:,}", state, code)
        for (tenant, endpoint), reasons in seen.counts.reasons.items()
        for (state, code), rows in sorted(reasons.items())
    ]
    if not lines:
        return
    say("")
    print_columns(("tenant", "kind", "rows", "state", "reason"), lines, right=("tenant", "rows"))
    for code in dict.fromkeys(str(line[-1]) for line in lines):
        if told := meaning(code):
            say(f"  {code}: {told}")
