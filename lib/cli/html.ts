/** Pages that need nothing else: text in HTML, with their style inside. */

import { oneLine } from "../base/errors.ts";

const ESCAPES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for HTML: in one line, as a terminal would show it. */
export function escapeHtml(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}

/** The same of several lines. */
export function escapeLines(text: string): string {
  return text.split("\n").map(escapeHtml).join("\n");
}

const STYLE = `
:root { color-scheme: light dark; --line: #8885; --faint: #888; --mark: #fc06; --bar: #36c; --bad: #c33 }
body { font: 15px/1.45 system-ui, sans-serif; max-width: 78rem; margin: 1.5rem auto; padding: 0 1rem }
h1 { font-size: 1.4rem } h2 { font-size: 1.15rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
td, th { text-align: left; vertical-align: top; padding: .15rem .6rem .15rem 0; border-bottom: 1px solid var(--line) }
code, pre, .mono { font-family: ui-monospace, monospace; font-size: .9em }
pre { overflow-x: auto; white-space: pre-wrap }
a { color: inherit; text-decoration-color: var(--faint) }
:target { background: var(--mark) }
.faint { color: var(--faint) } .bad { color: var(--bad) }
details > :not(summary) { margin-left: 1.2rem }
ul { list-style: none; padding-left: 1.2rem; margin: 0 }
`;

/** What a page consists of. */
interface Page {
  readonly title: string;
  /** HTML. */
  readonly body: string;
  /** More of CSS. */
  readonly style?: string;
}

/** A whole page, which asks nobody for anything. */
export function htmlPage({ title, body, style = "" }: Page): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${escapeHtml(title)}</title>
<style>${STYLE}${style}</style>
<h1>${escapeHtml(title)}</h1>
${body}
</html>
`;
}
