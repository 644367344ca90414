"""Examples of the ``qsession`` command, shown by ``--help``; those of the emulator are its own."""

from __future__ import annotations

from ..command_help import Examples

EXAMPLES: Examples = {
    "qsession": (
        ("qsession list", "everything that is open, and what it has cost so far"),
        ("qsession close ID", "let queued jobs finish, accept no more"),
        ("qsession receipt --last", "what the newest session did and cost"),
        ("qsession run -- python my_script.py", "run it here, without an account"),
    ),
    "qsession list": (
        ("qsession list", "on every account and every emulator"),
        ("qsession list --service ibm", "on IBM only"),
        ("qsession list --json", "for programs"),
    ),
    "qsession show": (
        ("qsession show vqe", "a session by its name"),
        ("qsession show 3f2a 91bc", "two by how their ids begin"),
    ),
    "qsession watch": (
        ("qsession watch vqe", "until it is closed"),
        ("qsession watch vqe --json > vqe.jsonl", "write down every change"),
    ),
    "qsession close": (
        ("qsession close vqe", "a session by its name"),
        ("qsession close 3f2a 91bc", "two by how their ids begin"),
        ("qsession close --all", "everything that is open: names it, and asks"),
        ("qsession close --all --yes", "the same in a script, where nobody answers"),
    ),
    "qsession cancel": (("qsession cancel vqe", "queued jobs are cancelled"),),
    "qsession receipt": (
        ("qsession receipt --last", "of the newest session"),
        ("qsession receipt vqe --json", "for programs"),
    ),
    "qsession forecast": (
        ("qsession forecast vqe", "on the plan it ran on"),
        ("qsession forecast vqe --plan payg", "on another plan"),
    ),
    "qsession runs": (("qsession runs", "id, notebook or script, jobs, and how it ended"),),
    "qsession forget": (
        ("qsession forget run-1f2e3d4c", "one of them"),
        ("qsession forget --all", "every run"),
    ),
    "qsession leave": (("qsession leave class", "a class that is over"),),
    "qsession join": (
        ("qsession join https://lab.example.org:8443", "asks for your key"),
        ("qsession join https://lab.example.org:8443 --ca class.pem", "with its certificate"),
    ),
    "qsession price set": (
        ("qsession price set '$1.20/s'", "on every plan but Open"),
        ("qsession price set '$48/min' --plan premium", "on one plan"),
    ),
    "qsession tutorial": (
        ("qsession tutorial", "copy them to this folder, and open JupyterLab there"),
        ("qsession tutorial ~/quantum --no-open", "copy them to another folder only"),
    ),
}
