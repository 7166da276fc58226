"""The event log: what happened in the shown world up to the month, in full sentences with their reasons."""

from scenarios.experiments.cause_lines import DEFAULT, MISSED, books_of, cause_lines
from viz.specs import Table
from viz.views.happenings import timeline
from viz.views.reading import dates_of
from viz.words import capitalised

NO_BREAK = "\N{NO-BREAK SPACE}"
TITLE = "Event log"
KEY = "events"
GROUP = "Risk"
TOLD_IN_FULL = ("missed", "breach", "default")
"""Kinds of flags that a cause line tells with its reasons."""
LATE = 2  # months from the first unpaid bill on after which a payment counts as missed
TONES = {"missed payment": "breach", "covenant breach": "breach", "legal default": "default"}


def build(run, context):
    """Give the log; in each month it has the rows up to then."""
    return [_log(run, context)]


def log_rows(run, context):
    """Give [(month, party or "", kind, tone, sentences)] of the shown world, by month."""
    rows = [
        (line.month, line.party, line.outcome, TONES[line.outcome], why(line, context))
        for line in causes_of(run)
    ]
    rows += [
        (flag["month"], flag["party"], flag["kind"].replace("_", " "), flag["tone"], f"{flag['words']}.")
        for flag in timeline(run, context).flags
        if flag["kind"] not in TOLD_IN_FULL
    ]
    rows += [
        (event["month"], event["agent"], "decision", "ink", f"Decided: {event['because']}.")
        for event in run.story_events
        if event["kind"] == "decision"
    ]
    return sorted(rows, key=lambda row: row[0])


def why(line, context):
    """A cause line in words, and what would have avoided what it tells, where that has been asked."""
    told, found = line.words(context.cast), context.avoided
    outcome, month = found.outcome_of(line.party) if found else ("", 0)
    missed = outcome == "missed" and line.outcome == MISSED and month - LATE <= line.month <= month
    if missed or (outcome == "default" and line.outcome == DEFAULT):
        return f"{told} {found.words(line.party, context.cast)}"
    return told


def causes_of(run):
    """Give the cause lines of the shown world; read once."""
    if "causes" not in run.memory:
        run.memory["causes"] = cause_lines(books_of(run.results))
    return run.memory["causes"]


def _log(run, context):
    rows, dates = log_rows(run, context), dates_of(run)
    fixed = [
        [
            dates[month].replace(" ", NO_BREAK),
            capitalised(context.name(party)) if party in run.story.parties else "",
            {"text": kind, "tone": tone},
            words,
        ]
        for month, party, kind, tone, words in rows
    ]
    frames, headlines = [], []
    for month, date in enumerate(dates):
        so_far = [row for row in rows if row[0] <= month]
        frames.append([[] for _ in so_far])
        headlines.append(_headline(so_far, date, dates))
    columns = (("month", "left"), ("who", "left"), ("what", "left"), ("told", "left"))
    return Table(
        key="events",
        headline=headlines,
        label="What has happened up to this month, in this world, and why",
        columns=[{"key": title, "title": title, "align": align, "unit": ""} for title, align in columns],
        frames=frames,
        fixed=fixed,
        alt=headlines[-1],
    )


def _headline(rows, date, dates):
    bad = [row for row in rows if row[3] in ("breach", "default")]
    if not rows:
        return f"{date}: nothing has happened yet"
    if not bad:
        return f"{date}: nobody has missed a bill or broken a covenant"
    first = bad[-1][4].split(", because")[0].split(": ")[0].split(". ")[0].removesuffix(".")
    count = "the only trouble so far" if len(bad) == 1 else f"the last of {len(bad)} troubles so far"
    return f"{first}: {count}"
