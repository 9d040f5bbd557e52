/** The manual page, from the command table: text for the `man` macros of groff (man(7)). */

import { VERSION } from "../base/version.ts";
import { GLOBAL_OPTIONS } from "./globals.ts";
import { argumentUsage, GROUPS, optionText, optionUsage, usageLine, visible } from "./help.ts";
import type { Declaration, Options } from "./types.ts";

/** A page of section 1 with every command. */
export function manPage(commands: readonly Declaration[]): string {
  const lines = [
    `.TH RUNTS 1 "" ${quoted(`runts ${VERSION}`)} "User Commands"`,
    ".SH NAME",
    "runts \\- create and run containers as the OCI runtime specification says",
    ".SH SYNOPSIS",
    ".B runts",
    "[\\fIGLOBAL OPTIONS\\fR] \\fICOMMAND\\fR [\\fIOPTIONS\\fR] [\\fIARGUMENTS\\fR]",
    ".SH DESCRIPTION",
    "A container is made from a bundle: a directory with a file",
    ".I config.json",
    "and the root filesystem that it names.",
    "Global options may stand before and after the command.",
    ".SH GLOBAL OPTIONS",
    ...optionLines(GLOBAL_OPTIONS),
  ];
  for (const [group, title] of GROUPS) {
    lines.push(`.SH ${escaped(title.toUpperCase())}`);
    for (const one of commands.filter((one) => one.group === group)) lines.push(...section(one));
  }
  return [...lines, ...CLOSING].join("\n") + "\n";
}

const CLOSING = [
  ".SH EXIT STATUS",
  "0 on success and 1 on failure, with one line on the standard error that says why.",
  ".B run",
  "and",
  ".B exec",
  "pass on the exit code of the program, or 128 and the number of the signal that ended it.",
  ".SH FILES",
  ".TP",
  ".I /run/runts",
  "State of the containers of root.",
  ".TP",
  ".I $XDG_RUNTIME_DIR/runts",
  "State of the containers of other users.",
  ".SH ENVIRONMENT",
  ".TP",
  ".B XDG_RUNTIME_DIR",
  "See above; empty is as good as unset.",
  ".TP",
  ".B NOTIFY_SOCKET",
  "Where the program's readiness is reported to (\\fBsd_notify\\fR(3)).",
  ".TP",
  '.BR LISTEN_FDS ", " LISTEN_PID ", " LISTEN_FDNAMES',
  "Sockets that are passed to the program (\\fBsd_listen_fds\\fR(3)).",
  ".SH SEE ALSO",
  ".BR runc (8),",
  ".BR crun (1),",
  ".BR podman (1)",
];

function section(command: Declaration): string[] {
  const { name, summary, description = [], examples = [] } = command;
  const rows = Object.values(command.arguments).flatMap((argument) => [
    ".TP",
    `\\fI${escaped(argumentUsage(argument))}\\fR`,
    escaped(sentence(argument.description)),
  ]);
  return [
    `.SS ${name}`,
    `\\fB${escaped(usageLine(command))}\\fR`,
    ".PP",
    escaped(sentence(summary)),
    ...description.flatMap((text) => [".PP", escaped(text)]),
    ...rows,
    ...optionLines(command.options),
    ...examples.flatMap(({ text, command }) => [
      ".PP",
      `Example, ${escaped(text)}:`,
      ".PP",
      ".RS 4",
      ".EX",
      escaped(command),
      ".EE",
      ".RE",
    ]),
  ];
}

function optionLines(options: Options): string[] {
  return visible(options).flatMap(([key, option]) => [
    ".TP",
    `\\fB${escaped(optionUsage(key, option, false))}\\fR`,
    escaped(sentence(optionText(option))),
  ]);
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Backslashes and dashes as they are; no line may look like a request. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\e").replaceAll("-", "\\-").replace(/^(?=[.'])/, "\\&");
}

function quoted(text: string): string {
  return `"${escaped(text).replaceAll('"', '""')}"`;
}
