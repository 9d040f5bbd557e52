import { meantKey } from "../base/nearest.ts";
import { defineCommand } from "../cli/types.ts";
import { validateDocument } from "../container/validate.ts";
import { findingText } from "../spec/check/findings.ts";
import { formatJson } from "../spec/json/json.ts";
import { BUNDLE } from "./shared.ts";

export const command = defineCommand({
  name: "validate",
  group: "configuration",
  summary: "check a config.json against the specification",
  description: [
    "Prints all that is wrong, a line each with the JSON path, and then exits with 1. Nothing is " +
    "printed when nothing is wrong.",
    "Unknown properties are left alone, but for those that look like another one misspelt.",
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
    format: {
      short: "f",
      value: "FORMAT",
      choices: ["text", "json"],
      description: "text (default) or json",
    },
  },
  examples: [{ text: "the bundle in /srv/web", command: "runts validate --bundle /srv/web" }],
  async run({ runtime, options, print }) {
    const { file, findings } = await validateDocument(runtime, { ...options, meant: meantKey });
    if (options.format === "json") print(`${formatJson({ file, findings }, "  ")}\n`);
    else print(findings.map((finding) => `${file}: ${findingText(finding)}\n`).join(""));
    return findings.length > 0 ? 1 : 0;
  },
});
