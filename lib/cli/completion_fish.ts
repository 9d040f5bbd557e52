/** The completion script for fish. */

import type { CommandOffer, Offer, Offers, OptionOffer } from "./completion_offers.ts";

/** The options that have a value, with their letters. */
function withValue(options: readonly OptionOffer[]): string {
  return options.filter(({ value }) => value !== undefined)
    .flatMap(({ long, shorts }) => [long, ...shorts]).join(" ");
}

/** @internal */
export function fishScript({ commands, globals, families }: Offers): string {
  const cases = commands.map(({ name, options, globals }) => {
    const all = withValue([...options, ...globals]);
    return `        case ${quotedName(name)}\n            set with_value ${all}`;
  });
  return `# Completion of runts in fish.

# Prints the command of the line and how many arguments follow it.
function __runts_line
    set -l with_value ${withValue(globals)}
    set -l verb ''
    set -l place 0
    set -l skip 0
    for word in (commandline -opc)[2..-1]
        if test $skip -eq 1
            set skip 0
        else if string match -q -- '-*' $word
            contains -- $word $with_value; and set skip 1
        else if test -z "$verb"; or contains -- "$verb" ${families.join(" ")}
            set verb (string trim "$verb $word")
            switch $verb
${cases.map((text) => text.replaceAll(/^/gm, "        ")).join("\n")}
            end
        else
            set place (math $place + 1)
        end
    end
    echo $verb
    echo $place
end

function __runts_at
    set -l line (__runts_line)
    test "$line[1]" = "$argv[1]"; or return 1
    test (count $argv) -eq 1; or test "$line[2]" -eq "$argv[2]"
end

function __runts_within
    set -l line (__runts_line)
    test "$line[1]" = "$argv[1]"; and test "$line[2]" -le "$argv[2]"
end

function __runts_containers
    set -l root
    set -l words (commandline -opc)
    for i in (seq (count $words))
        test "$words[$i]" = --root; and set root --root $words[(math $i + 1)]
        string match -q -- '--root=*' $words[$i]; and set root $words[$i]
    end
    $words[1] $root list --quiet 2>/dev/null
end

complete -c runts -f
${globals.map((option) => optionLine("__runts_at ''", option)).join("\n")}
${commands.map(commandLines).join("\n")}
`;
}

function commandLines(command: CommandOffer): string {
  const { name, summary, options, globals, arguments: all } = command;
  const rest = all.findIndex(({ rest }) => rest !== undefined);
  const last = all[rest]?.rest === "words" ? rest - 1 : rest;
  const verb = quotedName(name);
  const where = rest < 0 ? `__runts_at ${verb}` : `__runts_within ${verb} ${last}`;
  // The words below another command are offered as what may stand behind it.
  const lines = name.includes(" ")
    ? []
    : [`complete -c runts -n "__runts_at ''" -a ${name} -d ${quoted(summary)}`];
  for (const option of [...options, ...globals]) lines.push(optionLine(where, option));
  for (const [place, { offer }] of all.entries()) {
    if (offer === "none") continue;
    lines.push(
      `complete -c runts -n ${quoted(`__runts_at ${verb} ${place}`)} ${offerFlags(offer)}`,
    );
  }
  return lines.join("\n");
}

function optionLine(where: string, { long, shorts, value, description }: OptionOffer): string {
  const letters = shorts.map((short) => ` -s ${quoted(short.slice(1))}`).join("");
  const flags = value === undefined ? "" : ` -r ${offerFlags(value)}`;
  return `complete -c runts -n ${quoted(where)}${letters} -l ${long.slice(2)}${flags} -d ${
    quoted(description)
  }`;
}

/** How complete(1) is told what to offer. */
function offerFlags(offer: Offer): string {
  if (typeof offer !== "string") return `-f -a ${quoted(offer.join(" "))}`;
  return OFFERS[offer] ?? "-f";
}

const OFFERS: Partial<Record<string, string>> = {
  file: "-F",
  directory: "-f -a '(__fish_complete_directories)'",
  container: "-f -a '(__runts_containers)'",
};

/** A name of two words is one argument. */
function quotedName(name: string): string {
  return name.includes(" ") ? `"${name}"` : name;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
