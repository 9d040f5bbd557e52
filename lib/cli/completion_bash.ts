/** The completion script for bash; needs no other package. */

import type { CommandOffer, Offer, Offers, OptionOffer } from "./completion_offers.ts";

/** @internal */
export function bashScript(offers: Offers): string {
  const { commands, globals, families } = offers;
  const words = commands.map(({ name }) => name).filter((name) => !name.includes(" "));
  return `# Completion of runts in bash: source this file.

# The options of a command ("" for the global ones).
_runts_options() {
  case $1 in
${caseOf("", globals)}
${commands.map(({ name, options, globals }) => caseOf(name, [...options, ...globals])).join("\n")}
  esac
}

# Sets kind to what the value of an option may be; to nothing for a flag.
_runts_value() {
  kind=
  case $1:$2 in
${valueCases(offers).join("\n")}
  esac
}

# Sets kind to what the argument at a place may be.
_runts_argument() {
  kind=none
  case $1:$2 in
${commands.flatMap(argumentCases).join("\n")}
  esac
}

${ENGINE.replace("COMMANDS", words.join(" ")).replace("FAMILIES", families.join(" "))}`;
}

function caseOf(name: string, options: readonly OptionOffer[]): string {
  const words = options.flatMap(({ long, shorts }) => [...shorts, long]).join(" ");
  return `    ${pattern(name)}) echo '${words}' ;;`;
}

/** A name as a pattern: the one of no command is empty, those below another have a blank. */
function pattern(name: string): string {
  return name === "" || name.includes(" ") ? `'${name}'` : name;
}

/** Those of commands come first, so that a flag can hide a global option with a value. */
function valueCases({ commands, globals, late }: Offers): string[] {
  const cases = commands.flatMap(({ name, options }) =>
    options
      .filter(({ long, value }) => value !== undefined || late.some((one) => one.long === long))
      .map((option) => valueCase(name, option))
  );
  const shared = globals.filter(({ value }) => value !== undefined);
  return [...cases, ...shared.map((option) => valueCase("*", option))];
}

function valueCase(verb: string, { long, shorts, value }: OptionOffer): string {
  const front = verb === "*" ? verb : pattern(verb);
  const patterns = [long, ...shorts].map((name) => `${front}:${name}`).join(" | ");
  return `    ${patterns}) kind=${value === undefined ? "" : kindOf(value)} ;;`;
}

function argumentCases({ name, arguments: all }: CommandOffer): string[] {
  return all.flatMap(({ offer, rest }, place) => {
    const here = `    ${pattern(name)}:${place}) kind=${kindOf(offer)} ;;`;
    if (rest === undefined) return here;
    const after = `    ${pattern(name)}:*) kind=rest ;;`;
    return rest === "words" && offer === "none" ? after : [here, after];
  });
}

function kindOf(offer: Offer): string {
  return typeof offer === "string" ? offer : `'words ${offer.join(" ")}'`;
}

const ENGINE = `_runts() {
  local cur=\${COMP_WORDS[COMP_CWORD]} verb= place=0 root= option= kind= words= i word
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word == = ]]; then # bash splits words there
      continue
    elif [[ -n $option ]]; then
      [[ $option == --root ]] && root=$word
      option=
    elif [[ $word == -* ]]; then
      _runts_value "$verb" "$word"
      [[ -n $kind ]] && option=$word
    elif [[ -z $verb ]]; then
      verb=$word
    elif [[ ' FAMILIES ' == *" $verb "* && $place == 0 ]]; then
      verb="$verb $word"
    else
      ((++place))
    fi
  done
  [[ $cur == = ]] && cur=
  if [[ -n $option ]]; then
    _runts_value "$verb" "$option"
  elif [[ -z $verb ]]; then
    kind=command
  else
    _runts_argument "$verb" "$place"
  fi
  if [[ -z $option && $cur == -* && $kind != rest ]]; then
    kind="words $(_runts_options "$verb")"
  fi
  COMPREPLY=()
  case $kind in
    directory) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -d -- "$cur") ;;
    file) compopt -o filenames && mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
    container) words=$("\${COMP_WORDS[0]}" \${root:+--root "$root"} list --quiet 2>/dev/null) ;;
    command) words='COMMANDS' ;;
    words\\ *) words=\${kind#words } ;;
  esac
  [[ -n $words ]] && mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  return 0
}

complete -F _runts runts
`;
