/** config-linux.md, "Control groups": what `linux.resources` must be. */

import type { Walk } from "./findings.ts";
import { isObject } from "../json/exact.ts";
import { isPidsZeroUnlimited } from "../pids_limit.ts";
import {
  boolean,
  int64,
  isText,
  limit64,
  type ListSchema,
  matching,
  numberList,
  type ObjectSchema,
  someText,
  text,
  uint16,
  uint32,
  uint64,
  whole,
} from "./schema.ts";
import type { CpuResources, MemoryResources, WeightDevice } from "../types/config.ts";

/** -1 stands for all of them; the kernel's have 12 and 20 bits. */
const DEVICE_NUMBER = whole(-1, 0xfffff);
const BLOCK_NUMBER = whole(0, 0xffffffff);

const THROTTLE: ListSchema = {
  items: {
    required: ["major", "minor", "rate"],
    fields: { major: BLOCK_NUMBER, minor: BLOCK_NUMBER, rate: uint64 },
  },
};

const MEMORY: ObjectSchema = {
  fields: {
    limit: limit64,
    reservation: limit64,
    swap: limit64,
    kernel: limit64,
    kernelTCP: limit64,
    swappiness: whole(0, 100),
    disableOOMKiller: boolean,
    useHierarchy: boolean,
    checkBeforeUpdate: boolean,
  },
  rules: [{
    of: ["limit", "swap"],
    // Zero leaves a limit as it is, so there is nothing to compare with.
    check({ limit = 0, swap = 0 }: MemoryResources, walk) {
      if (limit > 0 && swap > 0 && swap < limit) {
        walk.report(
          "combination",
          swap,
          `is below the memory limit ${limit} that it includes`,
          "swap",
        );
      }
    },
  }],
};

const CPU: ObjectSchema = {
  fields: {
    shares: uint64,
    quota: int64,
    burst: uint64,
    period: uint64,
    realtimeRuntime: int64,
    realtimePeriod: uint64,
    cpus: numberList,
    mems: numberList,
    idle: whole(0, 1),
  },
  rules: [{
    of: ["quota", "burst"],
    check({ quota = 0, burst = 0 }: CpuResources, walk) {
      if (quota > 0 && burst > quota) {
        walk.report("combination", burst, `is above the quota ${quota}`, "burst");
      }
    },
  }],
};

const WEIGHT: ObjectSchema = {
  required: ["major", "minor"],
  fields: { major: BLOCK_NUMBER, minor: BLOCK_NUMBER, weight: uint16, leafWeight: uint16 },
  rules: [{
    of: ["major", "weight", "leafWeight"],
    check(device: WeightDevice, walk) {
      if ((device.weight ?? device.leafWeight) === undefined) {
        walk.report("required", device, "needs weight or leafWeight");
      }
    },
  }],
};

const RDMA: ObjectSchema = { fields: { hcaHandles: uint32, hcaObjects: uint32 } };

/** `linux.resources`, and the document of `update --resources`. */
export const RESOURCES: ObjectSchema = {
  fields: {
    devices: {
      items: {
        fields: {
          allow: boolean,
          type: matching(/^[acb]?$/, "one of a, c, b", "name"),
          major: DEVICE_NUMBER,
          minor: DEVICE_NUMBER,
          access: matching(/^[rwma]*$/, "made of the letters r, w and m, or a for all three"),
        },
      },
    },
    memory: MEMORY,
    cpu: CPU,
    pids: { fields: { limit: pidsLimit } },
    blockIO: {
      fields: {
        weight: uint16,
        leafWeight: uint16,
        weightDevice: { items: WEIGHT },
        throttleReadBpsDevice: THROTTLE,
        throttleWriteBpsDevice: THROTTLE,
        throttleReadIOPSDevice: THROTTLE,
        throttleWriteIOPSDevice: THROTTLE,
      },
    },
    hugepageLimits: {
      items: {
        required: ["pageSize", "limit"],
        fields: {
          pageSize: matching(/^[1-9][0-9]*[KMG]B$/, "a size as 2MB"),
          limit: uint64,
        },
      },
    },
    network: {
      fields: {
        classID: uint32,
        priorities: {
          items: {
            required: ["name", "priority"],
            fields: { name: someText, priority: uint32 },
          },
        },
      },
    },
    rdma: { keys: rdmaDevice, values: RDMA },
    unified: { keys: cgroupFile, values: text },
  },
};

function pidsLimit(value: unknown, walk: Walk): void {
  (isPidsZeroUnlimited(walk.ociVersion) ? int64 : limit64)(value, walk);
}

function rdmaDevice(_key: string, value: unknown, walk: Walk): void {
  if (isObject(value) && (value["hcaHandles"] ?? value["hcaObjects"] ?? undefined) === undefined) {
    walk.report("required", value, "needs hcaHandles or hcaObjects");
  }
}

function cgroupFile(key: string, value: unknown, walk: Walk): void {
  if (!isText(key, walk)) return;
  if (key === "" || key === "." || key === ".." || key.includes("/")) {
    walk.report("name", value, "belongs to no file of a cgroup: the key is not a file name");
  }
}
