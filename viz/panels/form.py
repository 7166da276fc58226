"""A few fields, a button that starts work in the background, its progress, and a button that stops it."""

import solara


@solara.component_vue("form.vue", vuetify=False)
def WorkForm(spec="", progress=-1.0, failure="", event_change=None, event_start=None, event_stop=None):
    """Show {text, fields: [{key, label, value, options or groups}], action, note, refused}; ``progress`` -1: idle."""
