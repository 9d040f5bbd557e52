/** process.json of exec: whatever the text, it is refused in words or can be executed. */

import { execProcess } from "../../lib/caller/exec_process.ts";
import { AT_ONCE } from "../../lib/base/document_file.ts";
import { Runtime } from "../../lib/runtime/runtime.ts";
import { parseSpec } from "../../lib/spec/load.ts";
import type { Process } from "../../lib/spec/types/config.ts";
import { checkError } from "../support/fuzz/answer.ts";
import { configs, partsOf } from "../support/fuzz/corpus.ts";
import { execPlansOf, planned } from "../support/fuzz/plans.ts";
import type { Target } from "../support/fuzz/target.ts";

const RUNTIME = new Runtime({ files: AT_ONCE });

export function process(): Target {
  // What the process is for.
  const containers = configs().map((text) => parseSpec(text, "config.json"));
  const file = Deno.makeTempFileSync({ prefix: "runts-fuzz-", suffix: ".json" });
  return {
    name: "process",
    seeds: partsOf((spec) => spec.process),
    async attempt(text) {
      Deno.writeTextFileSync(file, text);
      let process: Process;
      try {
        process = await execProcess(RUNTIME, containers[0]!, { id: "box", process: file });
      } catch (error) {
        return `refused: ${checkError(error)}`;
      }
      const container = containers[text.length % containers.length]!;
      return `${planned(() => execPlansOf(container, process))}: ${Object.keys(process).sort()}`;
    },
    close: () => Deno.remove(file),
  };
}
