import { quote, RuntsError } from "../base/errors.ts";
import { readLink } from "../base/files.ts";
import { defineCommand } from "../cli/types.ts";
import { LXC_LINKED } from "./lxc_verbs.ts";

export const command = defineCommand({
  name: "lxc install-links",
  group: "system",
  summary: "make links to runts under the names of LXC's commands",
  description: [
    `Makes ${LXC_LINKED.map((verb) => `lxc-${verb}`).join(", ")} in a directory. ` +
    "What is there already and is no link to runts stays, and is an error.",
  ],
  arguments: {
    directory: { value: "DIR", description: "directory of the links", complete: "directory" },
  },
  options: {},
  examples: [{ text: "for all users", command: "runts lxc install-links /usr/local/bin" }],
  // deno-lint-ignore require-await
  async run({ args: { directory }, print }) {
    const target = Deno.execPath();
    for (const verb of LXC_LINKED) {
      const path = `${directory.replace(/\/+$/, "")}/lxc-${verb}`;
      if (readLink(path) === target) continue;
      try {
        Deno.symlinkSync(target, path);
      } catch (cause) {
        throw new RuntsError(`make link ${quote(path)}`, { cause });
      }
      print(`${path}\n`);
    }
  },
});
