"""Every notebook runs from top to bottom, and what is committed is what its script says, with outputs."""

from pathlib import Path

import jupytext
import nbformat
import pytest
from nbclient import NotebookClient
from support.places import ROOT

pytestmark = pytest.mark.slow

FOLDER = ROOT / "notebooks"
SCRIPTS = sorted(FOLDER.glob("*.py"))


def sources(notebook: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [(cell.cell_type, cell.source.strip()) for cell in notebook.cells if cell.source.strip()]


def test_there_are_notebooks() -> None:
    assert {path.stem for path in SCRIPTS} >= {"two_patients", "who_gets_recorded"}


@pytest.mark.parametrize("page", ["README.md", "mkdocs.yml"])
def test_every_notebook_is_listed(page: str) -> None:
    said = (ROOT / page).read_text(encoding="utf-8")
    assert [path.stem for path in SCRIPTS if f"notebooks/{path.stem}." not in said] == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_committed_notebook_is_the_script_with_outputs(script: Path) -> None:
    notebook = nbformat.read(script.with_suffix(".ipynb"), as_version=4)
    script_cells = sources(jupytext.read(script))
    assert sources(notebook) == script_cells, "run `make notebooks`"
    assert any(cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error"
            assert output.get("name") != "stderr", output.get("text")


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_notebook_runs(script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKUP_QUICK", "1")  # smaller cohorts, where a notebook has them
    notebook = jupytext.read(script)
    NotebookClient(
        notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}
    ).execute()
