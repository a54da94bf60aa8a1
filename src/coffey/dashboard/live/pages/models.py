"""Models: versions, aliases, lineage and evidence; what moved them, and what may be done."""

from __future__ import annotations

from urllib.parse import quote

from coffey.core.records import JsonObject
from coffey.dashboard import figures
from coffey.dashboard.live.pages.empty import empty
from coffey.dashboard.page import Block, Links, Note, Page, Section, Table, Tile, Tone
from coffey.dashboard.reading import estimate, flag, number, obj, rows, words

TITLE = "Models"


def models_page(found: JsonObject, *, may_write: bool = False) -> Page:
    """Who serves, who wants to, and the whole log."""
    versions = rows(found, "versions")
    if not versions:
        return empty(
            TITLE,
            "There is no model yet.",
            "Run `coffey distill`: a student that passes the gate is registered.",
        )
    aliases = {name: str(value) for name, value in obj(found, "aliases").items()}
    champion = aliases.get("champion")
    return Page(
        kind=TITLE,
        name=TITLE,
        verdict=f"{champion} is the champion." if champion else "No version is the champion: none is served.",
        tone="good" if champion else "warn",
        tiles=_tiles(aliases, versions),
        sections=[
            Section("What can be done", _lead(may_write), _actions(found, aliases, versions, may_write)),
            Section(
                "Versions",
                "A version never changes. Agreement is what was promised when it was registered.",
                [_versions(versions, aliases), _lineage(versions)],
            ),
            Section("What moved them", "The registry's log, the latest first.", [_events(found)]),
        ],
    )


def _tiles(aliases: dict[str, str], versions: list[JsonObject]) -> list[Tile]:
    notes = {
        "champion": "answers the requests",
        "challenger": "wants its place",
        "previous": "one step back: what a rollback brings back",
    }
    tones: dict[str, Tone] = {"champion": "good"}
    shown = [
        Tile(
            alias.capitalize(),
            aliases.get(alias, "none"),
            note,
            tones.get(alias, "plain") if alias in aliases else "plain",
        )
        for alias, note in notes.items()
    ]
    return [*shown, Tile("Versions", str(len(versions)), "in the registry")]


def _lead(may_write: bool) -> str:
    if may_write:
        return "Each is asked for once more before it is done. A running server follows within a second."
    return (
        "This dashboard is read-only for you. Who signs in with a write key may promote and roll back here."
    )


def _actions(
    found: JsonObject, aliases: dict[str, str], versions: list[JsonObject], may_write: bool
) -> list[Block]:
    if not may_write:
        commands = "On the command line: `coffey promote` and `coffey rollback`."
        return [Note(commands)]
    champion, challenger = aliases.get("champion"), aliases.get("challenger")
    names = [words(one, "name") for one in reversed(versions)]
    others = [name for name in names if name not in (champion, challenger)]
    verb = "Approve" if flag(found, "approval") else "Promote"
    pairs = [(f"{verb} {challenger}", _promote(challenger))] if challenger else []
    if aliases.get("previous"):
        pairs.append((f"Roll back to {aliases['previous']}", "/models/rollback"))
    pairs += [(f"Promote {name}", _promote(name)) for name in others if name != aliases.get("previous")]
    return [Links(pairs)] if pairs else [Note("There is one version, and it is the champion.")]


def _promote(name: str) -> str:
    return f"/models/promote?name={quote(name, safe='')}"


def _versions(versions: list[JsonObject], aliases: dict[str, str]) -> Table:
    points: dict[str, list[str]] = {}
    for alias, name in aliases.items():
        points.setdefault(name, []).append(alias)
    body = [
        (
            words(one, "name"),
            ", ".join(points.get(words(one, "name"), [])),
            figures.interval(promised)
            if (promised := estimate(one, "contract", "agreement"))
            else figures.ABSENT,
            words(one, "contract", "measured_on"),
            figures.measured(number(one, "params"), "params"),
            figures.measured(number(one, "bytes"), "bytes"),
            figures.moment(words(one, "created")),
        )
        for one in reversed(versions)
    ]
    names = [words(one, "name") for one in reversed(versions)]
    champion = aliases.get("champion")
    return Table(
        ("version", "alias", "promised agreement", "measured on", "params", "size", "registered"),
        body,
        caption="Versions, the newest first",
        text_columns=frozenset({0, 1, 3}),
        tight_columns=frozenset({0, 1, 3}),
        strong_rows=frozenset({names.index(champion)} if champion in names else ()),
    )


def _lineage(versions: list[JsonObject]) -> Table:
    body = [
        (
            words(one, "name"),
            words(one, "digest")[:12],
            words(one, "lineage", "previous")[:12] or "the teacher",
            words(one, "lineage", "teacher")[:12],
            words(one, "variant") or figures.ABSENT,
            words(one, "problem") or "verified",
        )
        for one in reversed(versions)
    ]
    return Table(
        ("version", "digest", "made from", "teacher's fingerprint", "variant", "signature"),
        body,
        caption="Lineage",
        text_columns=frozenset(range(6)),
        tight_columns=frozenset({0, 1, 2, 3, 4}),
    )


def _events(found: JsonObject) -> Table:
    body = [
        (
            figures.moment(words(one, "time")),
            words(one, "kind"),
            words(one, "version") or _moves(obj(one, "moves")),
            words(one, "who"),
            figures.short(words(one, "why"), 1000) or figures.ABSENT,
        )
        for one in rows(found, "events")
    ]
    return Table(
        ("when", "event", "what", "who", "evidence"),
        body,
        caption="Events",
        text_columns=frozenset(range(5)),
        tight_columns=frozenset({0, 1, 3}),
    )


def _moves(moves: JsonObject) -> str:
    return ", ".join(f"{alias} → {name or 'nobody'}" for alias, name in moves.items())
