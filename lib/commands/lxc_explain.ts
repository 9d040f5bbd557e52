import {
  explanationJson,
  explanationText,
  PLAIN,
  sectionText,
  TERMINAL,
} from "../cli/explain_view.ts";
import { defineCommand } from "../cli/types.ts";
import { openContainer, refuse } from "../lxc/container.ts";
import { planOpened } from "../lxc/planned.ts";
import { explainSystem } from "../lxc/explain.ts";
import { choiceOf, DEFINE, LXC_NAME, LXC_NAMED, versionWanted } from "./lxc_shared.ts";

export const command = defineCommand({
  name: "lxc explain",
  group: "system",
  summary: "show what a start would do, without doing it",
  description: [
    "Prints every operation in its order with the line of the configuration that asks for it.",
  ],
  arguments: { name: LXC_NAME },
  options: {
    ...LXC_NAMED,
    define: DEFINE,
    json: { description: "print it for programs" },
    spec: { description: "print the part that config.json can say, as JSON, instead" },
    plan: { description: "print all that a start takes, as JSON, instead" },
  },
  examples: [{ text: "a container", command: "runts lxc explain -n web" }],
  async run(context) {
    const { runtime, args, options, print } = context;
    if (versionWanted(context)) return;
    const { plan, findings } = await planOpened(
      runtime,
      await openContainer(runtime, choiceOf(context, args.name)),
    );
    refuse(findings);
    if (options.spec) return print(explanationJson(plan.spec));
    if (options.plan) return print(explanationJson(plan));
    const explained = await explainSystem(runtime, plan);
    if (options.json) return print(explanationJson(explained));
    const colours = Deno.stdout.isTerminal() && runtime.caller.variable("NO_COLOR") === undefined;
    const style = colours ? TERMINAL : PLAIN;
    print(explanationText(explained, style));
    print(`\n${sectionText("At its end", explained.after, style)}`);
  },
});
