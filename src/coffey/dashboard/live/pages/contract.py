"""The contract: does the student still agree with the teacher, and what was decided about it?"""

from __future__ import annotations

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.live.pages.empty import empty
from coffey.dashboard.live.status import tone_of
from coffey.dashboard.page import Block, Note, Page, Section, Table, Tile
from coffey.dashboard.reading import estimate, flag, number, obj, rows, words
from coffey.dashboard.sections.watch import watch_section

TITLE = "Contract"


def contract_page(found: JsonObject) -> Page:
    """What the last tick said, the evidence over time, where the two disagree, drift, all decisions."""
    if not words(found, "champion"):
        return empty(
            TITLE,
            "There is no champion to watch yet.",
            "Run `coffey distill`, then `coffey promote`; `coffey serve` logs requests, and `coffey tick` "
            "lets the teacher answer a few of them again.",
        )
    decision = obj(found, "decision")
    sections = (
        _watch(found),
        _slices(found),
        _drift(obj(found, "drift"), unknown=words(found, "drift_unknown")),
        _decisions(found),
    )
    return Page(
        kind=TITLE,
        name=TITLE,
        verdict=words(decision, "reason") or "No tick has looked at this champion yet. Run `coffey tick`.",
        tone=tone_of(words(decision, "kind")),
        meta=_meta(found),
        tiles=[tile for tile in _tiles(found) if tile],
        sections=[section for section in sections if section],
    )


def _meta(found: JsonObject) -> list[tuple[str, str]]:
    pairs = [
        ("Champion", words(found, "champion")),
        ("Since", figures.moment(words(found, "since"))),
        ("Last tick that saw something new", figures.moment(words(found, "decision", "time"))),
    ]
    return [(name, value) for name, value in pairs if value]


def _tiles(found: JsonObject) -> tuple[Tile | None, ...]:
    return (_agreement(found), _evidence(found), _audits(found), _spent(found))


def _agreement(found: JsonObject) -> Tile | None:
    now, promised = estimate(found, "agreement", "overall"), number(found, "agreement", "promised", "value")
    if now is None or promised is None:
        return None
    note = f"95 %: {figures.share(now.low)} to {figures.share(now.high)}; promised {figures.share(promised)}"
    return Tile("Agreement", figures.share(now.value), note, "bad" if _alarm(found) else "plain")


def _evidence(found: JsonObject) -> Tile | None:
    now, most = number(found, "agreement", "log_evidence"), number(found, "agreement", "log_threshold")
    if now is None or most is None:
        return None
    if _alarm(found):
        return Tile("Alarm", "raised", f"evidence {now:.1f}, threshold {most:.1f} (logarithms)", "bad")
    return Tile(
        "Evidence of a drop", f"{now:.1f} of {most:.1f}", "natural logarithms; an alarm at the second", "good"
    )


def _alarm(found: JsonObject) -> bool:
    return number(found, "agreement", "alarm_index") is not None


def _audits(found: JsonObject) -> Tile:
    count, unlabelled = number(found, "audits") or 0.0, number(found, "unlabelled") or 0.0
    note = "since it is champion" + (f"; {unlabelled:,.0f} without a usable answer" if unlabelled else "")
    return Tile("Audits", f"{count:,.0f}", note)


def _spent(found: JsonObject) -> Tile | None:
    texts, usd = number(found, "spent", "texts"), number(found, "spent", "usd")
    if not texts:
        return None
    note = f"{texts:,.0f} answers after the first labelling: audits, re-distillations"
    return Tile("Spent on answers", figures.ABSENT if usd is None else figures.usd(usd), note)


def _watch(found: JsonObject) -> Section:
    section = watch_section({"watch": {**obj(found, "watch"), "decisions": []}})
    if section is not None:
        return Section("Agreement", section.lead, section.blocks)
    note = "No audited request of the champion was answered by the teacher yet. `coffey tick` asks it."
    return Section("Agreement", "", [Note(note)])


def _slices(found: JsonObject) -> Section | None:
    fell, others = rows(found, "slices", "found"), rows(found, "slices", "others")
    if not fell and not others:
        return None
    blocks: list[Block] = [Note(words(found, "slices", "sentence"), "warn" if fell else "plain")]
    if fell:
        blocks.append(
            Table(
                (
                    "requests",
                    "share of the traffic",
                    "agreement before",
                    "agreement since (95 %)",
                    "audits",
                    "of the whole drop",
                    "the teacher says",
                ),
                [_fell(one) for one in fell],
                caption="Slices that fell",
                text_columns=frozenset({0, 6}),
            )
        )
    if others:
        blocks.append(
            Table(
                ("requests", "agreement (95 %)", "audits", "the teacher's commonest other answer"),
                [(words(one, "name"), *_agreed(one), words(one, "mistaken_for")) for one in others],
                caption="Labels with the most disagreement, not shown to have fallen",
                text_columns=frozenset({0, 3}),
            )
        )
    lead = (
        "Audited requests of the champion, by the student's label, by length and by cluster of its features, "
        "against what the promise was measured on."
    )
    return Section("Where they disagree", lead, [*blocks, *_examples([*fell, *others])])


def _fell(one: JsonObject) -> tuple[str, ...]:
    before, explained = estimate(one, "agreement_before"), number(one, "explained")
    same = words(one, "same_as")
    return (
        f"{words(one, 'name')} (mostly those {same})" if same else words(one, "name"),
        f"{_part(number(one, 'share_before'))} → {_part(number(one, 'share'))}",
        figures.share(before.value) if before else figures.ABSENT,
        *_agreed(one),
        figures.ABSENT if explained is None else _part(explained),
        words(one, "mistaken_for"),
    )


def _agreed(one: JsonObject) -> tuple[str, str]:
    share = estimate(one, "agreement")
    return figures.interval(share) if share else figures.ABSENT, f"{number(one, 'audits') or 0:,.0f}"


def _part(share: float | None) -> str:
    return figures.ABSENT if share is None else figures.percent(share)


def _examples(found: list[JsonObject]) -> list[Block]:
    body = [
        (
            figures.short(words(audit, "text"), 160),
            words(audit, "teacher_label"),
            words(audit, "student_label"),
            figures.measured(number(audit, "confidence"), "share"),
        )
        for one in found
        for audit in rows(one, "examples")
    ]
    return [
        Table(
            ("request", "teacher", "student", "student's confidence"),
            body,
            caption="Requests to look at",
            text_columns=frozenset({0, 1, 2}),
        )
    ]


def _drift(drift: JsonObject, *, unknown: str) -> Section | None:
    if not drift:
        return Section("Drift", "", [Note(unknown)]) if unknown else None
    body = [
        (
            figures.spoken(words(one, "name")),
            "moved" if flag(one, "moved") else "as before",
            figures.measured(number(one, "reference"), ""),
            figures.measured(number(one, "recent"), ""),
            figures.measured(number(one, "shift", "effect"), ""),
            _p_value(number(one, "adjusted_p")),
        )
        for one in rows(drift, "measures")
    ]
    blocks: list[Block] = [Note(words(drift, "sentence"), "warn" if flag(drift, "drifted") else "plain")]
    if body:
        blocks.append(
            Table(
                ("of the inputs", "found", "before", "now", "effect size", "adjusted p"),
                body,
                caption="Inputs at promotion beside the latest requests",
                text_columns=frozenset({0, 1}),
            )
        )
    lead = "Drift explains, it does not alarm: inputs may move where the student is as good as before."
    return Section("Drift", lead, blocks)


def _p_value(value: float | None) -> str:
    if value is None:
        return figures.ABSENT
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _decisions(found: JsonObject) -> Section | None:
    made = rows(found, "watch", "decisions")
    if not made:
        return None
    body = [(figures.moment(words(row, "time")), words(row, "kind"), words(row, "reason")) for row in made]
    table = Table(
        ("time", "decision", "reason"),
        body,
        caption="The latest first",
        text_columns=frozenset({0, 1, 2}),
        tight_columns=frozenset({0, 1}),
    )
    return Section("Decisions", "In the journal's own words.", [table])
