"""Notices: what people were told."""

from datetime import datetime

import sqlalchemy as sa

from sayso.domain.event import Notice
from sayso.domain.notice import KeptNotice
from sayso.errors import NoticeMalformed
from sayso.store.tables import notices


class Notices:
    """Notices, within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def add(self, notice: Notice, text: str, now: datetime) -> KeptNotice:
        """Keep a notice and make it the current one of its language.

        One that is kept already becomes current again, with the day on which it was added.

        Raises:
            NoticeMalformed: the very same words are kept under another version or language.
        """
        before = next((kept for kept in self.all() if kept.notice.sha256 == notice.sha256), None)
        if before is not None and before.notice != notice:
            raise NoticeMalformed(
                expected=f"version {before.notice.version} in {before.notice.language}, under "
                "which these very words are kept",
                found=f"version {notice.version} in {notice.language}",
                remedy="Give that version and language; a new version needs new words.",
            )
        self._connection.execute(
            sa.update(notices).where(notices.c.language == notice.language).values(current=False)
        )
        if before is None:
            self._connection.execute(
                sa.insert(notices).values(
                    sha256=notice.sha256,
                    version=notice.version,
                    language=notice.language,
                    text=text,
                    current=True,
                    added_at=now.isoformat(),
                )
            )
        else:
            self._connection.execute(
                sa.update(notices).where(notices.c.sha256 == notice.sha256).values(current=True)
            )
        return next(kept for kept in self.all() if kept.notice == notice)

    def all(self) -> list[KeptNotice]:
        """Every notice, in the order in which they were added."""
        query = sa.select(notices).order_by(notices.c.added_at, notices.c.sha256)
        return [
            KeptNotice(
                Notice(row.sha256, row.version, row.language),
                row.text,
                row.current,
                datetime.fromisoformat(row.added_at),
            )
            for row in self._connection.execute(query)
        ]
