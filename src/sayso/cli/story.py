"""The demonstration: the whole story on real portraits, told as it happens."""

import os
from pathlib import Path

from sayso.cli.session import Session, write
from sayso.domain.grant import STAFF, channel
from sayso.domain.person import Person
from sayso.domain.photo import Recognition
from sayso.domain.screening import CoverStyle, Verdict
from sayso.errors import Denied, OutputRefused
from sayso.services.enrol import Enrolled
from sayso.services.intake import Form, enrolment
from sayso.services.scene import Scene, set_up
from sayso.wiring import KeyPlace, Workspace, create_workspace, open_workspace

_COLLECTION = "space-day"
_WEBSITE = channel("website")


def tell(run: Session, out: Path) -> None:
    """Tell the story in a folder of its own.

    Raises:
        OutputRefused: the folder is not empty.
        FileMissing: the packages that ship the portraits are not installed.
    """
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise OutputRefused(
            expected="a new or empty folder for the demonstration",
            found=f"something at {out}",
            remedy="Remove it, or name another with --out.",
        )
    scene = set_up(out)
    workspace = open_workspace(create_workspace(out / "workspace", KeyPlace.FILE, os.environ))
    try:
        _Story(run, workspace, scene, out).play()
    finally:
        workspace.close()


class _Story:
    def __init__(self, run: Session, workspace: Workspace, scene: Scene, out: Path) -> None:
        self._run = run
        self._workspace = workspace
        self._scene = scene
        self._out = out

    def _say(self, line: str) -> None:
        if not self._run.as_json:
            write(self._run.out, line)

    def play(self) -> None:
        say = self._say
        say("\n[bold]1. A collection is declared[/], for one purpose and with a written basis.")
        self._workspace.declare(
            _COLLECTION,
            self._scene.photographs,
            purpose="Newsletter about the history of computing and space flight",
            recognition=Recognition.GROUP,
            basis="DPIA 2026-01 (demonstration)",
            retain_days=365,
        )
        say("\n[bold]2. Two people were asked.[/]")
        collins = self._enrol(
            "Eileen Collins",
            self._scene.collins,
            ("recognise", "find", "name:staff", "publish:website"),
        )
        hopper = self._enrol("Grace Hopper", self._scene.hopper, ("recognise", "find"))
        say("   Eileen Collins: recognise me, find my photographs, tell staff my name, and show")
        say("   my face on the website. Grace Hopper: recognise me and find my photographs for me.")
        self._scan()
        self._identify()
        say("   Each is given her own photographs, and only those:")
        self._find(collins.person)
        self._find(hopper.person)
        publication = self._publish()
        self._withdraw(hopper.person)
        self._run.result(
            {**publication, "workspace": str(self._workspace.folder)},
            "",
            f"Open the report: [bold]{Path(str(publication['report'])).as_uri()}[/]",
        )

    def _enrol(self, name: str, image: Path, grants: tuple[str, ...]) -> Enrolled:
        form = Form(name=name, images=[str(image)], grants=grants, evidence=str(self._scene.form))
        return self._workspace.enrol(enrolment(form, jurisdiction=""))

    def _scan(self) -> None:
        with self._run.progress("Scanning") as progress:
            done = self._workspace.scan(_COLLECTION, progress=progress)
        self._say(
            f"\n[bold]3. The photographs are scanned:[/] {done.photos} photographs, "
            f"{done.faces} faces in {done.seconds:.1f} s."
        )

    def _identify(self) -> None:
        faces = self._workspace.identify(
            self._scene.together.read_bytes(), collection=_COLLECTION, audience=STAFF
        )
        self._say("\n[bold]4. Who is in the picture of the two?[/] The staff are told:")
        for face in faces:
            name = "nobody who may be named" if face.person is None else face.person.name
            self._say(f"   {name}")

    def _find(self, person: Person) -> None:
        try:
            _, found = self._workspace.find(person.id)
        except Denied as denied:
            self._say(f"   {person.name}: refused ({denied.reason_code}).")
            return
        paths = len({one.path for one in found})
        self._say(f"   {person.name} is in {paths} of them.")

    def _publish(self) -> dict[str, object]:
        screening = self._workspace.screen(_COLLECTION, _WEBSITE)
        counts = screening.counts()
        self._say(
            f"\n[bold]5. May this go on the website?[/] {counts[Verdict.CLEAR]} as they are, "
            f"{counts[Verdict.COVER]} with faces covered, {counts[Verdict.REVIEW]} for a human "
            "to look at."
        )
        with self._run.progress("Covering") as progress:
            done, pages = self._workspace.publish(
                _COLLECTION, self._out / "website", _WEBSITE, CoverStyle.FILL, progress=progress
            )
        self._say(
            f"\n[bold]6. Covered copies are written[/] and looked at again: {len(done.published)} "
            f"ready, {len(done.withheld)} left out."
        )
        return {
            "published": len(done.published),
            "withheld": len(done.withheld),
            "manifest": str(pages.manifest),
            "report": str(pages.report),
        }

    def _withdraw(self, person: Person) -> None:
        ended = self._workspace.rights.withdraw(person.id)
        self._say(
            f"\n[bold]7. {person.name} changes her mind:[/] {ended.templates} reference destroyed "
            "in the same moment.\n   Her photographs, asked for again:"
        )
        self._find(person)
