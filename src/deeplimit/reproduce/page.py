"""A report as one page of HTML that needs nothing else: no script, no file, no network."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from deeplimit.reproduce.results import KINDS, Table
from deeplimit.reproduce.svg import chart_svg

if TYPE_CHECKING:
    from deeplimit.reproduce.report import Outcome, Report

__all__ = ["page"]

# Okabe and Ito's colours, which the colour-blind can tell apart, adjusted to each background.
_STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--paper:#fff;--soft:#5b5b5b;--rule:#d8d8d8;
--good:#00664b;--bad:#a83a00;--none:#6b5a00;
--c0:#0072b2;--c1:#d55e00;--c2:#007a5a;--c3:#a8447f;--c4:#8a6d00;--c5:#3b3b3b}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--paper:#161616;--soft:#b0b0b0;
--rule:#3c3c3c;--good:#3fd0a4;--bad:#ff9a5c;--none:#e3cf4b;
--c0:#6ab9ee;--c1:#f08a4b;--c2:#35c79b;--c3:#e19cc6;--c4:#e6c84f;--c5:#d0d0d0}}
*{box-sizing:border-box}
body{margin:0 auto;padding:1rem;max-width:52rem;background:var(--paper);color:var(--ink);
font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.2}h2{font-size:1.15rem;line-height:1.3;margin:2.2rem 0 .4rem}
h3{font-size:1rem;margin:1.2rem 0 .3rem}p{margin:.4rem 0}
.soft{color:var(--soft)}.pass{color:var(--good)}.fail{color:var(--bad)}.none{color:var(--none)}
.verdict{font-weight:700}a{color:var(--c0)}
section{border-top:1px solid var(--rule)}
.wide{overflow-x:auto}table{border-collapse:collapse;font-size:.85rem;
font-variant-numeric:tabular-nums}
th,td{padding:.2rem .6rem .2rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--rule);overflow-wrap:normal}
td{white-space:nowrap}summary{cursor:pointer}
.pictures{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:.6rem 0;flex:1 1 20rem;
max-width:30rem}figcaption{font-weight:600;font-size:.9rem}
svg{width:100%;height:auto;display:block}svg text{fill:var(--ink);font:11px system-ui,sans-serif}
.grid{stroke:var(--rule);stroke-width:.6}.level{stroke:var(--soft);stroke-width:1.2;
stroke-dasharray:4 3}.line{fill:none;stroke-width:1.6}
""" + "".join(f".c{i}{{stroke:var(--c{i})}}.dot.c{i}{{fill:var(--c{i})}}" for i in range(6))


def page(report: Report) -> str:
    """Write a report as HTML.

    Parameters
    ----------
    report : Report
        The report.

    Returns
    -------
    str
        A whole document.
    """
    parts = [
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{escape(report.title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{escape(report.title)}</h1><p>{escape(report.summary)}</p>",
        '<div class="wide"><table><thead><tr><th>check</th><th>verdict</th><th>label</th>'
        "<th>seconds</th></tr></thead><tbody>",
    ]
    parts += [
        f'<tr><td><a href="#{o.check.key}">{o.check.key}</a></td><td>{_verdict(o)}</td>'
        f"<td>{o.check.kind}</td><td>{o.seconds:.1f}</td></tr>"
        for o in report.outcomes
    ]
    parts.append("</tbody></table></div>")
    parts += [_section(o) for o in report.outcomes]
    labels = "".join(f"<li><b>{kind}</b>: {escape(words)}</li>" for kind, words in KINDS.items())
    about = "; ".join(f"{k} {v}" for k, v in report.environment.items())
    parts.append(
        f"<section><h2>Labels</h2><ul>{labels}</ul>"
        f'<p class="soft">Made with {escape(about)}, in {report.seconds:.0f} s.</p></section>'
    )
    return "".join([*parts, "</body></html>\n"])


def _verdict(outcome: Outcome) -> str:
    shade = {"pass": "pass", "fail": "fail", "not run": "none"}[outcome.verdict]
    return f'<span class="verdict {shade}">{outcome.verdict}</span>'


def _section(outcome: Outcome) -> str:
    check, result = outcome.check, outcome.result
    parts = [
        f'<section id="{check.key}"><h2>{escape(check.sentence)}</h2>'
        f"<p>{_verdict(outcome)} · {check.kind} · {outcome.seconds:.1f} s</p>"
        f"<p><b>{escape(_capital(result.figure))}.</b></p>"
        f'<p class="soft">Measured: {escape(check.measures)}. '
        f"Passed if: {escape(check.criterion)}.</p>"
    ]
    if result.charts:
        figures = "".join(
            f"<figure><figcaption>{escape(c.title)}</figcaption>{chart_svg(c)}</figure>"
            for c in result.charts
        )
        parts.append(f'<div class="pictures">{figures}</div>')
    parts += [f"<p>{escape(note)}</p>" for note in result.notes]
    parts += [_table(t) for t in result.tables]
    return "".join([*parts, "</section>"])


def _table(table: Table) -> str:
    head = "".join(f"<th>{escape(c)}</th>" for c in table.columns)
    rows = "".join(
        "<tr>" + "".join(f"<td>{escape(c)}</td>" for c in row) + "</tr>" for row in table.texts()
    )
    opened = " open" if len(table.rows) <= 16 else ""
    return (
        f"<details{opened}><summary>{escape(table.title)}</summary>"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></details>"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
