"""Measuring on labelled photographs, with or without a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.settings import Settings
from sayso.sources.folder import Folder
from sayso.wiring.layout import DATABASE

if TYPE_CHECKING:
    from sayso.services.evaluate import Evaluate


def open_evaluate(folder: Path, dataset: Path, environment: Mapping[str, str]) -> Evaluate:
    """The service that measures, with the settings of a workspace where there is one.

    Args:
        folder: of the workspace; there need be none.
        dataset: refused where it shares photographs with a collection of that workspace, whose
            people were not asked for this.
        environment: for settings.

    Raises:
        DatasetRefused: it lies in a collection, or a collection lies in it.
    """
    from sayso.services.evaluate import Evaluate
    from sayso.vision.models import SFACE
    from sayso.wiring.models import Models
    from sayso.wiring.opening import open_workspace

    if (folder / DATABASE).is_file():
        workspace = open_workspace(folder)
        try:
            workspace.declare.require_apart(dataset)
        finally:
            workspace.close()
    settings = Settings.read(folder, environment)
    models = Models(settings)
    return Evaluate(
        models.eye,
        lambda: models.recogniser,
        lambda place: Folder(Path(place)),
        settings.cores,
        SFACE.name,
    )
