"""The environment of dj-stripe: its own packages, exactly those of requirements.txt, apart from the portal's."""

import hashlib
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REQUIREMENTS = HERE / "requirements.txt"
FOLDER = ROOT / "var" / "peers"
PYTHON = FOLDER / "venv" / "bin" / "python"


class NotPrepared(Exception):
    """The environment could not be made; the text says why and what to do."""


def prepare() -> Path:
    """The Python with dj-stripe in it; made at the first use and again whenever the list of packages has changed."""
    stamp, wanted = FOLDER / "installed", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    if PYTHON.exists() and stamp.exists() and stamp.read_text() == wanted:
        return PYTHON
    stamp.unlink(missing_ok=True)
    FOLDER.mkdir(parents=True, exist_ok=True)
    print(f"Preparing dj-stripe in {FOLDER.relative_to(ROOT)}, once (about half a minute) …", flush=True)
    _run("Python cannot make a virtual environment; on Debian: apt-get install python3-venv.",
         sys.executable, "-m", "venv", "--clear", str(FOLDER / "venv"))  # fmt: skip
    _run("The packages of dj-stripe cannot be downloaded. It needs the network once; the other benchmarks do not.",
         str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes",
         "-r", str(REQUIREMENTS))  # fmt: skip
    stamp.write_text(wanted)
    return PYTHON


def _run(sentence: str, *command: str) -> None:
    """One line for each thing that is fetched or made, so that nobody wonders whether it still works."""
    last: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        for line in process.stdout or ():
            last = [*last[-9:], line.rstrip()]
            if line.startswith(("Collecting", "Installing")):
                print("  " + line.strip()[:110], flush=True)
    if process.returncode:
        raise NotPrepared("\n".join([*last, "", sentence]))
