"""The page's own Vue components. Each takes what it shows as JSON, and reads the shown month in the browser."""

import solara


@solara.component_vue("chart.vue", vuetify=False)
def Chart(spec="", choices="[]", chosen="", stamp="", event_choose=None, event_pick=None):
    """Draw a viz.specs.Chart; ``choices`` are other charts to switch to, ``stamp`` tells what was painted."""


@solara.component_vue("player.vue", vuetify=False)
def Player(spec="", month=0, event_settled=None):
    """Play, step and scrub through the months of a viz.specs.Timeline; tells the month where it comes to rest."""


@solara.component_vue("network.vue", vuetify=False)
def Network(spec="", event_pick=None):
    """Draw a viz.specs.Network: who owes whom."""


@solara.component_vue("status.vue", vuetify=False)
def Status(spec=""):
    """Say how things stand: a banner and four tiles of a viz.specs.Status."""


@solara.component_vue("strip.vue", vuetify=False)
def Strip(spec="", story=0, waiting=0, event_choose=None):
    """Show all worlds as marks, of which one is the story; ``waiting`` more are still being computed."""


@solara.component_vue("table.vue", vuetify=False)
def Table(spec="", event_pick=None):
    """Show a viz.specs.Table."""


@solara.component_vue("text.vue", vuetify=False)
def Text(spec=""):
    """Show the sentences of a viz.specs.Text."""


@solara.component_vue("levers.vue", vuetify=False)
def Levers(spec="", values="{}", busy=False, within=False, event_change=None, event_reset=None):
    """Show levers in groups; ``values`` are those that were moved; ``within`` a dialog they are no landmark."""


@solara.component_vue("header.vue", vuetify=False)
def Header(
    spec="",
    state="{}",
    event_scenario=None,
    event_do=None,
    event_seed=None,
    event_panel=None,
    event_view=None,
):
    """Choose the scenario, the luck and the panel; undo, redo, share."""


@solara.component_vue("views.vue", vuetify=False)
def ViewBar(spec="[]", chosen="", event_choose=None):
    """Choose what the middle of the page shows."""


@solara.component_vue("notices.vue", vuetify=False)
def Notices(notices="[]", event_dismiss=None):
    """Say what was repaired or went wrong, until it is dismissed."""


@solara.component_vue("footer.vue", vuetify=False)
def Footer(spec="{}", query="", entry=0, event_visit=None):
    """Say that the books balance, what was computed, and keep the address up to date.

    Another ``entry`` begins an entry of the browser's history; ``event_visit`` has the query of one that is visited.
    """


@solara.component_vue("choice.vue", vuetify=False)
def Choice(spec="{}", chosen="", event_choose=None, event_act=None):
    """Choose one of several, and a button beside: {"label", "options": [{"value", "title"}], "action" or ""}."""


@solara.component_vue("drawer.vue", vuetify=False)
def Drawer(title="", wide=False, left=False, children=(), event_close=None):
    """Lay a panel over the page; Escape closes it."""


@solara.component
def Broken(sentence):
    """Say in place of a view that it could not be drawn, and that nothing is lost."""
    with solara.Div(classes=["tp-figure", "tp-broken"]):
        solara.Div(children=[sentence])
