/** The two forms of a check of the CRI. */

import { Cri } from "./cri.ts";
import { Pod, type PodConfig } from "./cri_pod.ts";
import type { ApiCheck } from "./suite.ts";

/** A check with a connection of its own. */
export function check(name: string, test: (cri: Cri) => Promise<void>): ApiCheck {
  return {
    name,
    async test(sandbox) {
      using cri = new Cri(sandbox);
      await test(cri);
    },
  };
}

/** A check with a pod of its own. */
export function podCheck(
  name: string,
  test: (pod: Pod) => Promise<void>,
  config: PodConfig = {},
): ApiCheck {
  return check(name, async (cri) => {
    await using pod = await Pod.run(cri, name.replace(/[^a-z]+/g, "-").slice(0, 60), config);
    await test(pod);
  });
}
