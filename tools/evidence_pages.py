"""The pages of the shipped evidence pack: every statement in one table, one page for each consideration.

Only what holds for every patient: certainty depends on whom it is asked for, and is not here. Summaries in our words
and locators, never a sentence of the source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal

from app.domain.evidence import UNKNOWN, Condition, Consideration, Effect, Pack, Statement
from app.evidence.library import load_pack
from app.evidence.standings import counts, standing_caveats
from tools.markdown import MADE, grid

HOME = "docs/evidence"


def pages() -> dict[str, str]:
    """Every page of the pack, by its name."""
    pack = load_pack()
    made = {f"{HOME}/considerations/{each.id}.md": _consideration(pack, each) for each in pack.considerations}
    return {f"{HOME}/README.md": _index(pack)} | made


def _page(lines: Iterable[str]) -> str:
    return "\n".join(lines).rstrip() + "\n"


def _index(pack: Pack) -> str:
    return _page(_index_lines(pack))


def _index_lines(pack: Pack) -> Iterator[str]:
    yield f"# {pack.title}\n"
    yield MADE
    yield f"`{pack.id}` version {pack.version} of {pack.changelog[0].date}, digest `{pack.digest}`."
    yield f"How it is written and checked stands in [evidence](../evidence.md). {pack.dated}\n"
    yield f"> {pack.general_caution}\n"
    yield "## Considerations\n"
    rows = (
        [f"[{each.title}](considerations/{each.id}.md)", each.kind, str(len(each.supporting)), str(len(each.opposing))]
        for each in pack.considerations
    )
    yield from grid(["consideration", "kind", "for", "against"], rows)
    yield "\n## Statements\n"
    yield "One finding each, in the source's order. No citation means the authors' own words.\n"
    yield from grid(
        ["id", "setting", "design", "direction", "cited as", "summary"],
        (_row(each) for each in pack.statements.values()),
    )
    yield "\n## Works cited that have been looked up\n"
    looked_up = [work for work in pack.references.values() if work.standing != UNKNOWN]
    yield f"{len(looked_up)} of {len(pack.references)}; of the others it is unknown what has become of them.\n"
    if looked_up:
        yield from grid(
            ["work", "standing", "as of", "source"],
            ([w.cited_as, w.standing, w.standing_date or "", w.standing_source or ""] for w in looked_up),
        )
    yield "\n## Changes\n"
    for version in pack.changelog:
        yield f"- {version.version} ({version.date}): {version.text}"


def _row(each: Statement) -> list[str]:
    named = f'<a id="{each.id}"></a>`{each.id}`'
    return [named, each.setting, each.design, each.direction, "; ".join(each.cited_as), each.summary]


def _consideration(pack: Pack, each: Consideration) -> str:
    return _page(_consideration_lines(pack, each))


def _consideration_lines(pack: Pack, each: Consideration) -> Iterator[str]:
    yield f"# {each.title}\n"
    yield MADE
    about = f" About {', '.join(each.therapies)}." if each.therapies else ""
    yield f"`{each.id}` · {each.kind}.{about} From [{pack.title}](../README.md).\n"
    yield "## When it applies\n"
    yield from (f"- {part}" for part in conditions(each.applies_when))
    yield "\nAll of these must hold. What is not known holds only where it is named here.\n"
    yield "## For\n"
    for id_ in each.supporting:
        yield from _statement(pack, pack.statements[id_])
    yield "## Against\n"
    if each.against_note:
        yield f"{each.against_note}\n"
    for id_ in each.opposing:
        yield from _statement(pack, pack.statements[id_])
    caveats = [*each.caveats, *standing_caveats([pack.source])]
    if caveats:
        yield "## Caveats\n"
        yield from (f"- {caveat}" for caveat in caveats)
        yield ""
    yield "## What must not be concluded\n"
    yield from (f"- {text}" for text in each.must_not_conclude)
    yield f"\n> {pack.general_caution}\n"
    yield f"{pack.dated} How certain the findings are depends on the patient: [the rule](../../evidence.md#certainty)."


def _statement(pack: Pack, each: Statement) -> Iterator[str]:
    works = [pack.references[cited] for cited in each.cited_as]
    yield f"### {each.id}\n"
    yield f"{each.summary}\n"
    yield f"- {'; '.join(each.cited_as) or 'the authors’ own words, without a citation'}{_study(each)}"
    yield f"- {each.setting} · {each.design} · speaks for {each.direction} · {each.bears_on}"
    yield f"- in: {each.population.text}"
    yield from (f"- {effect_words(effect)}" for effect in each.effects)
    yield from (f"- caveat: {caveat}" for caveat in (*each.caveats, *standing_caveats(works)))
    if not counts(each, pack):
        yield "- does not count: all that it rests on has been retracted"
    if each.note_ours:
        yield f"- our reading: {each.note_ours}"
    if each.note_outside:
        yield f"- from outside the source: {each.note_outside}"
    if each.contradicts:
        yield f"- contradicts {', '.join(f'[`{other}`](../README.md#{other})' for other in each.contradicts)}"
    yield f"- found by: “{each.locator}”\n"


def _study(each: Statement) -> str:
    return f" ({each.study})" if each.study else ""


def conditions(when: Condition) -> Iterator[str]:
    """Each part of a condition in words."""
    words = (
        ("HER2 is", when.her2),
        ("ER is", when.er),
        ("PgR is", when.pgr),
        ("the setting is", when.setting),
        ("menopausal status is", when.menopausal),
        ("the line of treatment is", tuple(map(str, when.line))),
        ("what was tested is", when.specimen),
    )
    yield from (f"{what} {' or '.join(values)}" for what, values in words if values)
    if when.prior:
        yield f"earlier treatment held {' and '.join(when.prior)}"
    yield from (f"the biomarker `{name}` is {status}" for name, status in when.biomarkers)


def effect_words(effect: Effect) -> str:
    """A printed result in one line, every number with its digits."""
    about = f"{effect.measure}, {effect.endpoint}" + (f", {effect.compares}" if effect.compares else "")
    unit, ahead = effect.unit, f"{effect.qualifier} " if effect.qualifier else ""
    if effect.value is not None:
        figure = ahead + _number(effect.value, unit)
    elif effect.span is not None:
        figure = f"{ahead}{effect.span[0]:f} to {_number(effect.span[1], unit)}"
    else:
        arms = (f"{a.group} {_number(a.value, unit)}" + (f" (n = {a.n})" if a.n else "") for a in effect.arms)
        figure = ahead + "; ".join(arms)
    parts = [figure]
    if effect.ci95 is not None:
        parts.append(f"95% interval {effect.ci95[0]:f} to {effect.ci95[1]:f}")
    tests = (("", effect.p), (" for heterogeneity", effect.p_heterogeneity), (" for interaction", effect.p_interaction))
    parts += [f"{test}{what}" for what, test in tests if test is not None]
    if effect.at is not None:
        parts.append(f"at {effect.at[0]:f} {effect.at[1]}")
    if effect.n is not None:
        parts.append(f"n = {effect.n}")
    return f"{about}: {', '.join((*parts, *effect.readings()))}"


def _number(value: Decimal, unit: str | None) -> str:
    if unit is None:
        return f"{value:f}"
    return f"{value:f}{unit}" if unit == "%" else f"{value:f} {unit}"
