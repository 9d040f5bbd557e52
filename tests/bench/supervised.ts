/** The tools that `bench:supervision` compares, each in a sandbox of its own. */

import { prepareContainerd } from "../support/clients/containerd.ts";
import { IMAGE_TAR, makeImage } from "../support/clients/image.ts";
import { preparePodman } from "../support/clients/podman.ts";
import { Sandbox } from "../support/clients/sandbox.ts";
import { runtimes } from "../support/clients/suite.ts";

/** Where the file lies in a container that its output is made from. */
const DATA = "/data";

/** A container is called $id in shell lines. */
interface Tool {
  readonly name: string;
  /** What stays with each container, as /proc/PID/comm has it. */
  readonly companion: string;
  readonly programs: readonly string[];
  prepare(sandbox: Sandbox): Promise<void>;
  /** Starts one that stays. */
  readonly idle: string;
  readonly remove: string;
  /** Starts one that ends with 5, prints that, and removes it. */
  readonly lifecycle?: string;
  /** Starts one that prints a file ten times, over and over, $times times, logs to $log, and waits for it. */
  readonly output?: string;
}

const PRINT = `for i in $(seq $0); do cat ${`${DATA} `.repeat(10)}; done`;

const RUNTS = "runts --root /run/state";

/** In the sandbox: bundles by name, on the image's root filesystem. */
async function prepareRunts(sandbox: Sandbox): Promise<void> {
  await sandbox.ok(
    `ln -s /usr/local/sbin/runts /run/runts; mkdir /run/rootfs && tar -C /run/rootfs -xf ${IMAGE_TAR}
     touch /run/rootfs${DATA}; runts spec --bundle /run`,
  );
  const template = JSON.parse(await sandbox.ok("cat /run/config.json"));
  const bundles = { idle: "exec sleep 1000", quick: "exit 5", loud: PRINT };
  for (const [name, script] of Object.entries(bundles)) {
    const config = structuredClone(template);
    config.root = { path: "/run/rootfs" };
    config.process.terminal = false;
    config.process.args = ["sh", "-c", script, "TIMES"];
    const bind = { destination: DATA, type: "bind", source: "/run/data", options: ["bind", "ro"] };
    if (name === "loud") config.mounts.push(bind);
    await sandbox.write(`/run/${name}/config.json`, JSON.stringify(config));
  }
}

const MONITOR: Tool = {
  name: "runts",
  companion: "runts-monitor",
  programs: [],
  prepare: prepareRunts,
  idle: `${RUNTS} run --detach --supervised --bundle /run/idle $id`,
  remove: `${RUNTS} delete --force $id`,
  lifecycle: `${RUNTS} run --detach --supervised --bundle /run/quick $id; ${RUNTS} wait $id; ` +
    `${RUNTS} delete $id`,
  output: `sed -i s/TIMES/$times/ /run/loud/config.json
    ${RUNTS} run --detach --log-path $log --log-max-size 0 --bundle /run/loud $id; ${RUNTS} wait $id`,
};

const CONMON: Tool = {
  name: "podman, conmon",
  companion: "conmon",
  programs: ["podman", "conmon"],
  prepare: preparePodman,
  idle: "podman run -d --name $id bb sleep 1000",
  remove: "podman rm -f -t 0 $id",
  lifecycle: "podman run -d --name $id bb sh -c 'exit 5' >/dev/null; podman wait $id; " +
    "podman rm $id >/dev/null",
  output:
    `podman run -d --name $id --log-opt path=$log -v /run/data:${DATA}:ro bb sh -c '${PRINT}' $times >/dev/null
    podman wait $id`,
};

const CTR = "ctr -n runts-clients-$RUNTIME";

const SHIM: Tool = {
  name: "ctr, containerd-shim-runc-v2",
  companion: "containerd-shim",
  programs: ["ctr", "containerd", "containerd-shim-runc-v2"],
  prepare: prepareContainerd,
  idle: `${CTR} run -d --runc-binary /usr/local/sbin/runts localhost/bb:latest $id sleep 1000`,
  remove: `${CTR} task rm -f $id; ${CTR} container rm $id`,
};

/** A tool that is ready. */
export interface Prepared {
  readonly tool: Tool;
  readonly sandbox: Sandbox;
}

function isInstalled(program: string): boolean {
  return ["/usr/bin", "/usr/sbin", "/usr/local/bin"].some((folder) => {
    try {
      return Deno.statSync(`${folder}/${program}`).isFile;
    } catch {
      return false;
    }
  });
}

/** Opens sandboxes for all that there is; says what is missing. The caller closes them. */
export async function prepareTools(dataMegabytes: number): Promise<Prepared[]> {
  const found = runtimes();
  const peer = found.has("crun") ? "crun" : "runc";
  const prepared: Prepared[] = [];
  for (const tool of [MONITOR, CONMON, SHIM]) {
    const runtime = tool === MONITOR ? "runts" : peer;
    const missing = tool.programs.filter((program) => !isInstalled(program));
    const path = found.get(runtime);
    if (path === undefined) missing.push("runc, crun");
    if (missing.length > 0 || path === undefined) {
      console.log(`not compared with ${tool.name}: ${missing.join(", ")} missing`);
      continue;
    }
    const sandbox = await Sandbox.open(runtime, path);
    prepared.push({ tool, sandbox });
    await makeImage(sandbox);
    await sandbox.ok(
      `yes "$(printf '%099d')" | head -c ${dataMegabytes * 1_000_000} > /run/data`,
    );
    await tool.prepare(sandbox);
  }
  return prepared;
}

/** The same output without any container, on a pipe. */
export const FLOOR = `for i in $(seq $times); do cat ${"/run/data ".repeat(10)}; done | cat > $log`;
