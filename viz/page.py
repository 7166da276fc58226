"""The page: what it shows where. What it computes is in session.py and show.py, how it looks in assets/custom.css."""

import json

import solara

from scenarios.files import version
from viz import show
from viz.components import (
    Broken,
    Chart,
    Choice,
    Drawer,
    Footer,
    Header,
    Levers,
    Network,
    Notices,
    Player,
    Status,
    Strip,
    Table,
    Text,
    ViewBar,
)
from viz.panels import STYLE, avoid
from viz.panels.form import placeholder
from viz.panels.lessons import LessonCard, is_locked
from viz.session import ALL, Session, asked
from viz.state import to_query

DRAWN_BY = {"chart": Chart, "table": Table, "text": Text, "network": Network}
LAST_RUN = "What you see is the last run that could be shown."
RESTS = {"owes"}  # views that are the main screen itself
ASKED_OF = {"party", "events", "curves"}  # views from which it can be asked what would have avoided a default


@solara.component
def Page():
    """One visitor's page, from the query of the address to the last figure."""
    query = solara.use_router().search
    session = solara.use_memo(lambda: Session(query), [])
    solara.Title("Take or Pay")
    solara.Style(STYLE)
    with solara.Div(classes=["tp-page"]):
        with solara.Div(classes=["tp-at-header"]):
            Top(session)
        with solara.Div(classes=["tp-at-notices"]):
            Told(session)
        with solara.Div(classes=["tp-at-levers"]):
            LeftColumn(session)
        with solara.Div(classes=["tp-at-centre"], attributes={"role": "main"}):
            Views(session)
            Answer(session)
        with solara.Div(classes=["tp-at-status"]):
            Standing(session)
        with solara.Div(classes=["tp-at-player"]):
            Months(session)
        with solara.Div(classes=["tp-at-footer"]):
            Bottom(session)
        OpenPanel(session)


@solara.component
def Top(session):
    state, last = session.state.value, session.last_change()
    spec = solara.use_memo(lambda: json.dumps(show.header()), [])
    now = {
        "scenario": state.scenario,
        **show.scenario_words(state),
        "seed": state.seed,
        "dark": state.dark,
        "names": state.names,
        "undo": bool(session.past),
        "redo": bool(session.future),
        "side": last[2] if last else "",
        "change": show.difference(*last[:2]) if last else "",
    }
    does = {
        "undo": session.undo,
        "redo": session.redo,
        "flip": session.flip,
        "new luck": session.new_luck,
        "levers": lambda: session.change(panel="levers"),
        "theme": lambda: session.change(dark=not state.dark),
        "names": lambda: session.change(names="own" if state.names == "archetype" else "archetype"),
    }

    def use_theme():
        solara.lab.theme.dark = state.dark

    solara.use_effect(use_theme, [state.dark])
    Header(
        spec=spec,
        state=json.dumps(now),
        event_scenario=lambda name: session.open_scenario(str(name)),
        event_do=lambda what: does.get(what, lambda: None)(),
        event_seed=lambda seed: session.change(seed=show.seed_of(seed, state.seed)),
        event_panel=lambda key: session.change(panel=str(key)),
    )


@solara.component
def Told(session):
    failure = session.progress.failure if session.seen.value else ""  # else it stands where the answer would
    notices = [{"text": text} for text in session.notices.value]
    if failure:
        notices.append({"text": f"{failure} {LAST_RUN}", "tone": "breach"})

    def dismiss(index):
        if failure and index == len(notices) - 1:
            session.forgive()
        else:
            session.dismiss(int(index))

    Notices(notices=json.dumps(notices), event_dismiss=dismiss)


@solara.component
def LeftColumn(session, within=False):
    """The lesson that is open, if one is, and the levers: in a lesson only once there is a prediction.

    ``within``: whether a dialog holds it.
    """
    with solara.Div():
        LessonCard(session)
        if not is_locked(session):
            LeverPanel(session, within)


@solara.component
def LeverPanel(session, within):
    state = session.state.value
    spec = solara.use_memo(lambda: show.levers(state), [state.scenario, state.lesson, state.names])
    values = json.dumps(dict(state.sets))

    def move(message):
        known = show.lever_value(state, message)
        if known:
            session.move(*known, bool(message.get("moving")))

    Levers(
        spec=spec,
        values=values,
        busy=bool(session.progress.busy),
        within=within,
        event_change=move,
        event_reset=lambda path: session.reset(str(path)),
    )


@solara.component
def Views(session):
    """The row of views."""
    ViewBar(
        spec=json.dumps(show.view_list()),
        chosen=session.state.value.view,
        event_choose=lambda key: session.change(view=str(key)),
    )


@solara.component
def Answer(session):
    """What came of what is asked, on the main screen or in the view that was chosen; computed when it is asked."""
    state = session.state.value
    solara.use_effect(session.start, [asked(state)])
    if session.seen.value is None:
        Waiting(session)
    elif state.view in RESTS:
        MainScreen(session)
    else:
        ViewPane(session)


@solara.component
def Months(session):
    """The player of the months, once there is an answer."""
    seen = session.seen.value
    if seen is None:
        return
    Player(
        spec=seen.screen.timeline,
        month=session.state.value.month,
        event_settled=lambda month: session.change(month=int(month)),
    )


@solara.component
def MainScreen(session):
    state, seen = session.state.value, session.seen.value
    chart = solara.use_memo(
        lambda: show.chart(seen.run, state, seen.pinned),
        [seen.run, seen.pinned, state.chart, state.party, state.names],
    )
    with solara.Div(classes=["tp-main"]):
        with solara.Div():
            Network(spec=seen.screen.network, event_pick=lambda item: picked(session, item))
        with solara.Div():
            if is_locked(session):
                Sealed()
                return
            Chart(
                spec=chart,
                choices=json.dumps(show.chart_list(seen.run)),
                chosen=state.chart,
                stamp=seen.screen.stamp,
                event_choose=lambda key: session.change(chart=str(key)),
                event_pick=lambda item: picked(session, item),
            )


@solara.component
def Sealed():
    """What stands in place of results while a lesson waits for a prediction."""
    with solara.Div(classes=["tp-blank", "tp-sealed"]):
        solara.Div(children=["What comes of it is shown once you have said what you expect."])
        solara.Div(classes=["tp-only-narrow"], children=["The button “Levers” opens the lesson."])


@solara.component
def ViewPane(session):
    state, seen = session.state.value, session.seen.value
    played = avoid.played(session)
    specs, problem = solara.use_memo(
        lambda: show.view(seen.run, state, seen.pinned), [seen, state.view, state.party, state.names, played]
    )
    with solara.Div(classes=["tp-stack"], key=state.view):
        question = asked_above(state, seen.run) if state.view in ASKED_OF else None
        if question is not None:
            Asked(session, *question)
        if problem:
            Broken(problem)
        for kind, key, spec in specs:
            with solara.Div(classes=["tp-slot", f"tp-slot-{kind}"]).key(f"{state.view}-{key}"):
                drawn = {"spec": spec}
                if kind != "text":
                    drawn["event_pick"] = lambda item: picked(session, item)
                if kind == "chart":
                    drawn["stamp"] = seen.screen.stamp
                DRAWN_BY[kind](**drawn)


def asked_above(state, run):
    """Give (the choice of whom a view is about, the party chosen, whom to ask about what would have avoided it or "").

    None where there is nothing to choose and nobody fails.
    """
    troubled, party = avoid.in_trouble(run), state.party or "OpenAI"
    if state.view == "party":
        return show.party_list(run, state), party, party if party in troubled else ""
    return ({"label": "", "options": []}, party, troubled[0]) if troubled else None


@solara.component
def Asked(session, choice, party, about):
    """Above a view: whom it is about, and, where somebody fails, the question what would have avoided it."""
    state, run = session.state.value, session.seen.value.run
    Choice(
        spec=json.dumps(choice | {"action": "What would have avoided it?" if about else ""}),
        chosen=party,
        event_choose=lambda name: session.change(party=show.party_of(name, run, state)),
        event_act=lambda *_: avoid.begin(session, about),
    )


@solara.component
def Standing(session):
    seen = session.seen.value
    if seen is None:
        return
    state = session.state.value
    Status(spec=seen.screen.status)
    if is_locked(session):
        return
    Strip(
        spec=seen.screen.strip,
        story=seen.run.position,
        waiting=max(0, max(ALL, state.worlds) - seen.run.worlds) if session.progress.busy else 0,
        event_choose=lambda position: session.change(story=show.world_of(position, seen.run)),
    )


@solara.component
def Waiting(session):
    with solara.Div(classes=["tp-waiting"]):
        if session.progress.failure:
            solara.Div(classes=["tp-failed"], children=[session.progress.failure])
            solara.Div(children=["Another seed, lever or scenario may still run."])
        else:
            solara.Div(children=["Playing 96 months in 64 worlds …"])


@solara.component
def Bottom(session):
    state, seen, progress = session.state.value, session.seen.value, session.progress
    facts = {
        "busy": progress.busy,
        "old": session.is_old,
        "seed": state.seed,
        "worlds": 0,
        "version": version(),
        "digest": progress.digest,
    }
    if seen is not None:
        facts |= seen.screen.footer
    Footer(
        spec=json.dumps(facts),
        query=to_query(state),
        entry=session.entry,
        event_visit=lambda query: session.visit(str(query)),
    )


@solara.component
def OpenPanel(session):
    """The drawer of a panel, if one is open."""
    state = session.state.value

    def close(*_):
        session.change(panel="")

    if state.panel == "levers":
        Drawer(title="Levers", left=True, children=[LeftColumn(session, within=True)], event_close=close)
        return
    panel = show.panel(state.panel)
    if panel is not None:
        waits = session.seen.value is None and getattr(panel, "NEEDS_RUN", False)
        child = (
            placeholder("The first run is still being computed.") if waits else Boundary(panel.Panel, session)
        )
        Drawer(
            title=panel.TITLE,
            wide=getattr(panel, "WIDE", False),
            children=[child],
            event_close=close,
        ).key(state.panel)


@solara.component
def Boundary(component, session):
    """A panel, or, if it fails, a sentence in its place: nobody is shown a traceback."""
    error, forget = solara.use_exception()
    if error is not None:
        show.log(error)
        with solara.Div():
            Broken("This panel could not be shown. The rest of the page goes on.")
            solara.Button("Try again", on_click=forget, text=True)
    else:
        component(session)


def picked(session, item):
    """Follow a click: into a world, to a party, to a month."""
    what, name = item.get("what"), item.get("name")
    if what == "world":
        session.change(story=show.world_of(name, session.seen.value.run))
    elif what == "party":
        known = show.party_of(item.get("id") or name, session.seen.value.run, session.state.value)
        if known:
            session.change(party=known, view="party")
