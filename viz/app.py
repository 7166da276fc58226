"""What Solara serves: the one page, without Solara's own frame around it."""

import solara


@solara.component
def Layout(children=()):
    return solara.Div(children=list(children), classes=["page-root"])


@solara.component
def Page():
    solara.Text("Take or Pay")
