"""The transfer set with texts made from it, which the teacher answers like all others."""

from __future__ import annotations

from dataclasses import replace

from coffey.core.ids import input_key
from coffey.core.records import Example
from coffey.core.settings import Settings
from coffey.data.augment import make_texts
from coffey.data.leakage import find_leaks
from coffey.project.transfer import ProjectData, Split


def augment_data(settings: Settings, data: ProjectData) -> ProjectData:
    """`data` with `data.augment` made texts for each text that is trained on.

    They are made of texts outside the validation split, have no hard label, never belong to the validation
    split, and are dropped where they stand, or nearly stand, in the holdout.
    """
    if not settings.data.augment:
        return data
    chain, split = settings.chain, data.transfer
    judged = data.validation(share=chain.validation, seed=chain.seed)
    sources = split.only(~judged).texts
    made = make_texts(sources, round(settings.data.augment * len(sources)), seed=chain.seed)
    fresh = _fresh(made, data, near_duplicate=settings.data.near_duplicate)
    transfer = Split(
        (*split.texts, *fresh.values()), (*split.keys, *fresh), (*split.hard, *(None for _ in fresh))
    )
    return replace(
        data, transfer=transfer, made=frozenset(fresh), report=replace(data.report, augmented=len(fresh))
    )


def _fresh(made: list[str], data: ProjectData, *, near_duplicate: float) -> dict[str, str]:
    """Key → text of what stands in neither set, nor nearly in the holdout."""
    examples = [Example(text) for text in made]
    leaks = find_leaks(
        examples, [Example(text) for text in data.holdout.texts], near_duplicate=near_duplicate
    )
    known = leaks.leaking | set(data.transfer.keys)
    return {key: text for text in made if (key := input_key(text)) not in known}
