// The look of circuits.html, for light and dark: colours that stay apart for most people with a colour deficiency, and are named in
// the legend and in every bar's own words.
export const style = `
:root { color-scheme: light dark; --paper: #ffffff; --ink: #1c2430; --dim: #5b6675; --line: #dfe4ea;
  --well: #2a8f6d; --bad: #c0392b; --half: #d98e04; --span: #c4ccd6; --lost: #7b5ea7; }
@media (prefers-color-scheme: dark) { :root { --paper: #14181e; --ink: #e4e9ef; --dim: #98a4b3; --line: #2a323c;
  --well: #46b48e; --bad: #ec7063; --half: #f0b23c; --span: #3d4855; --lost: #b195dd; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1160px; margin: 0 auto; padding: 24px 20px 48px; }
h1 { font-size: 22px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 28px 0 0; }
p { margin: 4px 0 10px; color: var(--dim); } .about { font-size: 14px; }
.scroll { overflow-x: auto; } svg { width: 100%; min-width: 760px; height: auto; display: block; }
text { fill: var(--ink); font-size: 12.5px; } .tick { fill: var(--dim); font-size: 11.5px; } .grid { stroke: var(--line); }
.key { margin-left: 14px; white-space: nowrap; } .key i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 5px; vertical-align: -1px; }
.closed, .passed { fill: var(--well); background: var(--well); } .open, .failed, .fault { fill: var(--bad); background: var(--bad); }
.halfOpen { fill: var(--half); background: var(--half); } .span, .none { fill: var(--span); background: var(--span); }
.lost { fill: var(--lost); background: var(--lost); }
.forcedOpen { fill: var(--bad); } .disabled, .metricsOnly { fill: var(--span); }
`;
