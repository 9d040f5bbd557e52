/** The text of a configuration as lines (lxc.container.conf(5)). */

/** One line that sets something. */
interface Line {
  /** From 1. */
  readonly number: number;
  /** As it is written; the whole line, if it is no setting. */
  readonly key: string;
  /** Without quotes and what is blank around it; undefined where there is no `=`. */
  readonly value: string | undefined;
}

/**
 * The lines that are neither blank nor comments. A `#` is a comment only at the beginning of a
 * line; a line has no continuation. A whole value may stand in quotes.
 */
export function readLines(text: string): Line[] {
  return text.split("\n").flatMap((whole, index): Line[] => {
    const line = whole.trim();
    if (line === "" || line.startsWith("#")) return [];
    return [{ number: index + 1, ...splitSetting(line) }];
  });
}

/** `KEY = VALUE` of a line or of the command line. */
export function splitSetting(line: string): Pick<Line, "key" | "value"> {
  const equals = line.indexOf("=");
  if (equals < 0) return { key: line, value: undefined };
  return { key: line.slice(0, equals).trim(), value: unquoted(line.slice(equals + 1).trim()) };
}

function unquoted(value: string): string {
  const first = value[0];
  const isQuoted = value.length > 1 && (first === '"' || first === "'") && value.endsWith(first);
  return isQuoted ? value.slice(1, -1) : value;
}
