"""A few fields, a button that starts work in the background, its progress, and a button that stops it."""

import json

import solara


@solara.component_vue("form.vue", vuetify=False)
def WorkForm(spec="", progress=-1.0, failure="", event_change=None, event_start=None, event_stop=None):
    """Show {text, fields: [{key, label, value, options or groups}], action, note, refused}; ``progress`` -1: idle."""


def placeholder(words):
    """What stands where a result will stand: a sentence on what it will be."""
    return solara.Div(classes=["tp-blank"], children=[words])


def form_of(work, spec, change, start):
    """Show the form of one piece of background work: its fields, how far it is, what went wrong, and its stop."""
    progress = work.progress.value
    return WorkForm(
        spec=json.dumps(spec),
        progress=-1.0 if progress is None else progress,
        failure=work.failure.value,
        event_change=change,
        event_start=start,
        event_stop=lambda *_: work.stop(),
    )
