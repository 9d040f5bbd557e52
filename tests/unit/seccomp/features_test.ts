import { assert, assertEquals } from "@std/assert";
import { loadSeccomp } from "../../../ffi/seccomp.ts";
import { knownArchitectures } from "../../../lib/seccomp/architectures.ts";
import { seccompFeatures } from "../../../lib/seccomp/features.ts";

Deno.test("seccompFeatures: the flags are those of the kernel", () => {
  const older = ["SECCOMP_FILTER_FLAG_LOG", "SECCOMP_FILTER_FLAG_SPEC_ALLOW"]
    .concat("SECCOMP_FILTER_FLAG_TSYNC");
  const newer = [...older, "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"];
  const kernels: [string, string[]][] = [
    ["5.12.0", older],
    ["5.18.19-generic", older],
    ["5.19", newer],
    ["5.19-rc1", newer],
    ["6.1.0-13-amd64", newer],
    ["10.0", newer],
  ];
  for (const [kernel, flags] of kernels) {
    assertEquals(seccompFeatures(kernel).supportedFlags, flags, kernel);
  }
});

Deno.test("seccompFeatures: the architectures are those of the library", () => {
  const { enabled, archs = [] } = seccompFeatures();
  assertEquals(enabled, true);
  assert(archs.includes("SCMP_ARCH_X86_64") && archs.includes("SCMP_ARCH_AARCH64"));
  assertEquals(archs, archs.toSorted());
  assertEquals(archs.length, knownArchitectures(loadSeccomp()).length);
});
