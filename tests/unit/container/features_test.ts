import { assert, assertEquals } from "@std/assert";
import { features } from "../../../lib/container/features.ts";

/** The texts of the files below a directory of lib. */
function* sources(directory: URL): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(directory)) {
    if (isDirectory) yield* sources(new URL(`${name}/`, directory));
    else if (name !== "features.ts") yield Deno.readTextFileSync(new URL(name, directory));
  }
}

Deno.test("features names the annotations that the code looks at, and no other", () => {
  const used = new Set<string>();
  for (const text of sources(new URL("../../../lib/", import.meta.url))) {
    for (
      const [, name] of text.matchAll(/"((?:run\.oci|org\.systemd\.property)\.[\w.]*)"/g)
    ) {
      used.add(name!);
    }
  }
  assertEquals(features().potentiallyUnsafeConfigAnnotations, [...used].sort());
});

Deno.test("features has every part of the document", () => {
  const { linux, annotations } = features();
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
