"""The pages about the paper as a whole, in Markdown: the ledger of its claims, the differences, and the summary."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields
from functools import cache
from math import nan

from lil import results
from lil.paper.differences import DIFFERENCES, Difference, measured
from lil.paper.judging import EXPERIMENTS, WAITING, Entry, judge, judge_all, once, recorded
from lil.paper.ledger import CASES, CLAIMS, Case, Claim, Proposition
from lil.paper.markdown import table
from lil.paper.measures import Effect, amount
from lil.paper.verdicts import MEANINGS, Verdict
from lil.results import registry
from lil.results.closing import duration

FIRST_PAGE = {  # the numbers of the first page: each an entry's effect, and its format
    "stretch": ("rings-stretch-rings", ".1%"),
    "gain_mnist": ("peak-mnist-text", "+.2f"),
    "gain_cifar10": ("peak-cifar10-text", "+.2f"),
    "left_mnist": ("same-peak-mnist-text", "+.2f"),
    "left_public": ("same-peak-mnist-public", "+.2f"),
    "left_cifar10": ("same-peak-cifar10-text", "+.2f"),
    "left_cnn": ("same-peak-cifar10-7167a91", "+.2f"),
    "worst": ("worst-case-mnist-text-0-046", "+.2f"),
    "jacobian": ("below-jacobian-mnist-text-0-1", "+.2f"),
    "noise_text": ("noise-everywhere-mnist-text-signs-0-3", "+.2f"),
    "noise_public": ("noise-everywhere-mnist-public-signs-0-3", "+.2f"),
    "gaussian_text": ("noise-everywhere-mnist-text-gaussian-0-2", "+.2f"),
    "gaussian_public": ("noise-everywhere-mnist-public-gaussian-0-2", "+.2f"),
    "constant_text": ("constant-median-mnist-text", ".2f"),
    "constant_public": ("constant-median-mnist-public", ".2f"),
    "torus_accuracy": ("torus-accuracy-torus-text", ".3f"),
    "torus_correlation": ("torus-correlation-torus-text", ".2f"),
    "stack": ("stacking-term-torus-text", "+.2f"),
}

record = once(recorded)  # the ledger and the differences look at the same records: each is read once a build


@cache
def ledger() -> tuple[Entry, ...]:
    """Return all entries of the ledger, judged once a build."""
    return tuple(judge_all(record))


def badge(verdict: Verdict, words: str = "") -> str:
    """Return a verdict, or other ``words`` in its place, on the verdict's colour, as HTML."""
    label = f' role="img" aria-label="{words} {verdict}" title="{words} {verdict}"' if words else ""
    return f'<span class="verdict verdict-{verdict.kind}"{label}>{words or verdict}</span>'


def counts(entries: Sequence[Entry]) -> str:
    """Return the number of entries with each verdict, on its colour."""
    found = Counter(entry.verdict for entry in entries)
    return " ".join(badge(verdict, str(found[verdict])) for verdict in Verdict if found[verdict])


def verdicts_table() -> str:
    """Return a table of the verdicts and their meaning."""
    return table(("verdict", "when"), ((badge(verdict), meaning) for verdict, meaning in MEANINGS.items()))


def claims_table(entries: Sequence[Entry]) -> str:
    """Return a table of the claims: the findings that stand for each, their verdicts, and the counts of all."""
    rows = []
    for claim in CLAIMS:
        own = [entry for entry in entries if entry.case.claim == claim.number]
        lead = [entry for name in claim.lead for entry in own if entry.case.name == name]
        findings = "<br>".join(entry.finding for entry in lead) or WAITING
        verdicts = "<br>".join(badge(verdict) for verdict in dict.fromkeys(entry.verdict for entry in lead))
        link = f"{{ref}}`{claim.number}. {claim.title} <claim-{claim.number}>`"
        rows.append((link, findings, verdicts or badge(Verdict.NOT_RECORDED), counts(own) or "–"))
    return table(("the paper's claim", "finding", "verdict", "all entries"), rows)


def _when(cases: Sequence[Case]) -> str:
    """Return the dates at which a condition was asked, and whether the results were recorded before it."""
    labels: dict[str, list[str]] = {}
    for case in cases:
        when = f"{case.asked.day} {case.asked:%B %Y}, {'after' if case.after_record else 'before'} the first record"
        labels.setdefault(when, []).append(case.label)
    if len(labels) == 1:
        return f"{next(iter(labels))} of these results"
    return "<br>".join(f"{when}: {'; '.join(names)}" for when, names in labels.items())


def _condition(asked: Proposition) -> str:
    """Return the condition in words, and that under which the statement is refuted."""
    if asked.theorem is not None:
        return f"the proof stands; the number beside it is {asked.condition}"
    side = "below" if asked.relation in ("≥", ">") else "above"
    refuted = "" if asked.opposite is None else f"; refuted if the whole interval is {side} {asked.opposite:g}"
    return f"the whole interval is {asked.condition}{refuted}"


def claim_section(claim: Claim, entries: Sequence[Entry], pages: Collection[str]) -> str:
    """Return the section on one claim: the statement, and each proposition, which unfolds."""
    head = f"(claim-{claim.number})=\n### {claim.number}. {claim.title}\n\n{claim.statement} *{claim.place}.*"
    own = [entry for entry in entries if entry.case.claim == claim.number]
    parts = [head] if own else [head, f"{badge(Verdict.NOT_RECORDED)} {WAITING}"]
    for asked in dict.fromkeys(entry.case.proposition for entry in own):
        judged = [entry for entry in own if entry.case.proposition == asked]
        cases = [entry.case for entry in judged]
        rows = [(each.case.label, each.finding, each.n or "–", badge(each.verdict)) for each in judged]
        shown = dict.fromkeys([*(case.page for case in cases), *asked.pages])
        facts = {
            "measured": asked.measured,
            "holds if": _condition(asked),
            "because": asked.threshold.reason,
            "fixed on": _when(cases),
            "shown on": ", ".join(  # a page that the book lacks is only named
                f"{{doc}}`/{name}`" if name in pages else name.rpartition("/")[2] for name in shown
            ),
            "computed from": ", ".join(
                f"{{ref}}`{name} <record-{name}>`" for name in dict.fromkeys(case.record for case in cases)
            ),
        }
        if titles := dict.fromkeys(CASES[name].proposition.title for case in cases for name in case.stronger):
            facts["asked again in"] = "; ".join(titles)
        if missing := {name: state for each in judged for name, state in each.missing.items()}:
            facts["waits for"] = ", ".join(f"results/{name}.nc is {state}" for name, state in missing.items())
        tables = f"{table(('networks', 'finding', 'n', 'verdict'), rows)}\n\n{table(('', ''), facts.items())}"
        parts.append(f":::{{dropdown}} {asked.title} {counts(judged)}\n{tables}\n:::")
    return "\n\n".join(parts)


def findings(page: str, names: Collection[str] = ()) -> str:
    """Return the findings that a page shows, with their verdicts: of all propositions or of those with these names.

    Raises ValueError for a page, or a name, without an entry.
    """
    cases = [case for case in CASES.values() if page in (case.page, *case.proposition.pages)]
    known = {case.proposition.name for case in cases}
    if not known or not set(names) <= known:
        raise ValueError(f"{page} shows {', '.join(sorted(known)) or 'nothing'} of the ledger: not {', '.join(names)}.")
    chosen = [judge(case, record) for case in cases if not names or case.proposition.name in names]
    lines = [f"* {each.finding} *({each.n})* {badge(each.verdict)}" for each in chosen if each.effect is not None]
    head = "From the records at the paper's scale, with 95 % intervals ({doc}`verdicts </claims>`):"
    return "\n".join([head, "", *(lines or [f"* {WAITING}"])])


def first_page() -> dict[str, str]:
    """Return the numbers of the first page: "+0.20", with its interval only if that contains 0, or that it waits."""

    def brief(effect: Effect | None, spec: str) -> str:
        if effect is None:
            return "(not recorded yet)"
        clear = effect.interval.side("above", "below", "")
        return amount(effect.interval._replace(low=nan, high=nan) if clear else effect.interval, spec)

    effects = {entry.case.name: entry.effect for entry in ledger()}
    return {name: brief(effects[entry], spec) for name, (entry, spec) in FIRST_PAGE.items()}


def differences_table(differences: Sequence[Difference]) -> str:
    """Return a table of the topics: the text beside the public code."""
    rows = [
        (f"{{ref}}`{each.topic} <difference-{position}>`", each.text, each.public)
        for position, each in enumerate(differences)
    ]
    return table(("topic", "the text", "the public code"), rows)


def difference_sections(differences: Sequence[Difference], pages: Collection[str]) -> str:
    """Return a section for each topic: our default, the option by its name, and the measured effect."""
    sections = []
    for position, each in enumerate(differences):
        effect = measured(each.effect, record)
        if each.effect is not None and each.effect.page in pages:
            effect += f" ({{doc}}`/{each.effect.page}`)"
        ours, options = ([f"`{key}` = `{value!r}`" for key, value in one.items()] for one in (each.ours, each.options))
        facts = {
            "here, by default": "<br>".join([*ours, *([each.note] if each.note else [])]),
            "the public code's, by name": "<br>".join(options) or "none",
            "what it does": effect,
        }
        sections.append(f"(difference-{position})=\n### {each.topic}\n\n{table(('', ''), facts.items())}")
    return "\n\n".join(sections)


def summary_numbers() -> dict[str, str]:
    """Return the numbers of the reproducibility summary: those of the current records' provenance, and the verdicts."""
    rows = [row for row in results.listing(EXPERIMENTS) if not row.name.startswith("networks/")]
    current = [row.attrs for row in rows if row.state == "current" and row.attrs is not None]
    trained = {}  # by key: experiments share networks
    for attrs in current:
        for recipe, cost in json.loads(attrs["training"]).items():
            trained[json.loads(attrs["networks"])[recipe]] = cost
    costs = [*current, *trained.values()]
    dates = sorted(cost["date"][:10] for cost in costs)
    versions = json.loads(current[0]["versions"]) if current else {}
    found = Counter(entry.verdict for entry in ledger())
    late = sum(case.after_record for case in CASES.values())  # asked after the first record of their results
    return {
        "records": str(len(current)),
        "experiments": str(len(rows)),
        "waiting": ", ".join(row.name for row in rows if row.state != "current") or "none",
        "training": duration(sum((cost["seconds"] for cost in trained.values()), start=0.0)),
        "evaluation": duration(sum((attrs["seconds"] for attrs in current), start=0.0)),
        "memory": f"{max((cost['peak_memory_mb'] for cost in costs), default=0) / 1024:.1f} GiB",
        "machines": "; ".join(sorted({cost["machine"] for cost in costs})) or "none",
        "devices": ", ".join(sorted({cost["device"] for cost in costs})) or "none",
        "dates": " to ".join(dict.fromkeys((dates[0], dates[-1]))) if dates else "none",
        "python": versions.get("python", "none"),
        "torch": versions.get("torch", "none"),
        "claims": str(len(CLAIMS)),
        "propositions": str(len({case.proposition for case in CASES.values()})),
        "entries": str(len(CASES)),
        "before": str(len(CASES) - late),
        "after": str(late),
        "differences": str(len(DIFFERENCES)),
        "verdicts": "; ".join(f"{found[verdict]} {badge(verdict)}" for verdict in Verdict if found[verdict]),
        "images": attacked_images(),
    }


def attacked_images() -> str:
    """Return the number of test images, the first, of the experiments that do not take all: "attackers_view 500"."""
    words = []
    for name in registry.names(EXPERIMENTS):
        config = registry.settings(registry.load(EXPERIMENTS, name), "paper")
        parts = [config, *(getattr(config, each.name) for each in fields(config))]
        sizes = [getattr(one, key) for one in parts for key in ("n_images", "n_few", "n_attacked") if hasattr(one, key)]
        if sizes:
            words.append(f"{name} {' and '.join(map(str, sizes))}")
    return ", ".join(words)
