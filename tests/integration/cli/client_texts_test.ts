/**
 * Words that clients look for in what a runtime says when it fails. Each test names the client and
 * what it makes of them (podman 4.3, containerd 1.6, Docker 20.10); the words are theirs.
 */

import { assertEquals, assertMatch } from "@std/assert";
import { Bundle, type Config } from "../../support/bundle.ts";
import { type TestRuntime, withRuntime } from "../../support/host.ts";
import { type Output, PEER } from "../../support/runtime.ts";

/** A client and what it looks for. */
interface Reader {
  readonly client: string;
  readonly words: RegExp;
  readonly takesItFor: string;
}

/** The shim of containerd, and with it ctr, Docker and the CRI: `kill` of what has ended. */
const SHIM_KILL: Reader = {
  client: "the shim",
  words: /os: process already finished|container not running|no such process/i,
  takesItFor: "a process that has ended",
};
const SHIM_UNKNOWN: Reader = {
  client: "the shim",
  words: /does not exist/,
  takesItFor: "a container that is gone",
};
/** podman stop prints what its runtime says, but for these. */
const PODMAN_STOP: Reader = {
  client: "podman stop",
  words: /container not running|open pidfd: No such process|kill container: No such process/,
  takesItFor: "no news",
};
const PODMAN_STATE: Reader = {
  client: "podman",
  words: /does not exist|No such file/,
  takesItFor: "a container that has ended",
};
const DOCKER_UNKNOWN: Reader = {
  client: "dockerd",
  words: /container does not exist|not found|no such container/,
  takesItFor: "a container that is gone",
};
/** In this order. */
const PODMAN_126: Reader = {
  client: "podman",
  words: /permission denied|operation not permitted/i,
  takesItFor: "exit code 126",
};
const PODMAN_127: Reader = {
  client: "podman",
  words: /executable file not found in|no such file or directory|open executable/i,
  takesItFor: "exit code 127",
};
const DOCKER_126: Reader = {
  client: "dockerd",
  words: /permission denied/,
  takesItFor: "exit code 126",
};
const DOCKER_127: Reader = {
  client: "dockerd",
  words: /executable file not found|no such file or directory/,
  takesItFor: "exit code 127, where the program is named",
};
/** Docker reads 125 then; and since 23 it takes "is a directory" for 126. */
const DOCKER_OTHER: Reader = {
  client: "dockerd",
  words: /^(?!.*(permission denied|is a directory|executable file not found|no such file or))/s,
  takesItFor: "no fault of the program",
};
const DOCKER_MOUNT: Reader = {
  client: "dockerd",
  words: /not a directory/,
  takesItFor: "a file and a directory mounted on each other",
};

/** Of each container; `texts` stands for it in messages. */
const ID = `t${Deno.pid}-texts`;

/**
 * A test of one failure. `message` is the whole of ours; a peer in `except` says it in words that the
 * client does not know, or succeeds.
 */
function understood(
  what: string,
  fail: (runtime: TestRuntime) => Promise<Output>,
  readers: readonly Reader[],
  { message, except = [] }: { message: string; except?: readonly string[] },
): void {
  const names = readers.map(({ client, takesItFor }) => `${client} takes it for ${takesItFor}`);
  Deno.test({
    name: `${what}: ${names.join("; ")}`,
    ignore: except.includes(PEER),
    fn: () =>
      withRuntime(async (runtime) => {
        const { code, stdout, stderr } = await fail(runtime);
        assertEquals([code === 0, stdout], [false, ""], stderr);
        for (const reader of readers) {
          const otherwise = PEER === "crun" && reader.client === "dockerd";
          assertMatch(otherwise ? lower(stderr) : stderr, reader.words);
        }
        if (PEER === "runts") assertEquals(stderr.replaceAll(ID, "texts"), `runts: ${message}\n`);
      }),
  });
}

/** crun 1.8 writes the system's words with a capital letter, which Docker does not find. */
function lower(text: string): string {
  return text.replace(/: (Permission|Not a|No such file or)/g, (words) => words.toLowerCase());
}

/** A container that has stopped, or runs; it is deleted afterwards. */
async function withContainer(
  runtime: TestRuntime,
  args: readonly string[],
  body: (id: string) => Promise<Output>,
): Promise<Output> {
  using bundle = new Bundle((config) => config.process.args = args);
  const id = ID;
  await runtime.ok(["run", "--detach", "--bundle", bundle.path, id]);
  try {
    return await body(id);
  } finally {
    await runtime.ok(["delete", "--force", id]);
  }
}

function withStopped(
  runtime: TestRuntime,
  body: (id: string) => Promise<Output>,
): Promise<Output> {
  return withContainer(runtime, ["true"], async (id) => {
    await runtime.untilStopped(id);
    return await body(id);
  });
}

async function create(runtime: TestRuntime, edit: (config: Config) => void): Promise<Output> {
  using bundle = new Bundle(edit);
  return await runtime.run(["create", "--bundle", bundle.path, ID]);
}

for (const signal of ["15", "9"]) {
  understood(
    `kill ${signal} of a container that has stopped`,
    (runtime) => withStopped(runtime, (id) => runtime.run(["kill", id, signal])),
    [SHIM_KILL, PODMAN_STOP],
    { message: 'kill "texts": container not running' },
  );
}

understood(
  "kill of an unknown container",
  (runtime) => runtime.run(["kill", ID, "9"]),
  [SHIM_UNKNOWN, DOCKER_UNKNOWN],
  { message: 'kill "texts": container does not exist', except: ["crun"] },
);

understood(
  "delete of an unknown container",
  (runtime) => runtime.run(["delete", ID]),
  [SHIM_UNKNOWN],
  { message: 'delete "texts": container does not exist', except: ["crun"] },
);

understood(
  "state of an unknown container",
  (runtime) => runtime.run(["state", ID]),
  [PODMAN_STATE],
  { message: 'state "texts": container does not exist' },
);

const PROGRAMS: readonly [string, readonly Reader[], string][] = [
  ["/etc", [PODMAN_126, DOCKER_126], 'exec: "/etc": permission denied: it is a directory'],
  [
    "nosuch",
    [PODMAN_127, DOCKER_127],
    'exec: "nosuch": executable file not found in $PATH: PATH is "/bin"',
  ],
  [
    "/no/such",
    [PODMAN_127, DOCKER_127],
    'exec: "/no/such": stat /no/such: no such file or directory: "/no" is missing',
  ],
  [
    "/etc/passwd",
    [PODMAN_126, DOCKER_126],
    'exec: "/etc/passwd": permission denied: "/etc/passwd" is not executable for this user',
  ],
];

for (const [program, readers, message] of PROGRAMS) {
  // crun 1.8 writes `executable file `nosuch` not found`, which Docker does not know.
  // That it cannot open a directory it calls `Operation not permitted`.
  const except = ["nosuch", "/etc"].includes(program) ? ["crun"] : [];
  understood(
    `create with the program "${program}"`,
    (runtime) => create(runtime, (config) => config.process.args = [program]),
    readers,
    { message: `create "texts": process.args[0]: ${message}`, except },
  );
  understood(
    `exec of the program "${program}"`,
    (runtime) =>
      withContainer(runtime, ["sleep", "1000"], (id) => runtime.run(["exec", id, program])),
    readers,
    { message: `exec "texts": process.args[0]: ${message}`, except },
  );
}

understood(
  "create with a file that is to be mounted on a directory",
  (runtime) =>
    create(runtime, (config) => {
      config.mounts.push({ destination: "/etc", source: "/etc/passwd", options: ["bind"] });
    }),
  [DOCKER_MOUNT],
  {
    message:
      'create "texts": mounts[6]: bind "/etc/passwd" on "/etc": the source being a regular ' +
      "file, the mount point a directory: ENOTDIR (not a directory)",
  },
);

understood(
  "create with a directory that is to be mounted on a file",
  (runtime) =>
    create(runtime, (config) => {
      config.mounts.push({ destination: "/etc/passwd", source: "/etc", options: ["bind"] });
    }),
  [DOCKER_MOUNT, DOCKER_OTHER],
  {
    message: 'create "texts": mounts[6]: bind "/etc" on "/etc/passwd": the source being a ' +
      "directory, the mount point a regular file: ENOTDIR (not a directory)",
  },
);

// runc says it in a line that Docker does not get to see.
understood(
  "create with an oom score that the host refuses",
  (runtime) => create(runtime, (config) => config.process.oomScoreAdj = -1000),
  [PODMAN_126, DOCKER_OTHER],
  {
    message: 'create "texts": process.oomScoreAdj: write "-1000" to "/proc/self/oom_score_adj": ' +
      "EACCES: operation not permitted without CAP_SYS_RESOURCE on the host",
    except: ["crun"],
  },
);

Deno.test("the shim deletes and kills everything once more: that has to succeed", async () => {
  await withRuntime(async (runtime) => {
    const output = await withStopped(runtime, (id) => runtime.run(["kill", "--all", id, "9"]));
    assertEquals(output, { code: 0, stdout: "", stderr: "" });
    const again = await runtime.run(["delete", "--force", ID]);
    assertEquals(again, { code: 0, stdout: "", stderr: "" });
  });
});

Deno.test("buildah takes a container that runs or has ended by these words alone", async () => {
  await withRuntime(async (runtime) => {
    const seen: string[] = [];
    const look = async (id: string) => {
      const output = await runtime.run(["state", id]);
      seen.push(JSON.parse(output.stdout).status);
      return output;
    };
    await withContainer(runtime, ["sleep", "1000"], look);
    await withStopped(runtime, look);
    assertEquals(seen, ["running", "stopped"]);
  });
});
