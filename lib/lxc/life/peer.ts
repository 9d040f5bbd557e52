/** What the console of a container is joined to, and how much of it is kept. */

import { quote, RuntsError } from "../../base/errors.ts";
import { O_NOCTTY, O_NONBLOCK, O_RDWR } from "../../base/linux.ts";
import type { Body } from "../../body/body.ts";
import type { Monitor } from "../../body/monitor_client.ts";
import { INIT } from "../../state/process_record.ts";
import type { Console } from "../plan/types.ts";

/** Once init is there, which has its console. */
export async function joinConsole(
  body: Body,
  monitor: Monitor,
  { peer, buffer }: Console,
): Promise<void> {
  if (peer === "none") return;
  if (buffer !== undefined) await monitor.keep(INIT, buffer);
  if (peer === "pty") return;
  const { loadHelper } = await import("../../../ffi/helper.ts");
  const helper = await loadHelper();
  const configPath = "beyond.console.peer";
  let fd: number;
  try {
    fd = await body.open(peer, O_RDWR | O_NOCTTY | O_NONBLOCK);
  } catch (cause) {
    throw new RuntsError("join the console", { configPath, cause });
  }
  try {
    if (!helper.isTerminal(fd)) {
      throw new RuntsError(`${quote(peer)} is not a terminal`, { configPath });
    }
    helper.rawMode(fd);
    const { cols, rows } = helper.windowSize(fd);
    await monitor.attachTerminal(INIT, fd);
    if (cols > 0) await monitor.resize(INIT, cols, rows);
  } finally {
    helper.close(fd);
  }
}
