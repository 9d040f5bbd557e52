import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { addDevice, removeDevice } from "../lxc/life/device.ts";
import { systemIdOf } from "../lxc/life/record.ts";
import { LXC_NAMED, namedWords, versionWanted } from "./lxc_shared.ts";

const ACTIONS: Readonly<Record<string, typeof addDevice>> = { add: addDevice, del: removeDevice };

export const command = defineCommand({
  name: "lxc device",
  group: "system",
  summary: "bring a device of the host into a container that runs, or take it away",
  description: [
    "DEVICE is the path of a node, which is made in the container, and may be used there; or the name of " +
    "a network device, which moves. OTHER is what it is called at the other end.",
  ],
  arguments: {
    words: {
      value: "[NAME] add|del DEVICE [OTHER]",
      description: "the container, unless --name gives it; what is done, and with which device",
      optional: true,
      rest: "command",
      complete: "none",
    },
  },
  options: LXC_NAMED,
  examples: [
    { text: "a serial line", command: "runts lxc device -n web -- add /dev/ttyUSB0" },
    { text: "a network device", command: "runts lxc device -n web -- add eth1 eth0" },
  ],
  async run(context) {
    const { runtime } = context;
    if (versionWanted(context)) return;
    const { choice, rest: [action, device, other, ...more] } = namedWords(context);
    if (action === undefined) throw new RuntsError("missing argument add or del");
    const act = Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
    if (act === undefined) {
      const near = nearest(action, Object.keys(ACTIONS));
      throw new RuntsError(`${quote(action)} is neither add nor del`, {
        ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
      });
    }
    if (device === undefined) throw new RuntsError("missing argument DEVICE");
    if (more.length > 0) throw new RuntsError(`unexpected argument ${quote(more[0])}`);
    await act(runtime, { id: systemIdOf(runtime, choice), device, other });
  },
});
