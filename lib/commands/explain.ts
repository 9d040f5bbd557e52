import {
  differencesText,
  explanationJson,
  explanationText,
  styleFor,
} from "../cli/explain_view.ts";
import { jsonDocument } from "../base/json_document.ts";
import { RuntsError } from "../base/errors.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { defineCommand } from "../cli/types.ts";
import { explain, type ExplainOptions } from "../container/explain.ts";
import { BUNDLE } from "./shared.ts";

export const command = defineCommand({
  name: "explain",
  group: "configuration",
  summary: "show what create would do, without doing it",
  description: [
    "Prints every operation in its order with the part of config.json that asks for it. The same " +
    "operations are what --debug logs as they are carried out, and what errors name.",
  ],
  arguments: {
    id: {
      value: "CONTAINER",
      description: 'id that the container would have (default: "container")',
      optional: true,
      complete: "none",
    },
  },
  options: {
    ...BUNDLE,
    config: {
      value: "FILE",
      description: "the configuration (default: config.json of the bundle)",
      complete: "file",
    },
    noPivot: { description: "as of create" },
    json: { description: "print it for programs" },
    html: {
      description:
        "print a page with links between steps and configuration, to be read in a browser",
    },
    diff: {
      value: "A",
      description:
        "print what changes from the bundle or configuration A to the one that stands in CONTAINER's place",
      complete: "file",
    },
    seccomp: { description: "print what becomes of each system call instead" },
    prepared: {
      description: "print what state, kill, start, delete and list of CONTAINER go by instead",
    },
    bpf: { description: "print the instructions of the seccomp filter instead" },
  },
  examples: [
    { text: "the bundle in /srv/web", command: "runts explain --bundle /srv/web" },
    { text: "what the front knows of web", command: "runts explain --prepared web" },
    { text: "as a page", command: "runts explain --bundle /srv/web --html > web.html" },
    { text: "what an edit changes", command: "runts explain --diff config.json config.new.json" },
    { text: "its seccomp filter", command: "runts explain --bundle /srv/web --seccomp" },
  ],
  async run({ runtime, args, options, print }) {
    const wanted = { id: "container", ...args, ...options };
    if (options.seccomp || options.bpf) {
      const { explainSeccomp } = await import("../container/explain_seccomp.ts");
      const text = await explainSeccomp(runtime, wanted, options.bpf === true);
      return print(text ?? "no seccomp filter\n");
    }
    if (options.diff !== undefined) return print(await differences(runtime, args.id, options));
    if (options.html) return print(await page(runtime, wanted));
    if (options.prepared) return print(await preparedText(runtime, args.id));
    const explanation = await explain(runtime, wanted);
    if (options.json) return print(explanationJson(explanation));
    print(explanationText(explanation, styleFor(runtime.caller)));
  },
});

async function page(runtime: Runtime, options: ExplainOptions): Promise<string> {
  const [{ explainPage }, { explanationHtml }] = await Promise.all([
    import("../container/explain_page.ts"),
    import("../cli/explain_html.ts"),
  ]);
  return explanationHtml(await explainPage(runtime, options));
}

async function differences(
  runtime: Runtime,
  after: string | undefined,
  { diff = "", json, bundle }: { diff?: string; json?: boolean; bundle?: string },
): Promise<string> {
  if (after === undefined) {
    throw new RuntsError("explain --diff needs two bundles or configurations");
  }
  const { explainDiff } = await import("../container/explain_diff.ts");
  const own = { id: "container", before: diff, after, ...(bundle !== undefined && { bundle }) };
  const found = await explainDiff(runtime, own);
  return json ? jsonDocument(found) : differencesText(found, styleFor(runtime.caller));
}

async function preparedText(runtime: Runtime, id: string | undefined): Promise<string> {
  if (id === undefined) throw new RuntsError("explain --prepared needs the id of a container");
  const { explainPrepared } = await import("../container/explain_prepared.ts");
  const record = await explainPrepared(runtime, id);
  return record === undefined ? "no record: every verb starts Deno\n" : jsonDocument(record);
}
