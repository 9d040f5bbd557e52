import { assertEquals } from "@std/assert";
import { parseSpec } from "../../../lib/spec/load.ts";
import { faults } from "../../support/spec.ts";

const FOLDER = new URL("../../support/configs/", import.meta.url);

Deno.test("parseSpec accepts what podman, containerd and buildah send", () => {
  const names = [...Deno.readDirSync(FOLDER)].map((entry) => entry.name).sort();
  assertEquals(names.length, 6);
  for (const name of names) {
    const text = Deno.readTextFileSync(new URL(name, FOLDER));
    assertEquals(parseSpec(text, name).ociVersion, "1.0.2-dev", name);
  }
});

Deno.test("parseSpec keeps podman's unlimited rlimits exact", () => {
  const text = Deno.readTextFileSync(new URL("podman_unlimited.json", FOLDER));
  const limit = parseSpec(text, "c").process?.rlimits?.find((one) => one.type === "RLIMIT_NOFILE");
  assertEquals(limit, {
    type: "RLIMIT_NOFILE",
    soft: 18446744073709551615n,
    hard: 18446744073709551615n,
  });
});

Deno.test("validate accepts the habits of Docker and of crun", () => {
  const hook = { path: "/proc/1/exe", args: ["libnetwork-setkey", "-exec-root=/run/docker"] };
  assertEquals(
    faults({
      hooks: { prestart: [hook] },
      "process.user.additionalGids": [0],
      "process.consoleSize": { height: 0, width: 0 },
      "linux.sysctl": {
        "net.ipv4.ping_group_range": "0 2147483647",
        "net.ipv4.ip_unprivileged_port_start": "0",
      },
      "linux.resources": {},
      // crun's rootless template: the maps are left to the runtime.
      "linux.namespaces": ["pid", "uts", "mount", "user", "network"].map((type) => ({ type })),
      "linux.uidMappings": null,
      "linux.gidMappings": [],
    }),
    [],
  );
});
