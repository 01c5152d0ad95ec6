"""What goes by itself: templates whose consent no longer stands."""

from datetime import datetime

from sayso.domain.person import PersonId
from sayso.domain.policy import HoldTemplate, Refusal, decide
from sayso.store.repository import Unit


def drop_lapsed_templates(unit: Unit, now: datetime) -> list[PersonId]:
    """Remove the templates of everybody who may no longer have one; gives who they were.

    A consent can end without anybody doing anything: it expires, or a minor comes of age.
    """
    lapsed = [
        person
        for person, record in unit.people.all_consents(unit.people.template_counts()).items()
        if isinstance(decide(HoldTemplate(person), record, now), Refusal)
    ]
    for person in lapsed:
        unit.people.drop_templates(person)
    return lapsed
