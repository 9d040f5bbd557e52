/**
 * Network devices that move into the container. Each test runs the runtime in a network namespace
 * of its own, whose devices it makes there: those of the host are not touched.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { command, commandLine, type Output, PEER } from "../../support/runtime.ts";

/** The peers that are installed are older than version 1.3 of the specification. */
const ignore = PEER !== "runts";

/** A pair of veth devices, "d0" with all that must be kept, and "peer" that makes its link up. */
const DEVICE = `
ip link add d0 type veth peer name peer
ip link set d0 mtu 1400 address 02:00:00:00:00:07 alias uplink
ip link set peer up
`;

/** Ends the output of the container, and begins that of what is left outside. */
const OUTSIDE = "--- outside";

interface Trial {
  readonly netDevices: Record<string, { name?: string }>;
  /** Shell commands outside, beforehand. */
  readonly setup?: string;
  /** Shell commands in the container. */
  readonly script?: string;
  /** Path of a network namespace to join. */
  readonly join?: string;
  readonly edit?: (config: Config) => void;
  /** A device that will go, some time after its namespace ended. */
  readonly goes?: string;
  /** Shell commands outside, afterwards; their output joins that of `outside`. */
  readonly after?: string;
}

interface Result extends Output {
  /** Names and states of the devices outside, afterwards. */
  readonly outside: string[];
}

async function run(runtime: TestRuntime, trial: Trial): Promise<Result> {
  using bundle = new Bundle();
  const { config } = bundle;
  config.linux.netDevices = trial.netDevices;
  config.process.args = ["sh", "-c", trial.script ?? "true"];
  if (trial.join) {
    config.linux.namespaces.find((one: Config) => one.type === "network").path = trial.join;
  }
  trial.edit?.(config);
  bundle.save();
  const id = runtime.id();
  const line = ["--root", runtime.root, "run", "--bundle", bundle.path, id];
  const shell = `set -e; ${trial.setup ?? DEVICE}
    "$@" || code=$?
    while ip link show "${trial.goes ?? "none"}" >/dev/null 2>&1; do sleep 0.01; done
    echo "${OUTSIDE}"; ip -br link | cut -d" " -f1; ${trial.after ?? ":"}
    exit \${code:-0}`;
  const output = await command([
    ...["unshare", "-n", "-m", "sh", "-c", shell, "sh"],
    ...commandLine(runtime.executable, line),
  ]);
  const [stdout, outside] = output.stdout.split(`${OUTSIDE}\n`) as [string, string];
  return {
    code: output.code,
    stdout,
    stderr: output.stderr.replaceAll(id, "ID").replace(/after \d+ ms/, "after N ms"),
    outside: outside.trim().split("\n").map((line) =>
      line.replace(/ +/g, " ").replace(/ fe80\S+/, "").trim()
    ),
  };
}

/** The lines of `ip addr` about addresses, without what depends on timing or the kernel. */
function addresses(text: string): string[] {
  return text.split("\n").map((line) => line.trim())
    .filter((line) => /^(inet6? |link\/)/.test(line) && !line.includes(" scope link"))
    .map((line) => line.replace(" tentative", ""));
}

function test(name: string, fn: (runtime: TestRuntime) => Promise<void>): void {
  Deno.test({ name, ignore, fn: () => withRuntime(fn) });
}

test("a device moves with addresses, MTU, MAC and alias, and is set up", async (runtime) => {
  const { code, stdout, stderr, outside } = await run(runtime, {
    setup: `${DEVICE}
      ip addr add 10.7.0.2/24 brd 10.7.0.255 dev d0
      ip addr add 10.8.0.2 peer 10.8.0.1 dev d0
      ip addr add fd00:7::2/64 dev d0 nodad
      ip link set d0 up`,
    netDevices: { d0: {} },
    script: "busybox ip addr show dev d0; cat /sys/class/net/d0/ifalias",
    goes: "peer",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertMatch(stdout, /^\d+: d0@if\d+: <(?:.*,)?UP(?:,.*)?> mtu 1400 /);
  assertEquals(addresses(stdout.split("uplink")[0]!), [
    "link/ether 02:00:00:00:00:07 brd ff:ff:ff:ff:ff:ff",
    "inet 10.7.0.2/24 brd 10.7.0.255 scope global d0",
    "inet 10.8.0.2 peer 10.8.0.1/32 scope global d0",
    "inet6 fd00:7::2/64 scope global flags 02",
  ]);
  assertEquals(stdout.match(/^uplink$/m)?.[0], "uplink");
  // The namespace ended with the container, and virtual devices end with their namespace.
  assertEquals(outside, ["lo"]);
});

test("a device gets a new name, and its address labels do", async (runtime) => {
  const { code, stdout, stderr } = await run(runtime, {
    setup: `${DEVICE}
      ip addr add 10.7.0.2/24 dev d0 label d0:web
      ip addr add 10.7.0.3/24 dev d0`,
    netDevices: { d0: { name: "eth0" } },
    script: "busybox ip addr show dev eth0; ls /sys/class/net",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(addresses(stdout), [
    "link/ether 02:00:00:00:00:07 brd ff:ff:ff:ff:ff:ff",
    "inet 10.7.0.2/24 scope global eth0:web",
    "inet 10.7.0.3/24 scope global secondary eth0",
  ]);
  assertEquals(stdout.trim().split("\n").slice(-2), ["eth0", "lo"]);
});

test("addresses that are not permanent, or not global, stay behind", async (runtime) => {
  const { code, stdout, stderr } = await run(runtime, {
    setup: `${DEVICE}
      ip addr add 10.7.0.2/24 dev d0
      ip addr add 10.7.1.2/24 dev d0 valid_lft 3600 preferred_lft 3600
      ip addr add 10.7.2.2/24 dev d0 scope link`,
    netDevices: { d0: {} },
    script: "busybox ip -4 addr show dev d0",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout.match(/inet \S+/g), ["inet 10.7.0.2/24"]);
});

test("the kernel completes a name that ends in %d", async (runtime) => {
  const { code, stdout, stderr } = await run(runtime, {
    setup: `${DEVICE}
      ip link add d1 type veth peer name d2
      ip addr add 10.7.0.2/24 dev d0
      ip addr add 10.7.1.2/24 dev d1`,
    netDevices: { d0: { name: "net%d" }, d1: { name: "net%d" } },
    script: "busybox ip -4 addr",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(
    Array.from(stdout.matchAll(/inet (10\S+) .* (\S+)$/gm), ([, address, name]) => [address, name]),
    [["10.7.0.2/24", "net0"], ["10.7.1.2/24", "net1"]],
  );
});

test("a device moves into a container with a user namespace", async (runtime) => {
  const { code, stdout, stderr } = await run(runtime, {
    setup: `${DEVICE}
      ip addr add 10.7.0.2/24 dev d0`,
    netDevices: { d0: { name: "eth0" } },
    edit: ({ linux }) => {
      linux.namespaces.push({ type: "user" });
      linux.uidMappings = linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }];
    },
    script: "busybox ip -4 addr show dev eth0",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout.match(/inet \S+/g), ["inet 10.7.0.2/24"]);
});

/** A network namespace that stays, with a device "eth0" in it. */
const SHARED = `${DEVICE}
  mount --make-rprivate /
  mount -t tmpfs tmpfs /run
  touch /run/netns
  unshare --net=/run/netns ip link add eth0 type veth peer name eth1`;

test("a device moves into a namespace given by path, and stays there", async (runtime) => {
  const { code, stdout, stderr, outside } = await run(runtime, {
    setup: SHARED,
    join: "/run/netns",
    netDevices: { d0: { name: "eth%d" } },
    script: "busybox ip -o link | busybox cut -d: -f2 | busybox cut -d@ -f1",
  });
  assertEquals({ code, stderr }, { code: 0, stderr: "" });
  assertEquals(stdout.trim().split(/\s+/).sort(), ["eth0", "eth1", "eth2", "lo"]);
  assertEquals(outside.map((name) => name.replace(/@.*/, "")), ["lo", "peer"]);
});

/** What create says, and that nothing was moved. */
function refused(name: string, trial: Trial, message: string): void {
  test(`create refuses ${name}`, async (runtime) => {
    const { code, stdout, stderr, outside } = await run(runtime, trial);
    assertEquals(
      { code, stdout, stderr },
      { code: 1, stdout: "", stderr: `runts: run "ID": ${message}\n` },
    );
    assertEquals(outside.sort(), ["d0@peer", "lo", "peer@d0"]);
  });
}

refused(
  "a device that does not exist",
  { netDevices: { d0: {}, none: {} } },
  'linux.netDevices["none"]: move network device "none": ENODEV (no such device)',
);
refused(
  "a loopback device",
  { netDevices: { d0: {}, lo: { name: "lo1" } } },
  'linux.netDevices["lo"]: move network device "lo": a loopback device belongs to its namespace',
);
refused(
  "a name that is taken",
  { setup: SHARED, join: "/run/netns", netDevices: { peer: { name: "p0" }, d0: { name: "eth1" } } },
  'linux.netDevices["d0"]: name network device "d0" "eth1": EEXIST (file exists): the network ' +
    "namespace of the container has a device of that name",
);

refused(
  "a namespace that the devices are in already",
  { setup: DEVICE, join: "/proc/self/ns/net", netDevices: { d0: { name: "eth0" } } },
  "linux.netDevices: the container has the network namespace of its host",
);

/** What `ip -br addr` says of the device of PREPARED when it is as it was. */
const AS_IT_WAS = "d0@peer UP 10.7.0.2/24 fd00:7::2/64";

const PREPARED = `${DEVICE}
  ip addr add 10.7.0.2/24 dev d0
  ip addr add fd00:7::2/64 dev d0 nodad
  ip link set d0 up`;

/** Trials that fail when the device was moved already. */
const FAILURES: [name: string, edit: (config: Config) => void, message: string][] = [
  [
    "a hook",
    (config) => config.hooks = { createRuntime: [{ path: "/bin/false" }] },
    'hooks.createRuntime[0]: hook "/bin/false": exit status 1 after N ms',
  ],
  [
    "a mount",
    (config) => config.mounts.push({ destination: "/tmp", type: "nosuch", source: "x" }),
    'mounts[6]: mount "nosuch" on "/tmp": the kernel has no filesystem "nosuch": ENODEV (no such device)',
  ],
];
for (const [name, edit, message] of FAILURES) {
  test(`a device is given back when ${name} fails`, async (runtime) => {
    const { code, stderr, outside } = await run(runtime, {
      setup: PREPARED,
      netDevices: { d0: { name: "eth0" } },
      edit,
      after: "ip -br addr show dev d0",
    });
    assertEquals({ code, stderr }, { code: 1, stderr: `runts: run "ID": ${message}\n` });
    assertEquals(outside.at(-1), AS_IT_WAS);
  });
}

test("a device that the kernel refuses to move brings back those before it", async (runtime) => {
  const { code, stdout, stderr, outside } = await run(runtime, {
    setup: `${PREPARED}
      ip link add br0 type bridge`,
    netDevices: { d0: { name: "eth0" }, br0: {} },
    after: "ip -br addr show dev d0",
  });
  assertEquals({ code, stdout, stderr }, {
    code: 1,
    stdout: "",
    stderr: 'runts: run "ID": linux.netDevices["br0"]: move network device "br0" to "br0": ' +
      'EINVAL (invalid argument): the kernel says "The interface netns is immutable"\n',
  });
  assertEquals(outside.at(-1), AS_IT_WAS);
  assertEquals(outside.slice(0, -1).sort(), ["br0", "d0@peer", "lo", "peer@d0"]);
});
