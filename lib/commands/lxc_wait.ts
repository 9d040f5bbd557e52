import { nearest } from "../base/nearest.ts";
import { quote, RuntsError } from "../base/errors.ts";
import { defineCommand } from "../cli/types.ts";
import { checkName, lxcPath } from "../lxc/place.ts";
import { STATES, type ToldState } from "../lxc/life/events.ts";
import { waitForState } from "../lxc/life/wait.ts";
import { choiceOf, LXC_NAME, LXC_NAMED, secondsOf, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc wait",
  group: "system",
  summary: "wait until a container has come to a state",
  description: ["The exit code is 1 when it has not in time."],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    state: {
      short: "s",
      value: "STATES",
      description: `the states, with "|" between them: ${STATES.join(", ")}`,
    },
    timeout: { short: "t", value: "SECONDS", description: "how long (default: for ever)" },
  },
  examples: [{
    text: "until it runs or has stopped",
    command: "runts lxc wait -n web -s 'RUNNING|STOPPED'",
  }],
  async run(context) {
    const { runtime, args, options, signal } = context;
    if (versionWanted(context)) return;
    const choice = choiceOf(context, args.name);
    if (options.state === undefined) {
      throw new RuntsError("no state is named", { hint: "use -s STATE" });
    }
    const seconds = secondsOf(options.timeout);
    const reached = await waitForState(runtime, {
      lxcpath: lxcPath(runtime, choice.lxcpath),
      name: checkName(choice.name),
      states: options.state.split("|").map(stateOf),
      ...(signal && { signal }),
      ...(seconds !== undefined && seconds >= 0 && { timeout: seconds * 1000 }),
    });
    return reached ? 0 : 1;
  },
});

function stateOf(text: string): ToldState {
  const state = STATES.find((one) => one === text.trim().toUpperCase());
  if (state !== undefined) return state;
  const near = nearest(text.toUpperCase(), STATES);
  throw new RuntsError(`${quote(text)} is not one of ${STATES.join(", ")}`, {
    ...(near !== undefined && { hint: `did you mean ${quote(near)}?` }),
  });
}
