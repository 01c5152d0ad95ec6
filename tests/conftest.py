"""What several folders of tests share: the real photographs, and one way to run Hypothesis."""

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

PROJECT = Path(__file__).resolve().parent.parent

# No deadline: the first example of a test may load a model, and machines differ.
settings.register_profile("here", deadline=None)
# The same examples on every run, so that a change is blamed only for what it changed.
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of labelled real photographs, which is not part of the project.

    It is named by SAYSO_PHOTOS or else lies in shared/photos beside the project's folder. Where
    it is absent the test is skipped, but in CI it fails: there it must not be passed over.
    """
    named = os.environ.get("SAYSO_PHOTOS")
    folder = Path(named) if named else PROJECT.parent / "shared" / "photos"
    if not (folder / "labels.csv").is_file():
        missing = f"the labelled photographs are not in {folder}; set SAYSO_PHOTOS to their folder"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)
    return folder
