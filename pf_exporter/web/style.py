"""The status page's style: light and dark, wide and narrow."""

from __future__ import annotations

STYLE = """\
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #fff; --text: #1b1f24; --quiet: #5b6572; --line: #e1e5ea; --link: #0b61b8;
  --good: #14703a; --poor: #8a5a00; --bad: #b3261e; --on-state: #fff; --bar: #2f7de1;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #14171b; --card: #1d2126; --text: #e6e9ed; --quiet: #9aa5b1; --line: #323841; --link: #7cb7ff;
    --good: #5fd38d; --poor: #f0b94a; --bad: #ff8a80; --on-state: #14171b; --bar: #5b9dff;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0 auto; padding: 1rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, "DejaVu Sans", sans-serif;
}
header { display: flex; flex-wrap: wrap; justify-content: space-between; align-items: baseline; gap: 0 1rem; }
h1 { margin: 0; font-size: 1.4rem; }
h2 { margin: 0 0 .75rem; font-size: 1.15rem; }
h3 { margin: 1rem 0 .25rem; font-size: 1rem; }
p { margin: .25rem 0; }
.links a { margin-right: 1rem; }
a { color: var(--link); }
section {
  margin: 1rem 0; padding: 1rem; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
}
.state {
  display: inline-block; margin-right: .25rem; padding: .1rem .6rem; border-radius: .5rem;
  color: var(--on-state);
}
.good { background: var(--good); }
.poor { background: var(--poor); }
.bad { background: var(--bad); }
dl {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9rem, 1fr)); gap: .75rem 1rem;
  margin: 0 0 .5rem;
}
dt { color: var(--quiet); font-size: .85rem; }
dd { margin: 0; overflow-wrap: anywhere; }
ul { margin: 0; padding-left: 1.2rem; overflow-wrap: anywhere; }
small, .none, footer { color: var(--quiet); font-size: .85rem; }
dd small { display: block; }
td small { white-space: nowrap; }
code { font: .9em ui-monospace, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td {
  padding: .35rem .75rem .35rem 0; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top;
}
th { color: var(--quiet); font-size: .85rem; font-weight: 500; white-space: nowrap; }
tr:last-child td { border-bottom: 0; }
svg { display: block; width: 8rem; height: .5rem; margin-top: .5rem; border-radius: .25rem; }
rect { fill: var(--bar); }
rect.room { fill: var(--line); }
@media (max-width: 40rem) {
  thead { display: none; }
  tr {
    display: grid; grid-template-columns: repeat(auto-fit, minmax(6.5rem, 1fr)); padding: .5rem 0;
    border-bottom: 1px solid var(--line);
  }
  tr:last-child { border-bottom: 0; }
  td { padding: .15rem .5rem .15rem 0; border: 0; }
  td:first-child { grid-column: 1 / -1; font-weight: 600; }
  td:not(:first-child)::before {
    content: attr(data-head); display: block; color: var(--quiet); font-size: .8rem;
  }
}
"""
