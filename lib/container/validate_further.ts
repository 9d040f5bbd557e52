/**
 * What `create` refuses in a configuration beyond the types and ranges of the specification, as far
 * as it does not depend on the host.
 */

import { containerPaths } from "../cgroup/location.ts";
import { deviceRules } from "../cgroup/devices/rules.ts";
import { settingsV1 } from "../cgroup/v1/resources.ts";
import { settingsV2 } from "../cgroup/v2/resources.ts";
import { delegatedOf } from "../cgroup/subgroup.ts";
import { annotationProperties } from "../cgroup/systemd/properties.ts";
import { isRuntsError, type RuntsError } from "../base/errors.ts";
import { planContainer } from "../plan/container.ts";
import { decodeAnnotation } from "../seccomp/raw.ts";
import type { Finding } from "../spec/check/findings.ts";
import type { Resources, Spec } from "../spec/types/config.ts";
import { annotatedSignal } from "../spec/values/stop_signal.ts";

const BPF = "run.oci.seccomp_bpf_data";
/** Of a configuration; in a resources document they begin at its top. */
const RESOURCES = "linux.resources.";

/** All faults of a document that has none against the specification. */
export function furtherFindings(spec: Spec): Finding[] {
  const { annotations = {}, linux = {} } = spec;
  const filter = annotations[BPF];
  return faultsOf([
    () => annotatedSignal(annotations),
    () => delegatedOf(annotations),
    () => annotationProperties(annotations),
    () => filter && decodeAnnotation(BPF, filter),
    () =>
      linux.cgroupsPath && containerPaths({ mode: "v2", hierarchies: [] }, "", linux.cgroupsPath),
    () => plan(spec),
  ]).concat(furtherOfResources(linux.resources ?? {}, RESOURCES));
}

/** The same for resources; `prefix`: of their paths. */
export function furtherOfResources(resources: Resources, prefix = ""): Finding[] {
  const v1 = faultsOf([() => settingsV1(resources, prefix)]);
  const v2 = faultsOf([() => settingsV2(resources, prefix, () => undefined)]);
  // What one of them cannot express may be meant for the other.
  const both = v1.length > 0 ? v2 : [];
  return [...faultsOf([() => deviceRules(resources.devices, prefix)]), ...both];
}

/** On a host that has everything. */
function plan(spec: Spec): void {
  const hierarchy = {
    mountPoint: "/sys/fs/cgroup",
    controllers: [],
    directory: "/sys/fs/cgroup/x",
  };
  planContainer({
    id: "x",
    spec,
    bundle: "/",
    host: { euid: 0, inUserNamespace: false, cgroups: () => [hierarchy] },
    cgroup: { files: [], moved: false },
    noPivot: false,
    noNewKeyring: false,
    console: spec.process?.terminal === true,
    preserveFds: 0,
  });
}

/** What each of the checks throws, as a finding. */
function faultsOf(checks: readonly (() => unknown)[]): Finding[] {
  return checks.flatMap((check) => {
    try {
      check();
      return [];
    } catch (error) {
      if (!isRuntsError(error)) throw error;
      return [findingOf(error)];
    }
  });
}

function findingOf(error: RuntsError): Finding {
  const { configPath = "" } = error.data;
  const message = configPath === "" ? error.message : error.message.slice(configPath.length + 2);
  return { path: configPath, value: undefined, rule: "format", message };
}
