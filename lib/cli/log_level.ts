/** What an entry of a log is. */

/** Levels, the most severe first; the names are those of the log. */
export const LEVELS = ["error", "warning", "info", "debug"] as const;
export type Level = typeof LEVELS[number];

/** Takes one entry. */
export type Sink = (level: Level, message: string) => void;
