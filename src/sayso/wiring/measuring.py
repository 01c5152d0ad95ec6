"""Measuring on labelled photographs, with or without a workspace."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from sayso.settings import Settings
from sayso.sources.folder import Folder
from sayso.wiring.layout import DATABASE

if TYPE_CHECKING:
    from sayso.services.evaluate import Evaluate


def open_evaluate(
    folder: Path, dataset: Path, environment: Mapping[str, str], *, model: str = ""
) -> Evaluate:
    """The service that measures, with the settings and models of a workspace where there is one.

    Args:
        folder: of the workspace; there need be none.
        dataset: refused where it shares photographs with a collection of that workspace, whose
            people were not asked for this.
        environment: for settings.
        model: name of the recogniser that is measured; empty: the one that is in use.

    Raises:
        DatasetRefused: it lies in a collection, or a collection lies in it.
        ModelUnknown: there is no such model.
    """
    from sayso.services.evaluate import Evaluate
    from sayso.services.galleries import Galleries
    from sayso.services.models import DEFAULT, chosen, named, recognisers
    from sayso.wiring.models import Models
    from sayso.wiring.opening import open_workspace

    repository, manifest = None, DEFAULT
    if (folder / DATABASE).is_file():
        workspace = open_workspace(folder)
        try:
            workspace.declare.require_apart(dataset)
            repository = workspace.repository
            with repository.reading() as unit:
                known = recognisers(unit)
                manifest = named(known, model) if model else chosen(unit).manifest
        finally:
            workspace.close()
    elif model:
        manifest = named({DEFAULT.sha256: DEFAULT}, model)
    settings = Settings.read(folder, environment)
    models = Models(settings, repository)
    recogniser = cache(lambda: models.recogniser_of(manifest, Galleries()))
    return Evaluate(
        models.eye,
        recogniser,
        lambda place: Folder(Path(place)),
        settings.cores,
        manifest.name,
    )
