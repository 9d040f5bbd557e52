/** How many checks clients have: docs/clients.md has a table of them, and README.md the sum. */

import { join } from "@std/path";
import { BUILDAH_CHECKS } from "../../tests/support/clients/buildah_checks.ts";
import { CONTAINERD_CHECKS, shimChecks } from "../../tests/support/clients/containerd_checks.ts";
import { CRI_CHECKS } from "../../tests/support/clients/cri_checks.ts";
import { DOCKER_CHECKS } from "../../tests/support/clients/docker_checks.ts";
import { BASIC_CHECKS } from "../../tests/support/clients/podman_checks.ts";
import { PODMAN_CHECKS } from "../../tests/support/clients/podman_root_checks.ts";
import { ROOTLESS_CHECKS } from "../../tests/support/clients/rootless.ts";
import { SHIM_CHECKS } from "../../tests/support/clients/shim_checks.ts";
import { ROOT } from "../support/paths.ts";

/** By the rows of the table. */
const COUNTS: Readonly<Record<string, number>> = {
  "podman": PODMAN_CHECKS.length,
  "podman without root": BASIC_CHECKS.length + ROOTLESS_CHECKS.length,
  "containerd (`ctr`)": CONTAINERD_CHECKS.length,
  "containerd (CRI)": CRI_CHECKS.length,
  "the shim (`ctr`)": shimChecks(SHIM_CHECKS).length,
  "Docker": DOCKER_CHECKS.length,
  "buildah": BUILDAH_CHECKS.length,
};

/** Complains of numbers that are not those of the checks. */
export function checkClients(): string[] {
  const read = (path: string) => Deno.readTextFileSync(join(ROOT, path));
  const table = read("docs/clients.md");
  const wrong = Object.entries(COUNTS)
    .filter(([client, count]) =>
      !table.split("\n").some((line) => {
        const [, name, number] = line.split("|").map((cell) => cell.trim());
        return name === client && number === String(count);
      })
    )
    .map(([client, count]) => `docs/clients.md: ${client} has ${count} checks`);
  const sum = Object.values(COUNTS).reduce((all, count) => all + count, 0);
  const said = / (\d+) checks of /.exec(read("README.md"))?.[1];
  return [...wrong, ...said === String(sum) ? [] : [`README.md: clients have ${sum} checks`]];
}
