"""The pack's printed numbers as pictures: what is drawn, and the same in words.

Nothing is pooled, averaged, weighted or ranked: rows stand in the source's order, numbers as printed. Drawing itself is
app.web.drawing, imported when the first picture is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from app.domain.evidence import BEARINGS, RATIO_MEASURES, SETTINGS, Effect, Pack, Statement
from app.services.evidence import caveats_of

NO_INTERVAL = "no interval printed"
NO_EFFECT = "no effect"
FOREST, BARS = "forest", "bars"
Drawn = Callable[[Statement, Effect], bool]
_PLAIN = (
    "Nothing is pooled, averaged or ranked. Rows stand in the source's order, prognosis apart from prediction, "
    "and each has its own comparison."
)
_HOW = {
    FOREST: f"{_PLAIN} The axis is logarithmic; a ratio of 1 is no effect. A line through a point is the printed 95% "
    "interval; a hollow point is a figure printed without one. The size of a point says nothing.",
    BARS: f"{_PLAIN} A bar is a printed percentage; no interval is drawn.",
}
_STARRED = "* has the numbered caveats and notes below, which belong to the finding."


@dataclass(frozen=True, slots=True)
class Mark:
    """One printed figure of a row. group: whose figure it is, empty for a row of one; hollow: without interval."""

    group: str
    values: tuple[Decimal, ...]
    printed: str
    interval: tuple[Decimal, Decimal] | None = None

    @property
    def hollow(self) -> bool:
        return self.interval is None


@dataclass(frozen=True, slots=True)
class Row:
    """One effect. about: what is compared, in whom; said: what is printed beside the figures; notes: note numbers."""

    id: str
    statement: Statement
    citation: str
    about: tuple[str, ...]
    marks: tuple[Mark, ...]
    said: tuple[str, ...]
    notes: tuple[int, ...]

    @property
    def bearing(self) -> str:
        """The heading the row stands under."""
        return f"Bears on {self.statement.bears_on}"


@dataclass(frozen=True, slots=True, eq=False)
class Plot:
    """A picture before it is drawn, compared by identity. notes: by number, from 1; cautions: go with every picture."""

    name: str
    title: str
    kind: str
    source: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]
    cautions: tuple[str, ...]

    @property
    def how(self) -> str:
        """How the picture is read, and what it is not."""
        return _HOW[self.kind] + (f" {_STARRED}" if self.notes else "")

    @property
    def text_alternative(self) -> str:
        """Every line of the picture in words, each row with its statement's id and its caveats in full."""
        lines = [self.title, self.source, self.how]
        bearing = ""
        for number, row in enumerate(self.rows, 1):
            if row.bearing != bearing:
                bearing = row.bearing
                lines += ["", bearing]
            star = " *" if row.notes else ""
            lines += ["", f"{number}. {row.citation}{star} (statement {row.statement.id})", *row.about]
            lines += [f"{mark.group}: {mark.printed}" if mark.group else mark.printed for mark in row.marks]
            lines += [*row.said, *(f"[{note}] {self.notes[note - 1]}" for note in row.notes)]
        return "\n".join([*lines, "", *self.cautions]) + "\n"

    def svg(self) -> str:
        """The picture, drawn once; the same bytes each time."""
        return _drawn(self)


@lru_cache(maxsize=32)
def _drawn(plot: Plot) -> str:
    # Late: the charting library takes about a second to import, which only a reader of pictures should pay.
    from app.web import drawing

    return drawing.svg(plot)


@lru_cache(maxsize=8)
def plots_of(pack: Pack) -> Mapping[str, Plot]:
    """Every picture that the pack has something for, by name."""
    made = []
    for setting in SETTINGS:
        title = f"Relative risks and hazard ratios: {setting}"
        made.append(_plot(pack, f"ratios-{setting}", title, FOREST, _within(setting, _ratio)))
    for setting in SETTINGS:
        title = f"Rates by HER2 status: {setting}"
        made.append(_plot(pack, f"rates-{setting}", title, BARS, _within(setting, _rate)))
    made.append(_plot(pack, "ki67", "Ki67 and suppression by HER2 status", BARS, _ki67))
    return {plot.name: plot for plot in made if plot.rows}


def _within(setting: str, drawn: Drawn) -> Drawn:
    return lambda statement, effect: statement.setting == setting and drawn(statement, effect)


def _ratio(_: Statement, effect: Effect) -> bool:
    return effect.measure in RATIO_MEASURES


def _by_her2(statement: Statement, effect: Effect) -> bool:
    """Percentages of groups told apart by HER2: more than one class in the population, and a group that names HER2."""
    named = any("HER2" in arm.group for arm in effect.arms)
    return effect.unit == "%" and named and len(statement.population.her2) > 1


def _ki67(statement: Statement, effect: Effect) -> bool:
    of_it = effect.measure == "suppression" or "ki67" in effect.endpoint.lower().replace("-", "")
    return of_it and not _ratio(statement, effect) and _by_her2(statement, effect)


def _rate(statement: Statement, effect: Effect) -> bool:
    return effect.measure == "rate" and _by_her2(statement, effect) and not _ki67(statement, effect)


def _plot(pack: Pack, name: str, title: str, kind: str, drawn: Drawn) -> Plot:
    numbers: dict[str, int] = {}
    rows = []
    # Prognosis is kept apart from prediction; within each, the source's order.
    for statement in sorted(pack.statements.values(), key=lambda each: BEARINGS.index(each.bears_on)):
        for count, effect in enumerate(statement.effects, 1):
            if drawn(statement, effect):
                notes = [numbers.setdefault(note, len(numbers) + 1) for note in _notes(pack, statement)]
                rows.append(_row(f"{statement.id}-{count}", statement, effect, tuple(sorted(notes))))
    source = f"Source: {pack.source.cited_as}, {pack.title}. Pack {pack.id}, version {pack.version}."
    return Plot(name, title, kind, source, tuple(rows), tuple(numbers), (pack.general_caution, pack.dated))


def _row(id_: str, statement: Statement, effect: Effect, notes: tuple[int, ...]) -> Row:
    about = [effect.compares] if effect.compares else []
    about.append(f"{effect.measure}, {effect.endpoint}{_time(effect)}")
    if statement.intervention:
        about.append(f"treatment: {statement.intervention}")
    about.append(f"in: {statement.population.text}")
    about.append(f"{statement.setting}; design: {statement.design}; speaks for: {statement.direction}")
    return Row(id_, statement, _citation(statement), tuple(about), tuple(marks_of(effect)), tuple(_said(effect)), notes)


def _citation(statement: Statement) -> str:
    """The in-text citations, and the study where they do not name it."""
    cited = "; ".join(statement.cited_as) or "No citation"
    study = statement.study
    return cited if study is None or study.split()[0] in cited else f"{cited} ({study})"


def _time(effect: Effect) -> str:
    return "" if effect.at is None else f", at {effect.at[0]:f} {effect.at[1]}"


def marks_of(effect: Effect) -> Iterator[Mark]:
    """The printed figures of an effect, one, a span or one for each group, as printed."""
    before = f"{effect.qualifier} " if effect.qualifier else ""
    unit = "%" if effect.unit == "%" else ""
    missing = f", {NO_INTERVAL}" if effect.measure in RATIO_MEASURES and effect.ci95 is None else ""
    if effect.value is not None:
        interval = "" if effect.ci95 is None else f" (95% CI {effect.ci95[0]:f} to {effect.ci95[1]:f})"
        yield Mark("", (effect.value,), f"{before}{effect.value:f}{unit}{interval}{missing}", effect.ci95)
    if effect.span is not None:
        printed = f"{before}{effect.span[0]:f} to {effect.span[1]:f}{unit}, printed as a span{missing}"
        yield Mark("", effect.span, printed)
    for arm in effect.arms:
        size = "" if arm.n is None else f", n = {arm.n}"
        yield Mark(arm.group, (arm.value,), f"{before}{arm.value:f}{unit}{size}{missing}")


def _said(effect: Effect) -> Iterator[str]:
    if effect.p is not None:
        yield str(effect.p)
    if effect.p_heterogeneity is not None:
        yield f"heterogeneity: {effect.p_heterogeneity}"
    if effect.p_interaction is not None:
        yield f"interaction: {effect.p_interaction}"
    if effect.n is not None:
        yield f"n = {effect.n}"
    yield from effect.readings()


def _notes(pack: Pack, statement: Statement) -> Iterator[str]:
    """What travels with a finding: what qualifies it, and what contradicts it with its own qualifications."""
    yield from _qualified(pack, statement)
    for id_ in statement.contradicts:
        other = pack.statements[id_]
        told = f"Contradicted by {id_} ({other.setting}, {_citation(other)}): {other.summary}"
        # The older HER2 is told once, with the finding itself.
        yield " ".join([told, *(note for note in _qualified(pack, other) if note != pack.historic_caveat)])


def _qualified(pack: Pack, statement: Statement) -> Iterator[str]:
    """Caveats, and the curator's notes, marked as not the source's."""
    yield from caveats_of(pack, statement)
    if statement.note_ours is not None:
        yield f"Our reading: {statement.note_ours}"
    if statement.note_outside is not None:
        yield f"From outside the review: {statement.note_outside}"
