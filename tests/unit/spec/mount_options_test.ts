import { assertEquals, assertThrows } from "@std/assert";
import { RuntsError } from "../../../lib/base/errors.ts";
import { parseIdmap, resolveIdmap } from "../../../lib/spec/values/idmap.ts";
import {
  droppedAttributes,
  MOUNT_OPTIONS,
  type ParsedMountOptions,
  parseMountOptions,
} from "../../../lib/spec/values/mount_options.ts";

const NOTHING: ParsedMountOptions = {
  bind: "none",
  remount: false,
  attrSet: 0,
  attrClear: 0,
  recSet: 0,
  recClear: 0,
  superblock: [],
  propagation: [],
  data: [],
  idmap: "none",
  tmpcopyup: false,
  copySymlink: false,
  destNofollow: false,
  srcNofollow: false,
};

/** linux/mount.h */
const RDONLY = 1;
const NOSUID = 2;
const NODEV = 4;
const NOEXEC = 8;
const ATIME = 0x70;
const NOATIME = 0x10;
const STRICTATIME = 0x20;
const NODIRATIME = 0x80;
const NOSYMFOLLOW = 0x200000;

/** Options, separated by spaces, and what they ask for beyond nothing. */
const CASES: Record<string, Partial<ParsedMountOptions>> = {
  "": {},
  defaults: {},
  "bind": { bind: "bind" },
  "rbind bind": { bind: "rbind" },
  "bind rbind": { bind: "rbind" },
  remount: { remount: true },

  ro: { superblock: ["ro"], attrSet: RDONLY },
  "ro rw": { superblock: ["rw"], attrClear: RDONLY },
  "rw ro": { superblock: ["ro"], attrSet: RDONLY },
  "sync dirsync async": { superblock: ["dirsync", "async"] },
  "lazytime nolazytime mand": { superblock: ["nolazytime", "mand"] },
  "mand nomand": { superblock: ["nomand"] },
  "rsync rmand rdirsync": { superblock: ["sync", "mand", "dirsync"] },
  "rasync rnomand": { superblock: ["async", "nomand"] },
  "silent loud iversion noiversion": {},

  "nosuid nodev noexec nosymfollow": { attrSet: NOSUID | NODEV | NOEXEC | NOSYMFOLLOW },
  "suid dev exec symfollow": { attrClear: NOSUID | NODEV | NOEXEC | NOSYMFOLLOW },
  "nosuid suid": { attrClear: NOSUID },
  "suid nosuid": { attrSet: NOSUID },
  "nodiratime diratime": { attrClear: NODIRATIME },

  // The access-time settings exclude each other; relatime is 0.
  noatime: { attrSet: NOATIME, attrClear: ATIME },
  relatime: { attrClear: ATIME },
  strictatime: { attrSet: STRICTATIME, attrClear: ATIME },
  "noatime strictatime": { attrSet: STRICTATIME, attrClear: ATIME },
  "noatime atime": { attrClear: ATIME },
  "strictatime atime": { attrSet: STRICTATIME, attrClear: ATIME },
  "strictatime nostrictatime": { attrClear: ATIME },
  atime: { attrClear: ATIME },
  norelatime: {},
  "noatime nodiratime": { attrSet: NOATIME | NODIRATIME, attrClear: ATIME },

  "rro rnosuid": { recSet: RDONLY | NOSUID },
  "rro rrw": { recClear: RDONLY },
  "rnodev rdev rnoexec rexec": { recClear: NODEV | NOEXEC },
  "rnosymfollow rsymfollow rnodiratime rdiratime rsuid": {
    recClear: NOSYMFOLLOW | NODIRATIME | NOSUID,
  },
  rnoatime: { recSet: NOATIME, recClear: ATIME },
  "rnoatime ratime": { recClear: ATIME },
  "rrelatime rnorelatime": { recClear: ATIME },
  "rstrictatime": { recSet: STRICTATIME, recClear: ATIME },
  "rstrictatime rnostrictatime": { recClear: ATIME },
  // A recursive option replaces an earlier plain one; a later plain one is applied on top.
  "nosuid rsuid": { recClear: NOSUID },
  "rsuid nosuid": { attrSet: NOSUID, recClear: NOSUID },
  "noatime rrelatime": { recClear: ATIME },

  "private rprivate": { propagation: [1 << 18, 1 << 18 | 1 << 14] },
  "slave shared": { propagation: [1 << 19, 1 << 20] },
  "rslave rshared": { propagation: [1 << 19 | 1 << 14, 1 << 20 | 1 << 14] },
  "unbindable runbindable": { propagation: [1 << 17, 1 << 17 | 1 << 14] },

  "idmap": { idmap: "idmap" },
  "ridmap": { idmap: "ridmap" },
  "idmap=uids=0-1-10;gids=0-1-10": { idmap: "idmap", idmapText: "uids=0-1-10;gids=0-1-10" },
  "tmpcopyup copy-symlink dest-nofollow src-nofollow": {
    tmpcopyup: true,
    copySymlink: true,
    destNofollow: true,
    srcNofollow: true,
  },

  "mode=755 size=64k newinstance": { data: ["mode=755", "size=64k", "newinstance"] },
  "mode=755,ro,size=64k": {
    data: ["mode=755", "size=64k"],
    superblock: ["ro"],
    attrSet: RDONLY,
  },
  'context="u:r:t:s0:c1,c2",ro': {
    data: ["context=u:r:t:s0:c1,c2"],
    superblock: ["ro"],
    attrSet: RDONLY,
  },
  "lowerdir=/a\\,b:/c,upperdir=/d": { data: ["lowerdir=/a\\,b:/c", "upperdir=/d"] },
  "x-systemd.automount X-mount.mkdir comment=x _netdev auto noauto nouser": {},
  "constructor __proto__ toString": { data: ["constructor", "__proto__", "toString"] },
  "acl": { data: ["acl"] },
};

Deno.test("parseMountOptions tells what options ask for; the last one wins", () => {
  for (const [text, expected] of Object.entries(CASES)) {
    const options = text === "" ? [] : text.split(" ");
    assertEquals(parseMountOptions(options), { ...NOTHING, ...expected }, text);
  }
});

Deno.test("MOUNT_OPTIONS has every option of the specification", () => {
  const must =
    "async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime " +
    "nodev nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind " +
    "relatime remount ro rprivate rshared rslave runbindable rw shared silent slave strictatime " +
    "suid sync unbindable";
  const should =
    "nosymfollow symfollow ratime rdev rdiratime relatime rexec rnoatime rnodiratime " +
    "rnoexec rnorelatime rnostrictatime rnosuid rnosymfollow rrelatime rro rrw rstrictatime rsuid " +
    "rsymfollow idmap ridmap";
  const may = "mand nomand tmpcopyup rnodev";
  for (const option of [must, should, may].flatMap((list) => list.split(" "))) {
    assertEquals(Object.hasOwn(MOUNT_OPTIONS, option), true, option);
    assertEquals(parseMountOptions([option]).data, [], option);
  }
});

Deno.test("parseIdmap reads ranges, absolute and relative", () => {
  assertEquals(parseIdmap("uids=0-1-10#10-11-10;gids=@0-100-10"), {
    uids: [
      { containerID: 0, hostID: 1, size: 10, relative: false },
      { containerID: 10, hostID: 11, size: 10, relative: false },
    ],
    gids: [{ containerID: 0, hostID: 100, size: 10, relative: true }],
  });
  const faults = {
    "": 'idmap "" is not uids=… or gids=…',
    "uids=0-0-1": 'idmap "uids=0-0-1" needs both uids and gids',
    "uids=0-0;gids=0-0-1": 'idmap range "0-0" is not of the form 0-1000-10',
    "uids=0-0-0;gids=0-0-1": 'idmap range "0-0-0" is empty or exceeds 4294967295',
    "uids=4294967295-0-2;gids=0-0-1": 'idmap range "4294967295-0-2" is empty or exceeds 4294967295',
  };
  for (const [text, message] of Object.entries(faults)) {
    assertEquals(assertThrows(() => parseIdmap(text), RuntsError).message, message);
  }
});

Deno.test("resolveIdmap shifts relative ranges by the user namespace's mapping", () => {
  const namespace = [
    { containerID: 0, hostID: 0, size: 1 },
    { containerID: 1, hostID: 2, size: 1000 },
  ];
  const { uids } = parseIdmap("uids=@1-3-10#5-5-5;gids=0-0-1");
  assertEquals(resolveIdmap(uids, namespace), [
    { containerID: 1, hostID: 4, size: 10 },
    { containerID: 5, hostID: 5, size: 5 },
  ]);
  const outside = parseIdmap("uids=@0-0-2;gids=0-0-1").uids;
  assertEquals(
    assertThrows(() => resolveIdmap(outside, namespace), RuntsError).message,
    `idmap range "@0-0-2" is outside the container's user namespace`,
  );
});

const ALL = RDONLY | NOSUID | NODEV | NOEXEC | NOSYMFOLLOW;
/** Options of a bind mount, and what of its source it does not keep. */
const DROPPED: [options: string, dropped: number][] = [
  ["bind", 0],
  ["rbind rprivate defaults idmap", 0],
  ["bind rro rnosuid ratime rsync rnorelatime size=1", 0],
  ["bind ro", ALL & ~RDONLY],
  ["bind,nosuid,dev", ALL & ~NOSUID & ~NODEV],
  ["bind sync", ALL],
  ["bind norelatime", ALL],
  ["bind ro rnodev", ALL & ~RDONLY & ~NODEV],
  ["bind noatime", ALL | ATIME | NODIRATIME],
  ["bind relatime", ALL | ATIME | NODIRATIME],
  ["bind nodiratime", ALL | ATIME],
  ["bind relatime rnoatime", ALL | NODIRATIME],
  ["bind atime", ALL],
];

Deno.test("droppedAttributes: a named flag drops what is not named", () => {
  for (const [text, dropped] of DROPPED) {
    const options = text.split(" ");
    assertEquals(droppedAttributes(options, parseMountOptions(options)), dropped, text);
  }
});
