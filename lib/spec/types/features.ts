/** features.md, "Features Structure": what the runtime implements, whatever the host can do. */

/** The features document. */
export interface Features {
  /** Oldest version of the specification that is understood. */
  readonly ociVersionMin: string;
  /** Newest one. */
  readonly ociVersionMax: string;
  /** Kinds of hooks. */
  readonly hooks?: readonly string[];
  /** Options of mounts. */
  readonly mountOptions?: readonly string[];
  /** What is Linux's own. */
  readonly linux?: LinuxFeatures;
  /** Anything about the runtime. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Annotations of config.json that change what the runtime does; a final "." makes it a prefix. */
  readonly potentiallyUnsafeConfigAnnotations?: readonly string[];
}

/** features-linux.md. */
export interface LinuxFeatures {
  /** Kinds of namespaces. */
  readonly namespaces?: readonly string[];
  /** Names of capabilities. */
  readonly capabilities?: readonly string[];
  /** How cgroups can be made. */
  readonly cgroup?: {
    readonly v1?: boolean;
    readonly v2?: boolean;
    readonly systemd?: boolean;
    readonly systemdUser?: boolean;
    readonly rdma?: boolean;
  };
  /** Filters of system calls. */
  readonly seccomp?: SeccompFeatures;
  /** AppArmor. */
  readonly apparmor?: { readonly enabled?: boolean };
  /** SELinux. */
  readonly selinux?: { readonly enabled?: boolean };
  /** Classes of caches and memory bandwidth. */
  readonly intelRdt?: {
    readonly enabled?: boolean;
    readonly schemata?: boolean;
    readonly monitoring?: boolean;
  };
  /** Policies of memory. */
  readonly memoryPolicy?: {
    readonly modes?: readonly string[];
    readonly flags?: readonly string[];
  };
  /** What mounts can do beyond mount(2). */
  readonly mountExtensions?: { readonly idmap?: { readonly enabled?: boolean } };
  /** Network devices that are moved in. */
  readonly netDevices?: { readonly enabled?: boolean };
}

/** Filters of system calls. */
export interface SeccompFeatures {
  /** Whether there can be one. */
  readonly enabled?: boolean;
  /** What can become of a call. */
  readonly actions?: readonly string[];
  /** Ways of comparing arguments. */
  readonly operators?: readonly string[];
  /** Architectures. */
  readonly archs?: readonly string[];
  /** Flags that are understood. */
  readonly knownFlags?: readonly string[];
  /** Those of `knownFlags` that can be used. */
  readonly supportedFlags?: readonly string[];
}
