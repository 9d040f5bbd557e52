import { assert, assertEquals } from "@std/assert";
import { abilities } from "../../../lib/container/abilities.ts";
import { features } from "../../../lib/container/features.ts";
import { isDirectory } from "../../../lib/base/files.ts";

/** The texts of the files below a directory of lib. */
function* sources(directory: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, directory));
    else if (name !== "features.ts") yield Deno.readTextFileSync(new URL(name, directory));
  }
}

Deno.test("features names the annotations that the code looks at, and no other", async () => {
  const used = new Set<string>();
  for (const text of sources(new URL("../../../lib/", import.meta.url))) {
    for (
      const [, name] of text.matchAll(/"((?:run\.oci|org\.systemd\.property|org\.criu)\.[\w.-]*)"/g)
    ) {
      used.add(name!);
    }
  }
  assertEquals((await features()).potentiallyUnsafeConfigAnnotations, [...used].sort());
});

Deno.test("what --version says that runts can do here is in features, too", async () => {
  const { linux, annotations } = await features();
  const implemented: Record<string, unknown> = {
    SYSTEMD: linux?.cgroup?.systemd,
    SELINUX: linux?.selinux?.enabled,
    APPARMOR: linux?.apparmor?.enabled,
    CAP: linux?.capabilities?.length,
    SECCOMP: linux?.seccomp?.enabled,
    EBPF: linux?.cgroup?.v2,
    CRIU: annotations?.["org.opencontainers.runc.checkpoint.enabled"],
  };
  for (const name of abilities(true)) assert(implemented[name], name);
  const hasSystemd = isDirectory("/run/systemd/system");
  assertEquals(abilities(true).includes("SYSTEMD"), hasSystemd);
  assert(abilities(true).includes("SECCOMP") && !abilities(false).includes("SECCOMP"));
});

Deno.test("features has every part of the document", async () => {
  const { linux, annotations } = await features();
  assertEquals(Object.keys(linux ?? {}).sort(), [
    "apparmor",
    "capabilities",
    "cgroup",
    "intelRdt",
    "memoryPolicy",
    "mountExtensions",
    "namespaces",
    "netDevices",
    "seccomp",
    "selinux",
  ]);
  assert(annotations?.["io.github.seccomp.libseccomp.version"]);
});
