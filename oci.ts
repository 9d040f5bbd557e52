/**
 * The types of the OCI runtime specification 1.3, as far as it concerns Linux: of config.json, of state and
 * features documents; and the names that it gives to kinds of things.
 *
 * ```ts
 * import type { Mount } from "@runts/runts/oci";
 *
 * const data: Mount = { destination: "/data", source: "/srv/data", options: ["rbind", "ro"] };
 * ```
 *
 * @module
 */

export type * from "./lib/spec/types/config.ts";
export * from "./lib/spec/values/names.ts";
