/** Pages of reference, from the command table and from the types. */

import {
  argumentUsage,
  GROUPS,
  optionText,
  optionUsage,
  usageLine,
  visible,
  withVerbs,
} from "../../lib/cli/help.ts";
import { GLOBAL_OPTIONS } from "../../lib/cli/globals.ts";
import type { Declaration, Options } from "../../lib/cli/types.ts";
import { ALL } from "../../lib/commands/all.ts";
import { ROOT } from "../support/paths.ts";

/** The entries of the library, with their names. */
const ENTRIES: readonly (readonly [file: string, name: string])[] = [
  ["mod.ts", "@runts/runts"],
  ["verbs.ts", "@runts/runts/verbs"],
  ["explain.ts", "@runts/runts/explain"],
  ["oci.ts", "@runts/runts/oci"],
];

/** Every command, group by group. */
export async function commandReference(): Promise<string> {
  const sections = await Promise.all(GROUPS.map(async ([group, title]) => {
    const commands = await withVerbs(ALL.filter((one) => one.group === group));
    return commands.length === 0 ? "" : `## ${title}\n\n${commands.map(section).join("\n")}`;
  }));
  return `# Commands

\`runts [GLOBAL OPTIONS] COMMAND [OPTIONS] [ARGUMENTS]\`

${sections.filter((text) => text !== "").join("\n")}
## Global options

They stand before or after the command.

${optionTable(GLOBAL_OPTIONS)}`;
}

function section(command: Declaration): string {
  const { name, summary, description = [], examples = [] } = command;
  const rows = Object.values(command.arguments).map((one) =>
    row(
      argumentUsage(one),
      one.choices ? `${one.description}: ${one.choices.join(", ")}` : one.description,
    )
  );
  const parts = [
    `### ${name}`,
    `\`\`\`text\n${usageLine(command)}\n\`\`\``,
    `${summary.charAt(0).toUpperCase()}${summary.slice(1)}.`,
    ...description,
    rows.length === 0 ? "" : `| argument | |\n|---|---|\n${rows.join("")}`,
    visible(command.options).length === 0 ? "" : optionTable(command.options),
    examples.length === 0
      ? ""
      : `\`\`\`sh\n${examples.map((one) => `# ${one.text}\n${one.command}`).join("\n")}\n\`\`\``,
  ];
  return `${parts.filter((text) => text !== "").map(escapedText).join("\n\n")}\n`;
}

function optionTable(options: Options): string {
  const rows = visible(options).map(([key, option]) =>
    row(optionUsage(key, option, false), optionText(option))
  );
  return `| option | |\n|---|---|\n${rows.join("")}`;
}

function row(left: string, right: string): string {
  return `| \`${left.replaceAll("|", "\\|")}\` | ${right.replaceAll("|", "\\|")} |\n`;
}

/** What would be a tag or a value of the generator; blocks of code are left as they are. */
function escapedText(text: string): string {
  return text.startsWith("```") ? text : text.replaceAll("<", "&lt;").replaceAll("{{", "{&#123;");
}

/** Every name of the library, as `deno doc` prints it. */
export async function libraryReference(): Promise<string> {
  const sections = await Promise.all(ENTRIES.map(async ([file, name]) => {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", file],
      cwd: ROOT,
      env: { NO_COLOR: "1" },
    }).output();
    // Places in the sources of whoever has made this say nothing.
    const text = new TextDecoder().decode(stdout).replaceAll(/^Defined in .*\n+/gm, "");
    return `## ${name}\n\n\`\`\`ts\n${text.replaceAll("```", "'''").trim()}\n\`\`\`\n`;
  }));
  return `# Library\n\n[From TypeScript](../library.md) tells how it is used.\n\n${
    sections.join("\n")
  }`;
}
