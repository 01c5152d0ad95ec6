"""Labelled photographs: who is in which, and which of them make the gallery."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso.sources.dataset import Role, Sample

_STRANGERS = 0.2
_EVERY = 4


@dataclass(frozen=True, slots=True)
class Labelled:
    """The labelled photographs in which a face was found, identity by identity.

    Attributes:
        samples: (N,) in the order of the rows of ``features``.
        features: (N, D), unit length.
        identity: (N,) places in ``names``.
        refusals: of each, why the product would not take it as a reference; None if it would.
        names: of the identities, sorted.
    """

    samples: tuple[Sample, ...]
    features: NDArray[np.float32]
    identity: NDArray[np.intp]
    refusals: tuple[str | None, ...]
    names: tuple[str, ...]


def label(seen: Iterable[tuple[Sample, NDArray[np.float32], str | None]]) -> Labelled:
    """Put photographs with their features and refusals in order."""
    ordered = sorted(seen, key=lambda each: (each[0].identity, each[0].path))
    names = sorted({sample.identity for sample, _, _ in ordered})
    number = {name: place for place, name in enumerate(names)}
    return Labelled(
        samples=tuple(sample for sample, _, _ in ordered),
        features=np.array([features for _, features, _ in ordered], np.float32),
        identity=np.array([number[sample.identity] for sample, _, _ in ordered], np.intp),
        refusals=tuple(refusal for _, _, refusal in ordered),
        names=tuple(names),
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is enrolled with which photographs, and with which the gallery is searched.

    Attributes:
        persons: identities in the gallery.
        references: rows of the features, person by person.
        owners: of each, the place in ``persons``.
        probes: rows; of the enrolled, and of strangers.
        not_enrolled: how many people had references, none of which was fit.
        refused: references that were not fit, by reason code.
    """

    persons: NDArray[np.intp]
    references: NDArray[np.intp]
    owners: NDArray[np.intp]
    probes: NDArray[np.intp]
    not_enrolled: int
    refused: Mapping[str, int]


def plan(labelled: Labelled, references: int) -> Plan:
    """References as the dataset says, else the first photographs of whoever has more than those.

    A quarter of the identities with more is set aside as strangers where the dataset has none.
    """
    roles = _roles(labelled, references)
    persons: list[int] = []
    rows: list[int] = []
    owners: list[int] = []
    refused = Counter[str]()
    tried = set()
    for row, role in enumerate(roles):
        if role is not Role.REFERENCE:
            continue
        identity = int(labelled.identity[row])
        tried.add(identity)
        refusal = labelled.refusals[row]
        if refusal is not None:
            refused[refusal] += 1
            continue
        if not persons or persons[-1] != identity:
            persons.append(identity)
        rows.append(row)
        owners.append(len(persons) - 1)
    unfit = tried - set(persons)
    # Who could not be enrolled is looked for in vain; that is a failure to enrol, not a miss.
    probes = [
        row
        for row, role in enumerate(roles)
        if role is not Role.REFERENCE and int(labelled.identity[row]) not in unfit
    ]
    return Plan(
        persons=np.array(persons, np.intp),
        references=np.array(rows, np.intp),
        owners=np.array(owners, np.intp),
        probes=np.array(probes, np.intp),
        not_enrolled=len(unfit),
        refused=dict(refused),
    )


def _roles(labelled: Labelled, references: int) -> list[Role]:
    """The role of each row; the rows of one identity lie together."""
    if any(sample.role for sample in labelled.samples):
        return [sample.role or Role.PROBE for sample in labelled.samples]
    held = np.bincount(labelled.identity, minlength=len(labelled.names))
    alone = held <= references
    if alone.sum() < _STRANGERS * len(held):
        alone |= np.arange(len(held)) % _EVERY == 0
    seen = Counter[int]()
    roles = []
    for identity in labelled.identity:
        seen[int(identity)] += 1
        if alone[identity]:
            roles.append(Role.STRANGER)
        else:
            roles.append(Role.REFERENCE if seen[int(identity)] <= references else Role.PROBE)
    return roles
