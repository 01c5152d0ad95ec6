"""The controller: who answers for the processing, and how to reach them."""

from dataclasses import dataclass, fields

LONGEST_DAYS = 1095
"""Three years from the last interaction: the longest that templates and sightings are kept."""


@dataclass(frozen=True, slots=True)
class Controller:
    """What a consent record must say of the controller (GDPR art. 13(1)).

    A value in square brackets, such as ``[controller_name]``, is a placeholder: it was never set.

    Attributes:
        name: the organisation's legal name.
        contact: where to write or call: an e-mail address, a telephone number, a web address.
        address: the postal address, in one line.
        officer: how to reach the data protection officer; ``none`` where there is none.
        authority: the supervisory authority that complaints go to, with its address.
        jurisdiction: an ISO 3166 code (``IE``, ``GB-SCT``) whose law applies.
        storage: where the data lies: an ISO 3166 code.
        retention_days: templates and sightings go at the latest so long after the last
            interaction; at most `LONGEST_DAYS`.
    """

    name: str
    contact: str
    address: str
    officer: str
    authority: str
    jurisdiction: str
    storage: str
    retention_days: int = LONGEST_DAYS

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of the settings that still have to be set, in their order."""
        names = [field.name for field in fields(self) if field.name != "retention_days"]
        return tuple(f"controller_{name}" for name in names if is_placeholder(getattr(self, name)))


def placeholder(setting: str) -> str:
    """What stands for a value that was never set; plainly no value."""
    return f"[{setting}]"


def is_placeholder(text: str) -> bool:
    """Whether a text is blank or stands for one that was never set."""
    bare = text.strip()
    return not bare or (bare.startswith("[") and bare.endswith("]"))
