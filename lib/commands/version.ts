import { defineCommand } from "../cli/types.ts";
import { versions } from "../container/versions.ts";
import { VERSION } from "./about.ts";

export const command = defineCommand({
  ...VERSION,
  // deno-lint-ignore require-await
  async run({ print }) {
    const { runts, spec, deno, v8, libseccomp } = versions();
    const lines = [
      `runts version ${runts}`,
      `commit: v${runts}`,
      `spec: ${spec}`,
      `deno: ${deno}`,
      `v8: ${v8}`,
      `libseccomp: ${libseccomp ?? "not found"}`,
    ];
    print(lines.map((line) => `${line}\n`).join(""));
  },
});
