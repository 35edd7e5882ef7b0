"""A run's figures, as JSON and as a Markdown table."""

import os
import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tests.bench.run import Run
from tests.bench.stages import STAGES


def figures(mode: str, run: Run) -> dict[str, Any]:
    """Everything that a run tells. Rates are to the last message received; seconds, bytes, CPU seconds."""
    messages = run.received.total()
    seconds = (run.last_received_at - run.posted_at).total_seconds()
    by_stage = [journey.stages() for journey in run.journeys]
    return {
        "mode": mode,
        "processors": os.cpu_count(),
        "cases": run.cases,
        "messages": dict(run.received),
        "notices": run.notices,
        "seconds_to_last_message": seconds,
        "seconds_until_at_rest": run.at_rest_after,
        "messages_per_second": messages / seconds,
        "notices_per_second": run.notices / seconds,
        "cases_per_second": run.cases / seconds,
        "mail_bytes": _spread(run.mail_sizes),
        "accepted_to_sent": _spread(journey.accepted_to_sent for journey in run.journeys),
        "import_posted_to_sent": _spread((j.received_at - run.posted_at).total_seconds() for j in run.journeys),
        "stages": {stage: _spread(each[stage] for each in by_stage) for stage in STAGES},
        "cpu_seconds": dict(run.cpu),
        "cpu_ms_per_message": {group: used / messages * 1000 for group, used in run.cpu.items()},
        "idle_cpu_per_second": dict(run.idle),
    }


def _spread(values: Iterable[float]) -> dict[str, float]:
    ordered = sorted(values)
    if not ordered:
        return {}
    return {"p50": _at(ordered, 0.5), "p99": _at(ordered, 0.99), "mean": statistics.fmean(ordered)}


def _at(ordered: Sequence[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def markdown(told: Mapping[str, Any]) -> str:
    """The figures for people."""
    sms, mails = told["messages"].get("sms", 0), told["messages"].get("mail", 0)
    title = f"{told['mode']}: {told['cases']} cases, {sms} SMS, {mails} mails, {told['notices']} notices"
    rows = [
        ("messages/s", f"{told['messages_per_second']:.1f}"),
        ("notices/s", f"{told['notices_per_second']:.1f}"),
        ("cases/s", f"{told['cases_per_second']:.2f}"),
        ("import posted → last message received", f"{told['seconds_to_last_message']:.1f} s"),
        ("import posted → all receipts in, nothing left to do", f"{told['seconds_until_at_rest']:.1f} s"),
        ("accepted → sent p50 / p99", _pair(told["accepted_to_sent"])),
        ("import posted → sent p50 / p99", _pair(told["import_posted_to_sent"])),
        ("size of a mail p50 / p99", " / ".join(f"{told['mail_bytes'].get(p, 0):.0f} B" for p in ("p50", "p99"))),
    ]
    total = sum(told["cpu_ms_per_message"].values())
    rows.append(("CPU per message, all processes", f"{total:.1f} ms"))
    rows += [
        (f"– {group} (idle {told['idle_cpu_per_second'].get(group, 0):.1%} of a processor)", f"{used:.1f} ms")
        for group, used in sorted(told["cpu_ms_per_message"].items())
    ]
    stages = [(STAGES[stage], _pair(spread), f"{spread['mean']:.2f} s") for stage, spread in told["stages"].items()]
    return "\n\n".join(
        [
            f"### {title}",
            _table(("figure", "value"), rows),
            _table(("stage of a message", "p50 / p99", "mean"), stages),
        ]
    )


def _pair(spread: Mapping[str, float]) -> str:
    return " / ".join(f"{spread[share]:.2f} s" for share in ("p50", "p99"))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
