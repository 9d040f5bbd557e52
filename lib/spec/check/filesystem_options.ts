/** The options that filesystems take which most configurations mount (Linux 6.18, fs/*, mm/shmem.c, ipc/mqueue.c). */

/** How a value must look. */
type Form = "flag" | "octal" | "decimal" | "size" | "text";

const OWNER = { uid: "decimal", gid: "decimal", mode: "octal" } as const;

/** What every filesystem takes beside its own: labels of SELinux, which its module reads. */
const LABELS = { context: "text", fscontext: "text", defcontext: "text", rootcontext: "text" };

/** By type, the options by name. Other types are not known here. */
const OPTIONS: Readonly<Record<string, Readonly<Record<string, Form>>>> = {
  devpts: { ...OWNER, newinstance: "flag", ptmxmode: "octal", max: "decimal" },
  mqueue: {},
  sysfs: {},
  proc: { gid: "decimal", hidepid: "text", subset: "text", pidns: "text" },
  tmpfs: {
    ...OWNER,
    ...{ size: "size", nr_blocks: "size", nr_inodes: "size", huge: "text", mpol: "text" },
    ...{ inode32: "flag", inode64: "flag", noswap: "flag", quota: "flag", usrquota: "flag" },
    ...{ grpquota: "flag", usrquota_block_hardlimit: "size", usrquota_inode_hardlimit: "size" },
    ...{ grpquota_block_hardlimit: "size", grpquota_inode_hardlimit: "size", casefold: "text" },
    strict_encoding: "flag",
  },
};

const FORMS: Readonly<Record<Form, { readonly of: RegExp; readonly fault: string }>> = {
  flag: { of: /^$/, fault: "takes no value" },
  octal: { of: /^=[0-7]{1,5}$/, fault: "is not of the form NAME=OCTAL, as mode=755" },
  decimal: { of: /^=\d{1,10}$/, fault: "is not of the form NAME=NUMBER" },
  size: {
    of: /^=(\d+[kmgtpe]?|0x[\da-f]+|\d+%)$/i,
    fault: "is not of the form NAME=SIZE, as size=64m",
  },
  text: { of: /^=/, fault: "is not of the form NAME=VALUE" },
};

/** What is wrong with an option of a filesystem, and the names that it might be; undefined for what is not known to be. */
export function filesystemFault(
  type: string,
  option: string,
): { readonly fault: string; readonly names?: readonly string[] } | undefined {
  const known = Object.hasOwn(OPTIONS, type) ? OPTIONS[type]! : undefined;
  if (known === undefined) return undefined;
  const end = (option + "=").indexOf("=");
  const name = option.slice(0, end);
  if (Object.hasOwn(LABELS, name)) return undefined;
  if (!Object.hasOwn(known, name)) {
    return { fault: `is no option of ${type}`, names: Object.keys(known) };
  }
  // Those of quota may stand with or without a value.
  const { of, fault } = FORMS[known[name]!];
  return of.test(option.slice(end)) ? undefined : { fault };
}
