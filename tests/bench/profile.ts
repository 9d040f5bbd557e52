import { PROJECT } from "../support/runtime.ts";

export function podmanProfile(): unknown {
  const path = `${PROJECT}/tests/support/configs/podman.json`;
  return JSON.parse(Deno.readTextFileSync(path)).linux.seccomp;
}
