import { absolute } from "../base/absolute.ts";
import { RuntsError } from "../base/errors.ts";
import { styleFor } from "../cli/explain_view.ts";
import { readTrace } from "../cli/trace_events.ts";
import { traceText } from "../cli/trace_view.ts";
import { defineCommand } from "../cli/types.ts";
import { readText } from "../spec/json/document.ts";
import { parseJson } from "../spec/json/json.ts";

/** Columns where there is no terminal. */
const WIDTH = 140;

export const command = defineCommand({
  name: "trace",
  group: "configuration",
  summary: "show what a command did and when, as --trace has written it",
  description: [
    "The commands run, create, start, exec and restore take --trace FILE. They write every operation of runts, of its " +
    "monitor, of init and of hooks, with its times, as Trace Event JSON, which Perfetto and chrome://tracing show, too.",
  ],
  arguments: {},
  options: {
    view: { value: "FILE", description: "the trace to be shown", complete: "file" },
    html: { description: "print a page that needs nothing else, to be read in a browser" },
  },
  examples: [
    { text: "write one", command: "runts run --trace web.json --detach --bundle /srv/web web" },
    { text: "a waterfall in the terminal", command: "runts trace --view web.json" },
    { text: "a page", command: "runts trace --view web.json --html > web.html" },
  ],
  async run({ runtime, options: { view, html }, print }) {
    if (view === undefined) {
      throw new RuntsError("missing option --view", { hint: 'see "runts trace --help"' });
    }
    const file = absolute(runtime.caller, view);
    const trace = readTrace(parseJson(await readText(runtime.files, file), file), file);
    if (!html) {
      const width = Deno.stdout.isTerminal() ? Deno.consoleSize().columns : WIDTH;
      return print(traceText(trace, width, styleFor(runtime.caller)));
    }
    const { traceHtml } = await import("../cli/trace_html.ts");
    print(traceHtml(trace));
  },
});
