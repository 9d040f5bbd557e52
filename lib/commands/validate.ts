import { meantKey } from "../base/nearest.ts";
import { defineCommand } from "../cli/types.ts";
import { validateDocument } from "../container/validate.ts";
import { type Finding, findingText } from "../spec/check/findings.ts";
import { formatJson } from "../spec/json/json.ts";
import { BUNDLE } from "./shared.ts";

export const command = defineCommand({
  name: "validate",
  group: "configuration",
  summary: "check a config.json against the specification",
  description: [
    "Prints all that is wrong, a line each with the JSON path, and then exits with 1. Nothing is " +
    "printed when nothing is wrong.",
    "What may be right and is hardly meant is a warning: unknown properties, with the name that was probably meant, " +
    "capabilities that there are not, mount options that the kernel will refuse. With --host the kernel is asked, " +
    "and sources, hooks and namespaces that are missing are told.",
  ],
  arguments: {},
  options: {
    ...BUNDLE,
    config: {
      value: "FILE",
      description: "the configuration (default: config.json of the bundle)",
      complete: "file",
    },
    process: {
      short: "p",
      value: "FILE",
      description: "check a process document, as exec takes it, instead",
      complete: "file",
    },
    resources: {
      short: "r",
      value: "FILE",
      description: "check a resources document, as update takes it, instead",
      complete: "file",
    },
    host: { description: "look at this host, too: what is missing, and what its kernel takes" },
    strict: { description: "warnings count as faults" },
    format: {
      short: "f",
      value: "FORMAT",
      choices: ["text", "json"],
      description: "text (default) or json",
    },
  },
  examples: [
    { text: "the bundle in /srv/web", command: "runts validate --bundle /srv/web" },
    {
      text: "before it goes to this host",
      command: "runts validate --strict --host --bundle /srv/web",
    },
  ],
  async run({ runtime, options, print }) {
    const { strict = false, format, ...wanted } = options;
    const found = await validateDocument(runtime, { ...wanted, meant: meantKey });
    const { file, findings, warnings } = found;
    if (format === "json") print(`${formatJson(found, "  ")}\n`);
    else {
      const line = (word: string) => (one: Finding) => `${file}: ${word}${findingText(one)}\n`;
      print([...findings.map(line("")), ...warnings.map(line("warning: "))].join(""));
    }
    return findings.length > 0 || (strict && warnings.length > 0) ? 1 : 0;
  },
});
