/** How often clients start Deno for one container: only to create it. */

import { assertEquals } from "@std/assert";
import { prepareBuildah, PROFILE } from "../support/clients/buildah.ts";
import { prepareContainerd } from "../support/clients/containerd.ts";
import { prepareDocker } from "../support/clients/docker.ts";
import { makeImage } from "../support/clients/image.ts";
import { preparePodman } from "../support/clients/podman.ts";
import { clientCgroups, restoreHost, Sandbox } from "../support/clients/sandbox.ts";
import { RUNTIME } from "../support/runtime.ts";

/** Notes every call; ld.so, which comes with Deno alone, notes that it was loaded. */
const WRAPPER = `#!/bin/sh
mkdir -p /run/calls
echo "$*" >/run/calls/$$
LD_DEBUG=statistics LD_DEBUG_OUTPUT=/run/calls/cold exec ${RUNTIME} "$@"
`;

/** The verbs of all calls, those by Deno in capitals, in the order of their process ids. */
const REPORT = `for file in $(ls /run/calls | grep -v cold | sort -n); do
  verb=$(tr ' ' '\\n' </run/calls/$file | grep -xE 'create|start|state|kill|delete|run|exec')
  [ -e /run/calls/cold.$file ] && verb=$(echo "$verb" | tr a-z A-Z)
  echo "$verb"
done; rm -rf /run/calls`;

interface Client {
  readonly name: string;
  prepare(sandbox: Sandbox): Promise<void>;
  readonly script: string;
  readonly calls: readonly string[];
}

const CLIENTS: readonly Client[] = [
  {
    name: "podman run --rm",
    prepare: preparePodman,
    script: "podman run --rm bb true",
    calls: ["CREATE", "start", "delete"],
  },
  {
    name: "podman kill",
    prepare: preparePodman,
    script: "c=$(podman run -d bb sleep 100); podman kill $c; podman wait $c; podman rm -f $c",
    calls: ["CREATE", "start", "kill", "delete"],
  },
  {
    name: "ctr run --rm",
    prepare: prepareContainerd,
    script: "ctr -n runts-clients-$RUNTIME run --rm --runc-binary /usr/local/sbin/runts " +
      "localhost/bb:latest one true",
    calls: ["CREATE", "start", "delete", "delete"],
  },
  {
    name: "docker run --rm",
    prepare: prepareDocker,
    script: "docker run --rm --network none bb true",
    calls: ["CREATE", "start", "delete", "delete"],
  },
  {
    name: "buildah run",
    prepare: prepareBuildah,
    script: `. ${PROFILE}; c=$(buildah from localhost/bb); buildah run $c true; buildah rm $c`,
    calls: ["CREATE", "start", "state", "delete"],
  },
];

for (const { name, prepare, script, calls } of CLIENTS) {
  Deno.test(`${name} starts Deno once`, async () => {
    const before = clientCgroups();
    const folder = Deno.makeTempDirSync({ prefix: "runts-calls-" });
    const wrapper = `${folder}/runts`;
    Deno.writeTextFileSync(wrapper, WRAPPER, { mode: 0o755 });
    const sandbox = await Sandbox.open("runts", wrapper);
    try {
      await makeImage(sandbox);
      await prepare(sandbox);
      await sandbox.ok(`rm -rf /run/calls; { ${script}; } >/dev/null`);
      const seen = (await sandbox.ok(REPORT)).trim().split("\n");
      // How often a client looks at the state depends on the time.
      assertEquals(seen.filter((verb, i) => verb !== "state" || seen[i - 1] !== "state"), calls);
    } finally {
      await sandbox.close();
      await restoreHost(before);
      Deno.removeSync(folder, { recursive: true });
    }
  });
}
