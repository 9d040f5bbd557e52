/** Standard streams that nobody reads. */
export const QUIET = { stdin: "null", stdout: "null", stderr: "null" } as const;
