"""The style sheets of the dashboard's own parts."""

__all__ = [
    "BASE",
    "BRING",
    "CARD",
    "GLANCE",
    "HELP",
    "JUDGE",
    "LEGEND",
    "MODEL",
    "RATES",
    "STAMPS",
    "TARGETS",
    "TOUR",
    "TROUBLE",
    "UNSEEN",
]

BASE = """
:host { --text: var(--panel-on-background-color); --accent: var(--panel-primary-color);
  --ground: var(--panel-background-color);
  --muted: color-mix(in srgb, var(--text) 62%, var(--ground));
  --faint: color-mix(in srgb, var(--text) 26%, var(--ground));
  --line: color-mix(in srgb, var(--text) 11%, var(--ground));
  --raised: color-mix(in srgb, var(--text) 5%, var(--ground));
  font-family: var(--bokeh-base-font); font-size: 13px; color: var(--text);
  font-variant-numeric: tabular-nums; }
* { box-sizing: border-box; }
.muted { color: var(--muted); }
a { color: var(--text); text-decoration-color: var(--faint); text-underline-offset: 3px; }
a:hover { text-decoration-color: var(--accent); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 4px; }
"""
STAMPS = """
:host { display: block; width: 100%; }
.strip { display: flex; gap: 10px; overflow-x: auto; overflow-y: hidden; padding: 2px 2px 6px;
  height: 100%; scrollbar-width: thin; scrollbar-color: var(--faint) transparent; }
.stamp { position: relative; flex: 0 0 auto; width: 92px; }
.stamp > button:first-child { display: block; width: 100%; padding: 0; border: 0;
  text-align: left;
  background: none; color: inherit; font: inherit; font-size: 11.5px; cursor: pointer; }
.stamp img, .blank { display: block; width: 92px; height: 92px; border-radius: 5px;
  background: #000;
  image-rendering: auto; outline: 2px solid transparent; outline-offset: -2px;
  margin-bottom: 5px; }
.blank { display: grid; place-items: center; background: var(--raised); color: var(--muted);
  padding: 6px; text-align: center; overflow-wrap: anywhere; font-size: 10.5px; }
.stamp:hover img, .stamp:hover .blank { outline-color: var(--faint); }
.stamp.picked img, .stamp.picked .blank { outline-color: var(--accent); }
.population { display: flex; align-items: center; gap: 5px; white-space: nowrap; }
.population i { width: 7px; height: 7px; border-radius: 50%; flex: none; }
.population span { overflow: hidden; text-overflow: ellipsis; }
.caption { display: block; line-height: 14px; color: var(--muted); white-space: pre;
  overflow: hidden;
  text-overflow: ellipsis; }
.stamp.wide { width: 236px; }
.stamp.wide > button:first-child { display: grid; grid-template-columns: 92px 1fr; height: 100%;
  grid-template-rows: auto auto auto 1fr; column-gap: 10px; row-gap: 2px; align-content: start; }
.stamp.wide img, .stamp.wide .blank { grid-row: 1 / 5; margin: 0; }
.stamp.wide .caption { color: var(--text); font-weight: 600; }
.stamp.wide .line { color: var(--muted); line-height: 14px; overflow: hidden; max-height: 42px;
  overflow-wrap: anywhere; }
.stamp.wide .off { left: 68px; right: auto; }
.off { position: absolute; top: 4px; right: 4px; width: 20px; height: 20px; border: 0;
  padding: 0;
  border-radius: 50%; background: rgba(0,0,0,.6); color: #fff; font: 14px/1 sans-serif;
  cursor: pointer; }
.off:hover { background: var(--accent); color: #000; }
.empty { color: var(--muted); margin: auto; max-width: 46em; text-align: center;
  line-height: 1.5; }
"""
CARD = """
:host { display: block; width: 100%; }
h2 { font-size: 17px; font-weight: 600; margin: 0; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 2px 14px; margin-top: 4px; font-size: 12px;
  color: var(--muted); align-items: center; }
.facts .population { display: inline-flex; align-items: center; gap: 6px; color: var(--text); }
.facts .population i { width: 8px; height: 8px; border-radius: 50%; }
.pictures { display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; }
figure { margin: 0; min-width: 0; }
figure .frame { position: relative; aspect-ratio: 1; border-radius: 5px; overflow: hidden;
  background: var(--raised); display: grid; place-items: center; color: var(--muted);
  font-size: 11.5px; text-align: center; }
figure img { width: 100%; height: 100%; display: block; image-rendering: pixelated; }
figcaption { font-size: 11.5px; color: var(--muted); margin-top: 5px; white-space: nowrap;
  display: flex; justify-content: space-between; }
.bar { position: absolute; left: 8px; bottom: 7px; border-bottom: 2px solid #fff; color: #fff;
  font-size: 10.5px; text-align: center; line-height: 15px;
  text-shadow: 0 0 3px #000, 0 0 2px #000; }
.compass { position: absolute; right: 2px; top: 2px; width: 40px; height: 40px; }
.compass path { stroke: #fff; stroke-width: 1.3; fill: none; opacity: .85; }
.compass text { fill: #fff; font-size: 8.5px; text-anchor: middle; dominant-baseline: central; }
.shimmer { animation: pulse 1.2s ease-in-out infinite alternate; }
@keyframes pulse { from { opacity: .8 } to { opacity: 1 } }
.properties svg { display: block; }
.property, .key { display: grid; grid-template-columns: minmax(0, 1fr) 140px 118px 34px;
  column-gap: 10px; align-items: center; }
.property { border-top: 1px solid var(--line); padding: 2px 0; min-height: 24px; }
.key { color: var(--muted); font-size: 11px; padding-bottom: 3px; }
.key span { white-space: nowrap; }
.key span:last-child, .gap { text-align: right; }
.title { font-size: 12px; line-height: 1.2; }
.title small { color: var(--muted); font-size: 11px; margin-left: 5px; }
.title small { white-space: nowrap; }
.two .title small { display: block; margin: 0; }
.numbers { font-size: 12px; line-height: 1.3; white-space: nowrap; }
.numbers .catalogue { color: var(--muted); }
.dot { display: inline-block; width: 7px; height: 7px; border-radius: 50%; margin-right: 6px; }
.dot.catalogue { border: 1.5px solid var(--text); } .dot.inferred { background: var(--accent); }
.gap { font-size: 12.5px; color: var(--muted); } .gap.far { color: var(--accent);
  font-weight: 600; }
svg .sample { fill: color-mix(in srgb, var(--text) 15%, var(--ground)); }
svg line { stroke-width: 2.4; stroke-linecap: round; }
svg line.catalogue { stroke: var(--text); } svg line.inferred { stroke: var(--accent); }
svg circle.catalogue { fill: var(--ground); stroke: var(--text); stroke-width: 1.6; }
svg circle.inferred { fill: var(--accent); stroke: var(--ground); stroke-width: 1; }
.nothing { display: grid; place-items: center; height: 100%; min-height: 300px;
  text-align: center;
  color: var(--muted); line-height: 1.6; }
.nothing b { display: block; color: var(--text); font-size: 16px; font-weight: 600; }
.trouble { color: var(--accent); font-size: 12px; }
.said { margin: 5px 0 0; font-size: 11.5px; color: var(--muted);
  line-height: 1.45; }
"""
JUDGE = """
:host { display: block; width: 100%; }
.judge { display: flex; gap: 2px; align-items: center; height: 28px; }
.judge button, .judge select, .judge input { font: inherit; font-size: 12px; color: inherit;
  background: var(--raised); border: 1px solid var(--line); border-radius: 4px; height: 26px;
  padding: 0; min-width: 0; }
.judge button { width: 25px; flex: none; cursor: pointer; display: grid; place-items: center; }
.judge button:hover:enabled, .judge select:hover { border-color: var(--faint); }
.judge button:disabled { opacity: .35; cursor: default; }
.judge button[aria-pressed=true] { background: var(--accent); border-color: var(--accent);
  color: var(--ground); font-weight: 600; }
.judge svg { fill: none; stroke: currentColor; stroke-width: 1.3; stroke-linejoin: round;
  stroke-linecap: round; }
.judge button[aria-pressed=true] svg { fill: currentColor; }
.judge .mirror { transform: scaleX(-1); }
.judge button:first-child { margin-right: 6px; }
.judge select, .judge input { margin-left: 6px; padding: 0 6px; }
.judge select, .judge .own { flex: 1 1 108px; } .judge input { flex: 1 1 96px; }
.judge select option { background: var(--ground); color: var(--text); }
.judge select.chosen { border-color: var(--accent); }
.judge input::placeholder { color: var(--muted); opacity: 1; }
.judge input + button { margin-left: 6px; }
.judge [hidden] { display: none; }
p { margin: 3px 0 0; font-size: 11.5px; line-height: 16px; height: 16px; color: var(--muted);
  overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
"""
RATES = """
:host { display: block; }
.rates { height: 100%; overflow-y: auto; font-size: 12px; line-height: 1.4; scrollbar-width: thin;
  color: var(--muted); }
table { border-collapse: collapse; width: 100%; color: var(--text); margin-bottom: 4px; }
th, td { text-align: left; font-weight: 400; padding: 2px 10px 2px 0; white-space: nowrap; }
th[scope=col] { color: var(--muted); font-size: 11.5px; }
td, th[scope=row] { border-top: 1px solid var(--line); }
b { font-weight: 600; } small { color: var(--muted); font-size: 11px; }
p { margin: 0 0 4px; } .warning { color: var(--accent); }
progress { width: 110px; height: 6px; vertical-align: middle; accent-color: var(--accent);
  margin-right: 6px; }
"""
GLANCE = """
:host { z-index: 3; }
.glance { display: flex; gap: 9px; align-items: center; padding: 5px; border-radius: 6px;
  background: color-mix(in srgb, var(--ground) 88%, transparent);
  border: 1px solid var(--line); max-width: 230px; }
.glance img { width: 62px; height: 62px; border-radius: 4px; display: block; }
.glance div { display: grid; gap: 3px; padding-right: 5px; min-width: 0; }
.glance b { font-size: 12px; font-weight: 600; overflow-wrap: anywhere; }
.glance span { display: flex; gap: 6px; align-items: center; font-size: 11.5px; }
.glance i { width: 8px; height: 8px; border-radius: 50%; flex: none; }
"""
LEGEND = """
:host { display: block; width: 100%; }
.legend { display: flex; flex-wrap: wrap; align-items: center; gap: 3px 15px; font-size: 12px;
  color: var(--muted); min-height: 26px; max-height: 52px; padding: 2px 4px; overflow: hidden auto;
  scrollbar-width: thin; }
.legend > span { display: inline-flex; align-items: center; gap: 7px; white-space: nowrap; }
.legend b { font-weight: 500; color: var(--text); }
.gradient { width: 100px; height: 8px; border-radius: 4px; }
.legend svg { flex: none; }
"""
TOUR = """
.cover { display: none; position: fixed; inset: 0; z-index: 3000; }
.cover.on { display: block; }
.light { position: absolute; border-radius: 8px; outline: 2px solid var(--accent);
  box-shadow: 0 0 0 9999px rgba(0,0,0,.62); transition: all .18s ease-out; }
.stop { position: absolute; width: 340px; padding: 18px 20px 14px; border-radius: 10px;
  background: var(--ground); border: 1px solid var(--faint); font-size: 13.5px; }
.stop b { font-size: 16px; font-weight: 600; }
.stop p { margin: 8px 0 16px; line-height: 1.55; }
.row { display: flex; align-items: center; gap: 8px; }
.row span { color: var(--muted); margin-right: auto; font-size: 12px; }
.row button { font: inherit; padding: 5px 14px; border-radius: 6px; cursor: pointer;
  color: var(--text); background: none; border: 1px solid var(--faint); }
.row .next { color: var(--ground); background: var(--accent); border-color: var(--accent);
  font-weight: 600; }
.row .skip { border-color: transparent; color: var(--muted); }
"""
HELP = """
.glossary { display: grid; grid-template-columns: minmax(120px, 190px) 1fr; gap: 10px 22px;
  margin: 8px 0; line-height: 1.5; }
dt { font-weight: 600; } dd { margin: 0; color: var(--muted); }
.keys { border-collapse: collapse; margin: 8px 0; }
.keys th { text-align: left; padding: 5px 22px 5px 0; font-weight: 400; white-space: nowrap; }
.keys td { color: var(--muted); }
kbd { font: 12px ui-monospace, 'DejaVu Sans Mono', monospace; border: 1px solid var(--faint);
  border-bottom-width: 2px; border-radius: 4px; padding: 1px 7px; }
"""
BRING = """
:host(.bring) { position: fixed; top: 64px; right: 14px; z-index: 1250; width: 456px !important;
  padding: 12px 14px; border-radius: 8px; background: var(--panel-background-color);
  border: 1px solid color-mix(in srgb, var(--panel-on-background-color) 22%, transparent);
  box-shadow: 0 10px 34px rgba(0,0,0,.35); }
:host(.low) { top: auto; bottom: 224px; width: 340px !important; }
p { margin: 0; line-height: 1.5; overflow-wrap: anywhere; }
p.failed { color: var(--accent); }
p.busy::after { content: ''; display: block; height: 2px; margin-top: 9px; border-radius: 1px;
  background: linear-gradient(90deg, transparent, var(--accent), transparent) 0 0 / 50% 100%
    no-repeat var(--line); animation: run 1.3s linear infinite; }
@keyframes run { from { background-position: -100% 0 } to { background-position: 200% 0 } }
"""
TARGETS = """
:host { display: block; width: 100%; }
.list { position: relative; height: 100%; overflow: auto; scrollbar-width: thin;
  scrollbar-color: var(--faint) transparent; }
.list p { color: var(--muted); text-align: center; max-width: 40em; margin: 60px auto 0;
  line-height: 1.5; }
table { border-collapse: collapse; width: 100%; font-size: 12px; }
th { position: sticky; top: 0; background: var(--ground); color: var(--muted); text-align: left;
  font-weight: 400; padding: 3px 10px 5px 0; z-index: 1; }
td { padding: 2px 10px 2px 0; border-top: 1px solid var(--line); white-space: nowrap; }
td:first-child { color: var(--muted); text-align: right; width: 1%; }
td:nth-child(6) { text-align: right; padding-right: 26px; }
tr.none td:nth-child(4) { color: var(--muted); }
tr[aria-current] td { background: color-mix(in srgb, var(--accent) 16%, var(--ground)); }
td button { font: inherit; color: var(--text); background: none; border: 0; padding: 2px 0;
  cursor: pointer; text-decoration: underline; text-decoration-color: var(--faint);
  text-underline-offset: 3px; }
td button:hover { text-decoration-color: var(--accent); }
"""
UNSEEN = """
:host { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
"""
TROUBLE = """
.page { max-width: 760px; margin: 12vh auto 0; padding: 0 28px; line-height: 1.6; }
h1 { font-size: 30px; font-weight: 600; margin: 0 0 10px; }
p { color: var(--muted); font-size: 15px; margin: 0 0 34px; overflow-wrap: anywhere; }
ol { list-style: none; padding: 0; margin: 0; display: grid; gap: 18px; }
li span { display: block; margin-bottom: 6px; }
code { display: block; font: 14px/1.5 ui-monospace, 'DejaVu Sans Mono', monospace;
  padding: 11px 16px;
  background: var(--raised); border-left: 3px solid var(--accent); border-radius: 4px;
  user-select: all; }
"""
MODEL = """
:host { display: block; width: 100%; }
h2 { font-size: 19px; font-weight: 600; margin: 8px 0 0; }
h3 { font-size: 14px; font-weight: 600; margin: 20px 0 8px; }
h4 { font-size: 12.5px; font-weight: 600; margin: 0 0 6px; }
p { margin: 2px 0 0; font-size: 12px; line-height: 1.5; }
.tile { font-size: 12.5px; padding-top: 4px; }
.tile b { font-weight: 600; margin-right: 8px; } .tile span, .tile p { color: var(--muted); }
.tile p { font-size: 11.5px; min-height: 17px; }
.none { color: var(--muted); padding: 18px 0; max-width: 60em; font-size: 13px; }
.working { color: var(--muted); padding: 26px 0; }
.shimmer { animation: pulse 1.2s ease-in-out infinite alternate; }
@keyframes pulse { from { opacity: .8 } to { opacity: 1 } }
.key { display: inline-flex; align-items: center; gap: 7px; margin-right: 18px; font-size: 12px;
  color: var(--muted); }
table { border-collapse: collapse; font-size: 12.5px; }
th { font-weight: 500; }
.scores { width: 100%; max-width: 1100px; }
.scores thead th { color: var(--muted); font-size: 11.5px; text-align: right; padding: 4px 7px;
  cursor: help; white-space: nowrap; }
.scores thead th:nth-child(-n+2), .scores tbody th, .scores td:nth-child(-n+2):first-child {
  text-align: left; padding-left: 0; cursor: default; }
.scores tbody th { vertical-align: top; padding: 5px 16px 5px 0; white-space: nowrap; }
.scores td { text-align: right; padding: 5px 7px; white-space: nowrap; color: var(--muted); }
.scores tbody th + td, .scores tr:not(.first) td:first-child { text-align: left;
  padding-left: 0; }
.scores .mine td { color: var(--text); } .scores .mine td b { color: var(--accent); }
.scores td b { font-weight: 600; } .scores small { font-size: 11px; }
.scores .first th, .scores .first td { border-top: 1px solid var(--line); }
.matrices { display: flex; flex-wrap: wrap; gap: 18px 44px; margin-top: 12px; }
.matrix th { color: var(--muted); font-size: 11.5px; padding: 3px 8px 3px 0; text-align: left; }
.matrix thead th { text-align: center; padding: 3px 6px; }
.matrix .corner { color: var(--muted); font-size: 10.5px; padding-right: 8px; }
.matrix tbody td { width: 86px; height: 46px; text-align: center; border: 2px solid var(--ground);
  background: color-mix(in srgb, var(--accent) calc(var(--share) * .62), var(--raised)); }
.matrix td b { display: block; font-weight: 600; font-size: 13px; }
.matrix td small { font-size: 10.5px; opacity: .75; }
.matrix p { margin-top: 8px; }
"""
