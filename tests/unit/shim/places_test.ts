/** Names that others compute, too. */

import { assertEquals } from "@std/assert";
import { groupDigest, groupSocket } from "../../../lib/shim/places.ts";

Deno.test("the socket is where containerd's own shim has it, and ctr looks", async () => {
  const address = "/run/containerd/containerd.sock";
  const digest = await groupDigest({ address, namespace: "default", group: "web" });
  // printf /run/containerd/containerd.sock/default/web | sha256sum
  const sum = await crypto.subtle.digest(
    "SHA-256",
    new TextEncoder().encode("/run/containerd/containerd.sock/default/web"),
  );
  assertEquals(digest, new Uint8Array(sum).toHex());
  assertEquals(groupSocket(digest), `/run/containerd/s/${digest}`);
  assertEquals(groupSocket(digest, "/run/other"), `/run/other/${digest}`);
  assertEquals(
    await groupDigest({ address: `${address}/`, namespace: ".", group: "default//web" }),
    digest,
  );
});
