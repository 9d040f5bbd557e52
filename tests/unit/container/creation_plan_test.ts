/** What is known of a creation before it is planned. */

import { assertEquals } from "@std/assert";
import { earlyNamespaces } from "../../../lib/container/creation_plan.ts";
import { NAMESPACE_FLAGS } from "../../../lib/base/linux.ts";
import type { Namespace, NamespaceType, Spec } from "../../../lib/spec/types/config.ts";

const { uts, ipc, network } = NAMESPACE_FLAGS;

function early(namespaces: readonly (NamespaceType | Namespace)[]): number {
  const all = namespaces.map((one) => typeof one === "string" ? { type: one } : one);
  const spec: Spec = { ociVersion: "1.0.0", root: { path: "rootfs" }, linux: { namespaces: all } };
  return earlyNamespaces(spec);
}

Deno.test("init makes what costs the most, and nothing that the plan opens paths by", () => {
  assertEquals(early(["uts", "ipc", "network", "mount", "pid", "cgroup"]), uts | ipc | network);
  assertEquals(early(["mount", "pid", "time"]), 0);
  assertEquals(earlyNamespaces({ ociVersion: "1.0.0", root: { path: "rootfs" } }), 0);
});

Deno.test("init makes nothing before its plan that is joined, or that a user namespace is to own", () => {
  assertEquals(early(["uts", { type: "network", path: "/proc/1/ns/net" }]), uts);
  assertEquals(early(["uts", "network", "user"]), 0);
  assertEquals(early(["uts", "network", { type: "user", path: "/proc/1/ns/user" }]), 0);
});
