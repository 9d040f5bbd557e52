/**
 * A stock Debian with systemd for tests that boot one: `tools/setup.ts systems` makes it once, below
 * the user's cache, and nothing writes to it.
 */

/** What the tree is made of. */
export const PACKAGES = "systemd,systemd-sysv,dbus,libpam-systemd,login,procps";

/** The tree; its name is to change with what it is made of. */
export const DEBIAN = Deno.env.get("RUNTS_TEST_DEBIAN") ??
  `${cacheHome()}/runts-systems/bookworm-1`;

function cacheHome(): string {
  return Deno.env.get("XDG_CACHE_HOME") ?? `${Deno.env.get("HOME") ?? "/root"}/.cache`;
}
