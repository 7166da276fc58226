"""Files: the present scenario and run to take along, and a scenario of one's own to bring."""

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path

import solara

from scenarios.files import Output
from scenarios.schema import LARGEST
from viz.panels.upload import check_upload
from viz.panels.work import of_session
from viz.state import keep_scenario, scenario_of

TITLE = "Files"
SENTENCE = "Take the scenario or the run along; bring a scenario of your own"


# -- data ----------------------------------------------------------------------------------------------------


def scenario_file(state):
    """Give the present scenario, with what was changed, as the text of a file that stands alone."""
    return scenario_of(state).to_toml()


def run_files(run):
    """Give the files of a run (run.json and its tables) as the bytes of a ZIP archive."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        with Output(Path(folder) / "run") as output:
            output.write(run.results)
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((Path(folder) / "run").iterdir()):
                archive.write(path, path.name)
            archive.writestr("scenario.toml", run.results.scenario.to_toml())
    return packed.getvalue()


def file_name(state, ending):
    """Give a name for a file of the present run: the scenario's, and the seed."""
    plain = re.sub(r"\W+", "_", scenario_of(state).name).strip("_") or "scenario"
    return f"{plain}-seed{state.seed}{ending}"


# -- the panel -----------------------------------------------------------------------------------------------


@solara.component_vue("files.vue", vuetify=False)
def Upload(checked="{}", most=0, event_given=None, event_open=None, event_clear=None):
    """Take a file from the visitor, and show what is wrong with it beside its lines."""


@solara.component
def Panel(session):
    state, seen = session.state.value, session.seen.value
    checked = of_session(session, "upload", lambda: solara.Reactive(None))
    found = checked.value

    def given(message):
        name, text = str(message.get("name", "")), message.get("text", "")
        result = check_upload(name, text)
        checked.set((result, result.facts(text)))

    def open_it(*_):
        if found is not None and found[0].scenario is not None:
            session.open_scenario(keep_scenario(found[0].scenario))
            session.change(panel="")

    with solara.Div(classes=["tp-files"]):
        with solara.Div(classes=["tp-downloads"]):
            solara.FileDownload(
                lambda: scenario_file(session.state.value).encode(),
                filename=file_name(state, ".toml"),
                label="Scenario as TOML",
                mime_type="application/toml",
            )
            if seen is not None:
                solara.FileDownload(
                    lambda: run_files(seen.run),
                    filename=file_name(seen.state, ".zip"),
                    label=f"Run files ({seen.run.worlds} worlds, ZIP)",
                    mime_type="application/zip",
                )
        Upload(
            checked=json.dumps(found[1] if found else {}),
            most=LARGEST,
            event_given=given,
            event_open=open_it,
            event_clear=lambda *_: checked.set(None),
        )
