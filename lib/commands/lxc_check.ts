import { defineCommand } from "../cli/types.ts";
import { findingText } from "../lxc/config/place.ts";
import { hostFiles, type ReadConfig, readConfig } from "../lxc/config/read.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { absolute } from "../base/absolute.ts";
import { choiceOf, DEFINE, LXC_FILES, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc check",
  group: "system",
  summary: "find all that is wrong with configurations",
  description: [
    "Prints every fault, a line each with the file and the line, and then exits with 1. Nothing is " +
    "printed when nothing is wrong. Old names of keys are faults only with --strict.",
    "Of a container (-n) the files, directories and devices of the host are looked at, too, that its " +
    "configuration names; of FILE the text alone.",
  ],
  arguments: { files: LXC_FILES },
  options: {
    ...LXC_NAMED,
    define: DEFINE,
    strict: { description: "old names of keys are faults as well" },
  },
  examples: [
    { text: "a container", command: "runts lxc check -n web" },
    { text: "a file", command: "runts lxc check /usr/share/lxc/config/common.conf" },
  ],
  async run(context) {
    const { runtime, args: { files }, options, print } = context;
    if (versionWanted(context)) return;
    const found = options.name === undefined && files.length > 0
      ? await Promise.all(files.map((file) => checkFile(runtime, file, options.define)))
      : [await checkContainer(runtime, choiceOf(context, files[0]))];
    const faults = found.flatMap(({ findings, warnings }) =>
      options.strict ? [...findings, ...warnings] : findings
    );
    print([...new Set(faults.map(findingText))].map((text) => `${text}\n`).join(""));
    return faults.length > 0 ? 1 : 0;
  },
});

function checkFile(
  { caller, files }: Runtime,
  file: string,
  define: readonly string[] = [],
): Promise<ReadConfig> {
  return readConfig({ file: absolute(caller, file), define }, hostFiles(files.read));
}

async function checkContainer(
  runtime: Runtime,
  choice: ReturnType<typeof choiceOf>,
): Promise<Pick<ReadConfig, "findings" | "warnings">> {
  const { openContainer } = await import("../lxc/container.ts");
  const { planOpened } = await import("../lxc/planned.ts");
  const { hostFindings } = await import("../lxc/check.ts");
  const { plan, findings } = await planOpened(runtime, await openContainer(runtime, choice));
  return { findings: [...findings, ...hostFindings(plan)], warnings: plan.warnings };
}
