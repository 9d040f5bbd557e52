/** `-info` of a shim (containerd 1.7 and later). */

import { features } from "../container/features.ts";
import { VERSION } from "../base/version.ts";
import { decodeMessage, encodeMessage, type Message } from "../wire/protobuf.ts";
import { ANY } from "./messages.ts";

const INFO = {
  name: [1, "string"],
  version: [2, { version: [1, "string"], revision: [2, "string"] }],
  options: [3, ANY],
  features: [4, ANY],
  annotations: [5, "map"],
} as const satisfies Message;

const FEATURES = "types.containerd.io/opencontainers/runtime-spec/1/features/Features";

/** What is printed. `input`: the options of the runtime, or nothing. */
export async function shimInfo(input: Uint8Array): Promise<Uint8Array> {
  const value = new TextEncoder().encode(JSON.stringify(await features()));
  return encodeMessage(INFO, {
    name: "io.containerd.runts.v2",
    version: { version: VERSION },
    ...(input.length > 0 && { options: decodeMessage(ANY, input) }),
    features: { type_url: FEATURES, value },
  });
}
