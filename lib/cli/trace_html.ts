/** A trace as a page that needs nothing else. */

import type { TraceSpan } from "../base/trace.ts";
import { escapeHtml, htmlPage } from "./html.ts";
import { PARTICIPANTS, type ReadTrace } from "./trace_events.ts";
import { milliseconds, nameOf, rowsOf } from "./trace_view.ts";

const STYLE = `
td { white-space: nowrap; padding: 0 .6rem 0 0; border: 0; font-size: .85rem }
td.what { max-width: 26rem; overflow: hidden; text-overflow: ellipsis }
td.time { text-align: right; font-variant-numeric: tabular-nums }
td.lane { width: 60%; position: relative; min-width: 20rem; border-left: 1px solid var(--line) }
td.lane i { position: absolute; top: .2rem; bottom: .2rem; min-width: 2px; border-radius: 2px; background: var(--bar) }
tr:hover { background: var(--mark) }
.start i { --bar: #888 } .host i { --bar: #a63 } .init i { --bar: #2a6 } .monitor i { --bar: #92b }
.hook i { --bar: #c82 } .front i { --bar: #69c } tr.failed i { background: var(--bad) }
.legend span { margin-right: 1.2rem } .legend i { display: inline-block; width: .8em; height: .8em;
background: var(--bar); margin-right: .4em }
`;

/** The whole page. */
export function traceHtml(trace: ReadTrace): string {
  const rows = rowsOf(trace);
  const begin = Math.min(...rows.map((row) => row.begin));
  const total = Math.max(1, Math.max(...rows.map((row) => row.end)) - begin);
  const percent = (micros: number) => `${(100 * micros / total).toFixed(3)}%`;
  const there = PARTICIPANTS.filter(([who]) => rows.some((row) => row.who === who));
  const legend = there.map(([who, name]) =>
    `<span class="${who}"><i></i>${escapeHtml(name)}</span>`
  );
  const lines = rows.map((row) => {
    const { who, what, depth, failed, from } = row;
    const told = [what, from, failed].filter((text) => text).join(" · ");
    return `<tr class="${who}${failed === undefined ? "" : " failed"}" title="${
      escapeHtml(told)
    }">` +
      `<td class="time">${milliseconds(row.begin - begin)}</td>` +
      `<td class="time">${milliseconds(row.end - row.begin)}</td>` +
      `<td class="faint">${escapeHtml(nameOf(row))}</td>` +
      `<td class="what" style="padding-left:${depth}rem">${escapeHtml(what)}${
        failureOf(row)
      }</td>` +
      `<td class="lane"><i style="left:${percent(row.begin - begin)};` +
      `width:${percent(row.end - row.begin)}"></i></td></tr>`;
  });
  const body = `<p>${milliseconds(total)} ms in all; times are in milliseconds.</p>
<p class="legend">${legend.join("")}</p>
<table><tr><th>at</th><th>takes</th><th>who</th><th>what</th><th></th></tr>
${lines.join("\n")}
</table>`;
  return htmlPage({ title: trace.title, body, style: STYLE });
}

function failureOf({ failed }: TraceSpan): string {
  return failed === undefined ? "" : ` <span class="bad">${escapeHtml(failed)}</span>`;
}
