import { defineCommand } from "../cli/types.ts";
import { abilities } from "../container/abilities.ts";
import { frontId } from "../base/front_id.ts";
import { versions } from "../container/versions.ts";
import { VERSION } from "./about.ts";
import { builtCommit } from "./commit.ts";

export const command = defineCommand({
  ...VERSION,
  async run({ print }) {
    const { runts, spec, deno, v8, libseccomp } = await versions();
    const lines = [
      `runts version ${runts}`,
      `commit: ${await builtCommit() ?? "unknown"}`,
      `spec: ${spec}`,
      `deno: ${deno}`,
      `v8: ${v8}`,
      `front: ${frontId() ?? "none, every command starts Deno"}`,
      `libseccomp: ${libseccomp ?? "not found"}`,
      abilities(libseccomp !== undefined).map((name) => `+${name}`).join(" "),
    ];
    print(lines.map((line) => `${line}\n`).join(""));
  },
});
