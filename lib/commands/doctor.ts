import { jsonDocument } from "../base/json_document.ts";
import { doctorText } from "../cli/doctor_view.ts";
import { styleFor } from "../cli/explain_view.ts";
import { defineCommand } from "../cli/types.ts";
import { doctor } from "../doctor/doctor.ts";
import { AREAS } from "../doctor/findings.ts";

export const command = defineCommand({
  name: "doctor",
  group: "configuration",
  summary: "look at what this host can do, and what to do about the rest",
  description: [
    "Looks at the kernel, cgroups, what users may do, security modules and the tools that are called. Nothing is " +
    "changed. It says what is there (+), what a configuration or an option may ask for and will not get here (-), with " +
    "the remedy, and what is merely good to know.",
    "The exit code is 1 if something is missing that a remedy would give. Run it as the user whose containers are meant.",
  ],
  arguments: {
    area: {
      value: "AREA",
      description: "look at this alone",
      optional: true,
      choices: AREAS,
    },
  },
  options: { json: { description: "print it for programs" } },
  examples: [
    { text: "everything", command: "runts doctor" },
    { text: "whether limits work, for a script", command: "runts doctor cgroups >/dev/null" },
    {
      text: "what is missing",
      command: `runts doctor --json | jq '.findings[] | select(.remedy)'`,
    },
  ],
  async run({ runtime, criu, args, options, print }) {
    const findings = await doctor(runtime, {
      ...(args.area !== undefined && { areas: [args.area] }),
      ...(criu !== undefined && { criu }),
    });
    const works = findings.every(({ condition }) => condition !== "missing");
    if (options.json) print(jsonDocument({ works, findings }));
    else print(doctorText(findings, styleFor(runtime.caller)));
    return works ? 0 : 1;
  },
});
