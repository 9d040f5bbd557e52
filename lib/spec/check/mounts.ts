/** config.md, "Mounts", and mappings of ids: what they must be. */

import { reason } from "../../base/errors.ts";
import type { Walk } from "./findings.ts";
import { parseIdmap } from "../values/idmap.ts";
import { parseMountOptions } from "../values/mount_options.ts";
import { type ObjectSchema, someText, text, uint32 } from "./schema.ts";
import type { IdMapping, Mount } from "../types/config.ts";

/** One past the largest id. */
const IDS = 2 ** 32;

/** An entry of uidMappings or gidMappings. */
export const ID_MAPPING: ObjectSchema = {
  required: ["containerID", "hostID", "size"],
  fields: { containerID: uint32, hostID: uint32, size: uint32 },
  rules: [{
    of: ["containerID", "hostID", "size"],
    check({ containerID, hostID, size }: IdMapping, walk) {
      if (size === 0) walk.report("range", size, "maps nothing", "size");
      else if (Math.max(containerID, hostID) + size > IDS) {
        walk.report("range", size, "goes beyond the id 4294967295", "size");
      }
    },
  }],
};

interface Mappings {
  readonly uidMappings?: readonly IdMapping[];
  readonly gidMappings?: readonly IdMapping[];
}

/** Both lists or none; no id twice, which the kernel would refuse (user_namespaces(7)). */
export function mappingsFit(value: Mappings, walk: Walk): void {
  const { uidMappings = [], gidMappings = [] } = value;
  if (uidMappings.length > 0 && gidMappings.length === 0) {
    walk.report("combination", undefined, "is required with uidMappings", "gidMappings");
  } else if (gidMappings.length > 0 && uidMappings.length === 0) {
    walk.report("combination", undefined, "is required with gidMappings", "uidMappings");
  }
  noOverlap("uidMappings", uidMappings, walk);
  noOverlap("gidMappings", gidMappings, walk);
}

function noOverlap(key: string, mappings: readonly IdMapping[], walk: Walk): void {
  for (const side of mappings.length > 1 ? ["containerID", "hostID"] as const : []) {
    const order = [...mappings.keys()].sort((a, b) => mappings[a]![side] - mappings[b]![side]);
    for (const [position, index] of order.entries()) {
      const before = mappings[order[position - 1] ?? -1];
      const value = mappings[index]![side];
      if (before && before[side] + before.size > value) {
        walk.report("duplicate", value, "is mapped twice", key, index, side);
      }
    }
  }
}

/** config.md, "Mounts". */
export const MOUNT: ObjectSchema = {
  required: ["destination"],
  fields: {
    destination: someText,
    source: text,
    type: text,
    options: { items: text },
    uidMappings: { items: ID_MAPPING },
    gidMappings: { items: ID_MAPPING },
  },
  rules: [
    { of: ["uidMappings", "gidMappings"], check: mappingsFit },
    { of: ["destination", "source", "type", "options"], check: sourceFits },
    { of: ["options"], check: idmapFits },
  ],
};

function sourceFits({ source, type, options = [] }: Mount, walk: Walk): void {
  if (source && type) return;
  const { bind, remount } = parseMountOptions(options);
  // The specification goes by the options alone, but clients write the type as well, or instead.
  if ((bind !== "none" || type === "bind" || type === "rbind") && !remount && !source) {
    walk.report("required", undefined, "is required for a bind mount", "source");
  } else if (bind === "none" && !remount && !type) {
    walk.report("required", undefined, "is required without the option bind or rbind", "type");
  }
}

function idmapFits(mount: Mount, walk: Walk): void {
  const { options = [] } = mount;
  const index = options.findLastIndex((option) => option.includes("idmap"));
  if (index < 0) return;
  const { idmap, idmapText } = parseMountOptions(options);
  if (idmap === "none") return;
  if (idmapText !== undefined) {
    try {
      parseIdmap(idmapText);
    } catch (error) {
      const option = options[index];
      walk.report("format", option, `is not usable: ${reason(error)}`, "options", index);
    }
  } else if (!mount.uidMappings?.length && walk.namespace("user") === "none") {
    const fault = "needs uidMappings and gidMappings, or a user namespace to take them from";
    walk.report("combination", options[index], fault, "options", index);
  }
}
