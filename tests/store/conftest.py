"""A fresh database for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from .kept import Kept


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    made = Kept.create(tmp_path / "workspace")
    yield made
    made.database.close()
