/**
 * Declarations of the commands that tell about runts itself. They stand apart from what they do,
 * because that needs the table of all commands, these among them.
 */

import type { Arguments, Declaration, Options } from "../cli/types.ts";

export const HELP = {
  name: "help",
  group: "help",
  summary: "print help on runts or on one command",
  arguments: {
    command: {
      value: "COMMAND",
      description: "the command",
      optional: true,
      rest: "words", // whatever follows a word that is no command does not matter
      complete: "command",
    },
  },
  options: {},
  examples: [{ text: "all about exec", command: "runts help exec" }],
} as const satisfies Declaration;

export const VERSION = {
  name: "version",
  group: "help",
  summary: "print the versions of runts, the specification and the libraries",
  arguments: {},
  options: {},
} as const satisfies Declaration;

export const COMPLETION = {
  name: "completion",
  group: "help",
  summary: "print a script for the completion of commands in a shell",
  arguments: {
    shell: { value: "SHELL", description: "the shell", choices: ["bash", "zsh", "fish"] },
  },
  options: {},
  examples: [
    { text: "in bash, for this session", command: "source <(runts completion bash)" },
    {
      text: "in zsh, for good",
      command: "runts completion zsh > /usr/local/share/zsh/site-functions/_runts",
    },
    {
      text: "in fish, for good",
      command: "runts completion fish > ~/.config/fish/completions/runts.fish",
    },
  ],
} as const satisfies Declaration;

export const MAN = {
  name: "man",
  group: "help",
  summary: "print the manual page, for man or groff",
  arguments: {},
  options: {},
  examples: [
    { text: "read it", command: "runts man | man -l -" },
    { text: "install it", command: "runts man > /usr/local/share/man/man1/runts.1" },
  ],
} as const satisfies Declaration;

export const ABOUT: readonly Declaration<Arguments, Options>[] = [HELP, VERSION, COMPLETION, MAN];
