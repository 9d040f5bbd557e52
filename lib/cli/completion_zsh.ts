/** The completion script for zsh, by its own _arguments. */

import type {
  ArgumentOffer,
  CommandOffer,
  Offer,
  Offers,
  OptionOffer,
} from "./completion_offers.ts";

/** @internal */
export function zshScript({ commands, globals, families }: Offers): string {
  const words = commands.filter(({ name }) => !name.includes(" "));
  const summaries = words.map(({ name, summary }) =>
    `    ${quoted(`${name}:${summary.replaceAll(":", "\\:")}`)}`
  );
  return `#compdef runts
# Completion of runts in zsh: a file _runts in a directory of $fpath.

_runts_commands() {
  local -a commands=(
${summaries.join("\n")}
  )
  _describe -t commands command commands
}

_runts_containers() {
  local -a ids root
  [[ -n $runts_root ]] && root=(--root $runts_root)
  ids=(\${(f)"$($runts_program $root list --quiet 2>/dev/null)"})
  compadd -a ids
}

_runts() {
  local context state line curcontext=$curcontext
  local runts_program=\${(Q)words[1]} runts_root
  typeset -A opt_args
  _arguments -C \\
${globals.map(optionSpec).map((spec) => `    ${spec} \\`).join("\n")}
    '1: :_runts_commands' \\
    '*:: :->arguments' && return
  [[ $state == arguments ]] || return
  runts_root=\${(Q)opt_args[--root]}
  local verb=$words[1]
  if [[ ' ${families.join(" ")} ' == *" $verb "* && $CURRENT -gt 2 ]]; then
    shift words
    (( CURRENT-- ))
    verb="$verb $words[1]"
  fi
  case $verb in
${commands.map(commandCase).join("\n")}
  esac
}

if [[ $funcstack[1] == _runts ]]; then
  _runts "$@"
else
  compdef _runts runts
fi
`;
}

function commandCase({ name, options, globals, arguments: all }: CommandOffer): string {
  const specs = [
    ...[...options, ...globals].map(optionSpec),
    ...all.map(argumentSpec),
  ];
  const list = specs.map((spec) => ` \\\n        ${spec}`).join("");
  return `    ${name.includes(" ") ? quoted(name) : name})\n      _arguments${list}\n      ;;`;
}

/** `'(-b --bundle)'{-b,--bundle=}'[directory of the bundle]:DIR:_files -/'` */
function optionSpec({ long, shorts, value, repeat, description }: OptionOffer): string {
  const names = [...shorts.map((short) => value ? `${short}+` : short), value ? `${long}=` : long];
  const front = names.length > 1 ? `{${names.join(",")}}` : names[0]!;
  const exclusive = repeat ? "'*'" : `'(${[...shorts, long].join(" ")})'`;
  const text = description.replace(/[\[\]\\:]/g, "\\$&");
  return `${exclusive}${front}${quoted(`[${text}]${value ? `: :${action(value)}` : ""}`)}`;
}

function argumentSpec({ name, offer, rest }: ArgumentOffer, place: number): string {
  if (rest !== undefined && offer === "none") return quoted(`*:: :_message ${name}`);
  // After a blank zsh would not look for options either.
  return quoted(`${place + 1}: :${offer === "none" ? "()" : action(offer)}`);
}

function action(offer: Offer): string {
  if (typeof offer !== "string") return `(${offer.join(" ")})`;
  return ACTIONS[offer];
}

const ACTIONS: Record<Extract<Offer, string>, string> = {
  file: "_files",
  directory: "_files -/",
  container: "_runts_containers",
  none: " ",
};

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
