import { errnoOf, isRuntsError, reason } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { load } from "../runtime/load.ts";
import type { FailedWork } from "../lxc/store/files.ts";
import { perform, type Work } from "../lxc/store/work.ts";

const FAILED = 1;

/** For commands of ordinary users, as root of a container's user namespace. */
export const command = defineCommand({
  name: "files",
  group: "system",
  summary: "work on the files of a container",
  arguments: {
    report: { value: "FILE", description: "what failed is written there", complete: "file" },
    work: { value: "JSON", description: "what is done", complete: "none" },
  },
  options: {},
  async run({ runtime, args }) {
    try {
      // Written by runts, for itself.
      await perform(await load(runtime), JSON.parse(args.work) as Work);
    } catch (error) {
      const text = JSON.stringify(failedWork(error));
      Deno.writeTextFileSync(args.report, text, { create: false });
      return FAILED;
    }
  },
});

function failedWork(error: unknown): FailedWork {
  const operation = isRuntsError(error) ? error.operation : "work on its files";
  const errno = errnoOf(error);
  if (errno !== undefined) return { operation, errno };
  const cause = isRuntsError(error) ? error.data.cause : error;
  return { operation, ...(cause !== undefined && { cause: reason(cause) }) };
}
