"""``qsession tutorial`` copies the walkthroughs, keeps what the reader made of them, opens them."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
import requests

from qsession_widgets import UserError
from qsession_widgets.cli.main import main
from qsession_widgets.tutorials import FIRST, FOLDER, copy_tutorials, differing

from ..processes import STARTING, jupyter_address, running


@pytest.fixture
def originals(repository: Path) -> dict[str, bytes]:
    found = {path.name: path.read_bytes() for path in (repository / "notebooks").glob("*.ipynb")}
    assert FIRST in found
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_all_of_them_are_copied_and_can_be_changed(tmp_path, originals):
    copies = copy_tutorials(tmp_path / "not" / "there yet")
    assert copies == tmp_path / "not" / "there yet" / FOLDER
    assert contents(copies) == originals
    assert all(path.stat().st_mode & stat.S_IWUSR for path in copies.iterdir())
    assert differing(copies) == []


def test_what_the_reader_changed_is_kept(tmp_path, originals):
    copies = copy_tutorials(tmp_path)
    mine, lost = sorted(originals)[:2]
    (copies / mine).write_text("my own notes")
    (copies / lost).unlink()
    (copies / "99_mine.ipynb").write_text("another one of mine")
    assert copy_tutorials(tmp_path) == copies
    assert contents(copies) == {
        **originals,
        mine: b"my own notes",
        "99_mine.ipynb": b"another one of mine",
    }
    assert differing(copies) == [mine]


def test_a_link_in_the_place_of_a_notebook_is_not_written_through(tmp_path, originals):
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / FIRST).symlink_to(tmp_path / "elsewhere.ipynb")
    copy_tutorials(tmp_path)
    assert not (tmp_path / "elsewhere.ipynb").exists()


def test_a_place_that_cannot_be_written_is_said_in_a_sentence(tmp_path):
    (tmp_path / FOLDER).write_text("a file with the folder's name")
    with pytest.raises(UserError, match=f"cannot be written to {tmp_path / FOLDER}.*: name a"):
        copy_tutorials(tmp_path)
    assert (tmp_path / FOLDER).read_text() == "a file with the folder's name"


def test_the_command_says_where_they_are_and_what_it_left_alone(tmp_path, capsys):
    command = ["tutorial", str(tmp_path), "--no-open"]
    assert main(command) == 0
    assert capsys.readouterr().out == f"The walkthroughs are in {tmp_path / FOLDER}.\n"
    (tmp_path / FOLDER / FIRST).write_text("my own notes")
    assert main(command) == 0
    assert capsys.readouterr().out.endswith(f"\nLeft as they were found there: {FIRST}.\n")


def test_the_command_fails_in_a_sentence(tmp_path, capsys):
    (tmp_path / FOLDER).write_text("")
    assert main(["tutorial", str(tmp_path), "--no-open"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_without_jupyterlab_the_command_says_what_to_install(tmp_path):
    """In an interpreter that finds the package and what it imports here, and no JupyterLab."""
    hiding = (
        "import sys; sys.modules['jupyterlab'] = None\n"
        "import importlib.util as u; found = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'jupyterlab' else found(name, *a)\n"
        "from qsession_widgets.cli import main; sys.exit(main(sys.argv[1:]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", hiding, "tutorial", str(tmp_path)], capture_output=True, text=True
    )
    assert done.returncode == 1
    assert (tmp_path / FOLDER / FIRST).is_file()
    assert 'pip install "qsession-widgets[lab]"' in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_becomes_a_jupyterlab_that_serves_them(tmp_path, originals):
    settings = {"ServerApp": {"allow_root": True, "open_browser": False, "port": 0}}
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "jupyter_server_config.json").write_text(json.dumps(settings))
    places = {
        "JUPYTER_CONFIG_DIR": str(tmp_path / "config"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }
    command = [sys.executable, "-c", "import qsession_widgets.cli as c; c.main()"]
    log = tmp_path / "log"
    with running([*command, "tutorial", str(tmp_path)], log, {**os.environ, **places}) as process:
        runtime = tmp_path / "runtime"
        # the file is there a moment before the server listens
        jupyter_address(process, log, runtime)
        server = json.loads((runtime / f"jpserver-{process.pid}.json").read_text())
        address = f"{server['url']}api/contents?token={server['token']}"
        answer = None
        deadline = time.monotonic() + STARTING
        while answer is None and time.monotonic() < deadline and process.poll() is None:
            with suppress(OSError, ValueError):
                answer = requests.get(address, timeout=30).json()
            time.sleep(0.05)
        assert answer, log.read_text()
        assert Path(server["root_dir"]) == tmp_path / FOLDER
        assert {item["name"] for item in answer["content"]} >= set(originals)
        # the page that the browser is sent to
        sent = runtime.glob("*open.html")
        assert any(f"/lab/tree/{FIRST}" in page.read_text() for page in sent)
