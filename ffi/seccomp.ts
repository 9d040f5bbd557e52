/**
 * libseccomp(3): system call names and the making of filters. Loaded only where a profile has to be
 * compiled or explained. Its functions with variable arguments have twins that take an array.
 */

import { reason, RuntsError } from "../lib/base/errors.ts";
import { type Functions, openLibrary } from "./bind.ts";
import { check, cString, holding, outside } from "./call.ts";
import { ownDescriptor } from "./own_descriptor.ts";

/** The library, by the name that every version with the same interface has. */
const LIBSECCOMP = "libseccomp.so.2";

const SECCOMP = {
  // const struct scmp_version *seccomp_version(void);
  seccomp_version: { parameters: [], result: "pointer" },
  // unsigned int seccomp_api_get(void);
  seccomp_api_get: { parameters: [], result: "u32" },
  // uint32_t seccomp_arch_native(void);
  seccomp_arch_native: { parameters: [], result: "u32" },
  // uint32_t seccomp_arch_resolve_name(const char *arch_name);
  seccomp_arch_resolve_name: { parameters: ["buffer"], result: "u32" },
  // int seccomp_syscall_resolve_name(const char *name);
  seccomp_syscall_resolve_name: { parameters: ["buffer"], result: "i32" },
  // int seccomp_syscall_resolve_name_arch(uint32_t arch_token, const char *name);
  seccomp_syscall_resolve_name_arch: { parameters: ["u32", "buffer"], result: "i32" },
  // char *seccomp_syscall_resolve_num_arch(uint32_t arch_token, int num);
  seccomp_syscall_resolve_num_arch: { parameters: ["u32", "i32"], result: "pointer" },
  // scmp_filter_ctx seccomp_init(uint32_t def_action);
  seccomp_init: { parameters: ["u32"], result: "pointer" },
  // void seccomp_release(scmp_filter_ctx ctx);
  seccomp_release: { parameters: ["pointer"], result: "void" },
  // int seccomp_arch_add(scmp_filter_ctx ctx, uint32_t arch_token);
  seccomp_arch_add: { parameters: ["pointer", "u32"], result: "i32" },
  // int seccomp_attr_set(scmp_filter_ctx ctx, enum scmp_filter_attr attr, uint32_t value);
  seccomp_attr_set: { parameters: ["pointer", "u32", "u32"], result: "i32" },
  // int seccomp_rule_add_array(scmp_filter_ctx ctx, uint32_t action, int syscall, unsigned int arg_cnt, const struct scmp_arg_cmp *arg_array);
  seccomp_rule_add_array: { parameters: ["pointer", "u32", "i32", "u32", "buffer"], result: "i32" },
  seccomp_rule_add_array_aside: {
    name: "seccomp_rule_add_array",
    parameters: ["pointer", "u32", "i32", "u32", "buffer"],
    result: "i32",
    nonblocking: true,
  },
  // int seccomp_export_bpf(const scmp_filter_ctx ctx, int fd);
  seccomp_export_bpf: { parameters: ["pointer", "i32"], result: "i32" },
} as const satisfies Deno.ForeignLibraryInterface;

const LIBC = {
  // int memfd_create(const char *name, unsigned int flags);
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  // int close(int fd);
  close: { parameters: ["i32"], result: "i32" },
  // void free(void *ptr);
  free: { parameters: ["pointer"], result: "void" },
} as const satisfies Deno.ForeignLibraryInterface;

const MFD_CLOEXEC = 1;
/** SCMP_FLTATR_CTL_OPTIMIZE, libseccomp 2.5 */
const OPTIMIZE = 8;
/** The value of it that makes a tree of system calls instead of a list. */
const TREE = 2;
/** struct scmp_arg_cmp: index and operator (u32), two operands (u64). */
const CONDITION_SIZE = 24;
/** __NR_SCMP_ERROR */
const UNKNOWN = -1;

/** One comparison of a rule, as `struct scmp_arg_cmp` has it. */
export interface Condition {
  readonly index: number;
  /** SCMP_CMP_*: 1 for NE to 7 for MASKED_EQ. */
  readonly operator: number;
  readonly value: bigint;
  readonly valueTwo: bigint;
}

/** A filter in the making. Methods that give a number give 0 or a negated error number. */
export interface FilterContext extends Disposable {
  /** `arch`: SCMP_ARCH_*. */
  addArchitecture(arch: number): number;
  /** Has the filter look a system call up in a tree. Libraries before 2.5 refuse it. */
  useTree(): number;
  /** All conditions must hold; each is about another argument. */
  addRule(action: number, syscall: number, conditions: readonly Condition[]): number;
  /** The same on another thread; until it has returned, nothing else may be called. */
  addRuleAside(
    action: number,
    syscall: number,
    conditions: readonly Condition[],
  ): Promise<number>;
  /** Array of struct sock_filter. */
  compile(): Uint8Array<ArrayBuffer>;
}

/** The library. */
export interface SeccompLibrary {
  /** As "2.5.4". */
  readonly version: string;
  /** What the library can have of this kernel, seccomp_api_get(3). */
  readonly apiLevel: number;
  /** SCMP_ARCH_* of this machine. */
  readonly nativeArchitecture: number;
  /** SCMP_ARCH_* of a name such as `x86_64`; undefined when the library does not have it. */
  architecture(name: string): number | undefined;
  /** Number to make rules with: negative if this machine lacks the call, undefined if unknown. */
  syscall(name: string): number | undefined;
  /** Number on an architecture: negative if that lacks the call, undefined if unknown. */
  syscallOn(arch: number, name: string): number | undefined;
  /** Name of a number on an architecture. */
  syscallName(arch: number, number: number): string | undefined;
  /** Begins a filter; `action` (SECCOMP_RET_*) is for what no rule matches. */
  filter(action: number): FilterContext;
}

let loaded: SeccompLibrary | undefined;

/** Loads the library when first called. Throws RuntsError when it is missing or too old. */
export function loadSeccomp(): SeccompLibrary {
  loaded ??= wrap(open());
  return loaded;
}

type Library = Functions<typeof SECCOMP>;
type Libc = Functions<typeof LIBC>;

function open(): { library: Library; libc: Libc } {
  try {
    return { library: openLibrary(LIBSECCOMP, SECCOMP), libc: openLibrary("libc.so.6", LIBC) };
  } catch (error) {
    throw new RuntsError(`load "${LIBSECCOMP}"`, {
      configPath: "linux.seccomp",
      cause: new Error(reason(error).replace(/^(Could not open library: )+/, "")),
      hint: "install libseccomp 2.5 or newer, or remove linux.seccomp",
    });
  }
}

function wrap({ library, libc }: { library: Library; libc: Libc }): SeccompLibrary {
  return {
    get version() {
      const view = new Deno.UnsafePointerView(library.seccomp_version()!);
      return [0, 4, 8].map((offset) => view.getUint32(offset)).join(".");
    },
    get apiLevel() {
      return library.seccomp_api_get();
    },
    get nativeArchitecture() {
      return library.seccomp_arch_native();
    },
    architecture: (name) => library.seccomp_arch_resolve_name(cString(name)) || undefined,
    syscall: (name) => known(library.seccomp_syscall_resolve_name(cString(name))),
    syscallOn: (arch, name) =>
      known(library.seccomp_syscall_resolve_name_arch(arch, cString(name))),
    syscallName(arch, number) {
      const name = library.seccomp_syscall_resolve_num_arch(arch, number);
      if (name === null) return undefined;
      try {
        return Deno.UnsafePointerView.getCString(name);
      } finally {
        libc.free(name);
      }
    },
    filter(action) {
      const context = library.seccomp_init(action);
      if (context === null) throw new RuntsError("begin a seccomp filter: out of memory");
      return filterContext(library, libc, context);
    },
  };
}

function known(syscall: number): number | undefined {
  return syscall === UNKNOWN ? undefined : syscall;
}

function filterContext(library: Library, libc: Libc, context: Deno.PointerObject): FilterContext {
  return {
    addArchitecture: (arch) => library.seccomp_arch_add(context, arch),
    useTree: () => library.seccomp_attr_set(context, OPTIMIZE, TREE),
    addRule: (action, syscall, conditions) =>
      library.seccomp_rule_add_array(
        context,
        action,
        syscall,
        conditions.length,
        conditionArray(conditions),
      ),
    addRuleAside(action, syscall, conditions) {
      const array = conditionArray(conditions);
      const { length } = conditions;
      const call = library.seccomp_rule_add_array_aside(context, action, syscall, length, array);
      return holding(call, array);
    },
    compile: () => exported(library, libc, context),
    [Symbol.dispose]: () => library.seccomp_release(context),
  };
}

function conditionArray(conditions: readonly Condition[]): Uint8Array<ArrayBuffer> | null {
  if (conditions.length === 0) return null;
  const bytes = outside(conditions.length * CONDITION_SIZE);
  const view = new DataView(bytes.buffer);
  conditions.forEach(({ index, operator, value, valueTwo }, place) => {
    const offset = place * CONDITION_SIZE;
    view.setUint32(offset, index, true);
    view.setUint32(offset + 4, operator, true);
    view.setBigUint64(offset + 8, value, true);
    view.setBigUint64(offset + 16, valueTwo, true);
  });
  return bytes;
}

/** The library writes to a descriptor only (2.6 has a way around it). */
function exported(
  library: Library,
  libc: Libc,
  context: Deno.PointerObject,
): Uint8Array<ArrayBuffer> {
  const what = "compile the seccomp filter";
  const fd = libc.memfd_create(cString("seccomp"), MFD_CLOEXEC);
  if (fd < 0) throw new RuntsError("make a file in memory for the seccomp filter");
  try {
    check(library.seccomp_export_bpf(context, fd), what);
    return Deno.readFileSync(ownDescriptor(fd));
  } finally {
    libc.close(fd);
  }
}

/** The file that the library was loaded from, as the kernel has it mapped into this process. */
export function loadedLibrary(): string | undefined {
  const name = LIBSECCOMP.replace(/\d+$/, "");
  return Deno.readTextFileSync("/proc/self/maps").split("\n")
    .map((line) => line.slice(line.indexOf("/")))
    .find((path) => path.slice(path.lastIndexOf("/") + 1).startsWith(name));
}
