"""What a release needs agrees: versions, dependencies of the conda recipe, pinned actions."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest


def loaded(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def check_release(repository: Path) -> ModuleType:
    return loaded(repository / ".github/check_release.py")


def project(repository: Path) -> str:
    return (repository / "pyproject.toml").read_text("utf-8")


def written(folder: Path, version: str = "0.1.0", bundled: str = "0.1.0", head: str = "") -> Path:
    (folder / "js").mkdir()
    (folder / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    (folder / "js/package.json").write_text(json.dumps({"version": bundled}))
    (folder / "CHANGELOG.md").write_text(f"# Changelog\n\n{head or '## [0.1.0] - 2027-01-31'}\n")
    return folder


def test_a_release_that_agrees_with_itself_may_go_out(check_release, tmp_path):
    assert check_release.problem("v0.1.0", written(tmp_path)) == ""


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({"version": "0.1.0.dev0"}, "pyproject.toml says 0.1.0.dev0"),
        ({"bundled": "0.2.0"}, "js/package.json says 0.2.0"),
        ({"head": "## [Unreleased]"}, "CHANGELOG.md has no heading"),
    ],
)
def test_any_other_is_refused_with_what_is_missing(check_release, tmp_path, files, sentence):
    assert sentence in check_release.problem("v0.1.0", written(tmp_path, **files))


def test_versions_agree_until_then(repository):
    version = re.findall(r'^version = "(.+)"$', project(repository), re.M)[0]
    bundled = json.loads((repository / "js/package.json").read_text("utf-8"))["version"]
    assert re.sub(r"\.?(dev|a|b|rc)\d+$", "", version) == bundled
    assert f"  version: {version}\n" in (repository / ".ci/conda/recipe.yaml").read_text("utf-8")


def test_the_conda_recipe_asks_for_what_the_wheel_asks_for(repository):
    listed = re.findall(r"^dependencies = \[\n(.*?)^\]$", project(repository), re.M | re.S)[0]
    wanted = [
        requirement.partition(";")[0].strip()
        for requirement in re.findall(r'^    "(.+)",$', listed, re.M)
    ]
    recipe = (repository / ".ci/conda/recipe.yaml").read_text("utf-8")
    run = recipe.partition("\n  run:\n")[2].partition("\ntests:")[0]
    found = [line.replace(" ", "") for line in re.findall(r"^    - (.+)$", run, re.M)]
    assert found == ["python>=3.10", *wanted]


def test_the_oldest_releases_are_the_lower_bounds(repository):
    oldest = loaded(repository / ".github/oldest.py")
    listed = (
        'dependencies = [\n    # Why.\n    "numpy>=2.1",\n    "scipy",\n    "stim>=1; x"\n,\n]\n'
    )
    assert oldest.constraints(listed)[:2] == ["numpy==2.1", "scipy"]
    assert "qiskit-ibm-runtime==0.50" in oldest.constraints(project(repository))


def test_the_benchmarks_keep_what_they_measured_before(repository, tmp_path):
    history = loaded(repository / "tests/bench/_history.py")
    run, kept, chart = (tmp_path / name for name in ("run.jsonl", "kept.jsonl", "chart.svg"))
    for figure in (3, 2):
        row = {"name": "a job", "ours": figure, "peer": 4, "unit": "ms", "ratio": 2, "target": "1"}
        run.write_text(json.dumps(row) + "\n")
        history.main([str(kept), str(run), "--commit", f"{figure}" * 40, "--chart", str(chart)])
    (name, runs), *others = history.series(history.read(kept)).items()
    assert (name, [one["ours"] for one in runs], others) == ("a job", [3, 2], [])
    assert runs[1]["commit"].startswith("222")
    assert "<svg" in chart.read_text()


def test_what_was_not_run_is_blank_in_the_table_of_versions(repository):
    record = loaded(repository / "tests/matrix/record.py")
    one = {"python": "3.10", "qiskit-ibm-runtime": "0.50", "ipykernel": "7.4", "jupyterlab": ""}
    other = {**one, "python": "3.13", "jupyterlab": "4.6"}
    table = record.table(
        [{**one, "passed": 3, "failed": 0}, {**other, "passed": 2, "failed": 1}] * 2
    )
    assert table.splitlines() == [
        "| python | qiskit-ibm-runtime | ipykernel 7.4, lab - | ipykernel 7.4, lab 4.6 |",
        "| --- | --- | --- | --- |",
        "| 3.10 | 0.50 | 6 passed |  |",
        "| 3.13 | 0.50 |  | 4 passed, 2 failed |",
    ]


def test_every_action_is_pinned_by_its_hash(repository):
    for workflow in (repository / ".github/workflows").glob("*.yml"):
        used = re.findall(r"uses: (\S+)(.*)", workflow.read_text("utf-8"))
        assert used, workflow.name
        for action, remark in used:
            assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), f"{workflow.name}: {action}"
            assert re.fullmatch(r" # v\d+\.\d+\.\d+", remark), f"{workflow.name}: {action}"


def test_what_opens_in_the_cloud_opens_the_quickstart(repository):
    container = json.loads((repository / ".devcontainer/devcontainer.json").read_text("utf-8"))
    (opened,) = container["customizations"]["codespaces"]["openFiles"]
    assert (repository / opened).is_file()
    assert opened in container["postAttachCommand"]
    readme = (repository / "README.md").read_text("utf-8")
    (link,) = re.findall(r"mybinder\.org\S*labpath=([\w%./]+)", readme)
    assert (repository / link.replace("%2F", "/")).is_file()
