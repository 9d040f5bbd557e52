/** The command line of a shim. */

import { assertEquals, assertThrows } from "@std/assert";
import { shimArguments } from "../../../lib/shim/arguments.ts";

Deno.test("flags are taken in each of Go's forms, before the verb", () => {
  const wanted = {
    verb: "start",
    id: "c1",
    namespace: "k8s.io",
    address: "/run/containerd/containerd.sock",
    bundle: "",
    version: false,
    info: false,
  };
  const words = [
    ...["-namespace", "k8s.io", "--address=/run/containerd/containerd.sock"],
    ...["-publish-binary", "/usr/bin/containerd", "-id=c1", "-debug", "start", "-id", "other"],
  ];
  assertEquals(shimArguments(words), wanted);
});

Deno.test("delete has a bundle", () => {
  const { verb, bundle, id } = shimArguments(["-id", "c", "-bundle", "/b", "delete"]);
  assertEquals([verb, bundle, id], ["delete", "/b", "c"]);
});

Deno.test("-v and -info need no verb", () => {
  assertEquals(shimArguments(["-v"]).version, true);
  assertEquals(shimArguments(["--info"]).info, true);
});

Deno.test("what is not known is refused", () => {
  const refused = (words: string[], message: string) =>
    assertThrows(() => shimArguments(words), Error, message);
  refused(["-id", "c"], 'the verb "" is not known');
  refused(["-id", "c", "stop"], 'the verb "stop" is not known');
  refused(["-color", "start"], 'the option "-color" is not known');
  refused(["-id"], 'the option "-id" has no value');
});
