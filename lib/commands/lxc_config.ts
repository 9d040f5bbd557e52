import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { isSystemKey, SYSTEM_KEYS, systemValue } from "../lxc/system_conf.ts";
import { LXC_COMMON, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc config",
  group: "system",
  summary: "print a setting of /etc/lxc/lxc.conf",
  arguments: {
    key: { value: "KEY", description: "the setting", optional: true, choices: SYSTEM_KEYS },
  },
  options: {
    list: { short: "l", description: "list the keys" },
    version: LXC_COMMON.version,
  },
  examples: [{ text: "where containers are kept", command: "runts lxc config lxc.lxcpath" }],
  // deno-lint-ignore require-await
  async run(context) {
    const { runtime, args: { key }, options, print } = context;
    if (versionWanted(context)) return;
    if (options.list) return print(SYSTEM_KEYS.map((name) => `${name}\n`).join(""));
    if (key === undefined) throw new RuntsError("missing argument KEY");
    if (!isSystemKey(key)) {
      const near = nearest(key, SYSTEM_KEYS);
      throw new RuntsError(`unknown configuration item ${quote(key)}`, {
        ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
      });
    }
    print(`${systemValue(runtime.caller, key) ?? `${key} is not set.`}\n`);
  },
});
